"""The embedded reasoner: its synthetic world, its recipe and its weights.

Idea: no pretrained weights are needed to see pixel-space reasoning. A model of the Qwen3-VL architecture, small
enough for any laptop, is trained from scratch on a world that is drawn from seeds (`scenes`, `clips`), and must
zoom in or select a frame to answer. `recipe` remakes the weights in `weights/`; `assets/` holds the fonts and
photographs of the world.

Nothing is imported here, so that drawing a scene needs Pillow and NumPy only, never torch.
"""
