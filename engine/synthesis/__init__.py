"""Synthesis: examples whose evidence is known become trajectories to learn from, some with errors to recover from.

`kinds` says how many of which kind, `regions` where each operation looks, `wording` what is thought, `trajectories` puts
a trace together, `recording` takes traces into the store.
"""
