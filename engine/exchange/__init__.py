"""Traces out of the studio and into it: one module a format.

Not covered yet: import, and the formats of other programs (TRL, ms-swift, LLaMA-Factory, the published data sets).
"""
