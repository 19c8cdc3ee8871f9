"""Measurements: one module each, every figure with the ratio against a baseline taken in the same run."""
