"""How other projects ask and score the questions of published benchmarks, for scores that stand beside theirs.

    convention.py        what a convention is, and which one a question falls under
    pixel_reasoner.py    the released code's reward
    lmms_eval.py         lmms-eval's tasks
    vlmevalkit.py        VLMEvalKit's data sets

Written from their behaviour; `python -m tests.peers.scoring` runs their own functions on the same answers and prints both.
docs/evaluation.md says where they disagree.
"""
