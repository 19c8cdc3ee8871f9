"""Training: traces that people accepted become adapters, in this process, on the frozen backbone.

`dataset` turns traces into tokens, `sft` runs TRL's SFTTrainer over them, `rollouts`, `rewards` and `grpo` learn from
attempts, `on_backbone` is what both need around a trainer. The whole job (snapshot, before and after, adapter), the worker
that runs it and promotion are `engine.jobs`.
"""
