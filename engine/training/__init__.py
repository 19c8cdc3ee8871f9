"""Training: traces that people accepted become adapters, in this process, on the frozen backbone.

`dataset` turns traces into tokens, `sft` runs TRL's SFTTrainer over them, `jobs` is the whole job around it (snapshot,
before and after, adapter), `worker` runs jobs in the background, `promotion` makes a result answer.
"""
