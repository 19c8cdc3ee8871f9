"""Benchmarks: drawing or reading examples, running a policy over them, and scoring what it answered."""
