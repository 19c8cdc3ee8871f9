"""How the embedded reasoner is trained: a small Qwen3-VL from scratch, on the drawn world alone.

No pretrained weights are needed to see pixel-space reasoning: the world (`engine.lab.world`) is so drawn that the model must
zoom in or select a frame to answer. `remake` remakes the weights, `export` writes them as the folder of `engine.embedded`,
`merge` adds an adapter to them, `measure` takes the figures of the model card.
"""
