"""The drawn benchmarks of this installation: those of the lab where it is part of it, otherwise none.

The one way from the product to the lab: screens, commands and measurements ask here by name, and say ABSENT where there is
nothing to be drawn.
"""

from __future__ import annotations

from engine.errors import InvalidInput, Unavailable
from engine.evaluation.benchmarks import Benchmark

__all__ = ["ABSENT", "benchmark_named", "drawn_benchmarks", "required_benchmark"]

ABSENT = "drawn benchmarks are not part of this installation"
_ROOMS = ("engine.lab", "engine.lab.world", "engine.lab.world.benchmarks")


def drawn_benchmarks() -> tuple[Benchmark, ...]:
    """In the order in which they are listed; empty without the lab."""
    try:
        from engine.lab.world.benchmarks import BENCHMARKS
    except ModuleNotFoundError as error:
        if error.name not in _ROOMS:  # the lab is there, and something that it needs is not
            raise
        return ()
    return BENCHMARKS


def benchmark_named(name: str) -> Benchmark | None:
    return next((benchmark for benchmark in drawn_benchmarks() if benchmark.name == name), None)


def required_benchmark(name: str) -> Benchmark:
    """Raises Unavailable without the lab, InvalidInput for a name that it does not know."""
    if found := benchmark_named(name):
        return found
    if not (known := drawn_benchmarks()):
        raise Unavailable(f"{name!r} cannot be drawn: {ABSENT}")
    raise InvalidInput(f"there is no benchmark {name!r}; choose one of {', '.join(one.name for one in known)}")
