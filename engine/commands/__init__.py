"""The commands of `python -m engine`: one module each, with SUMMARY, `configure(parser)` and `run(...)`,
and ACTION, what it is in the table of rights (`engine.rights`).

Invariants: results go to the stream `out` that `run` is given, everything else to standard error; with --json `out` gets
one JSON object a line and nothing else. `run` returns the exit status. What is slow to import is imported inside `run`,
so that --help comes at once.
"""
