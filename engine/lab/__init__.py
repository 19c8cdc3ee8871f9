"""The laboratory: the drawn world, how the embedded reasoner was made, the study and the measurements.

    world    signs, clips and the four miniature benchmarks: pictures from seeds, without torch
    recipe   how the embedded reasoner is trained on that world
    study    the paper's study in miniature
    bench    measurements, each beside its baseline

The top storey: it stands on the whole engine, and nothing below needs it.
"""
