"""The laboratory: the drawn world, how the embedded reasoner was made, the study and the measurements.

    world    signs, clips and the four miniature benchmarks: pictures from seeds, without torch
    recipe   how the embedded reasoner is trained on that world
    study    the paper's study in miniature
    bench    measurements, each beside its baseline
    commands `experiment` and `bench` of `python -m engine`

The top storey: it stands on the whole engine, and nothing below needs it. The product works without this folder. It asks for
drawn benchmarks in one place (`engine.evaluation.drawn`), and `python -m engine` lists the lab's commands where there are any.
"""
