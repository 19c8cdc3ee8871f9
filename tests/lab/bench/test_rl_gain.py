"""What RL adds: the gain and its error worked by hand, and what a run may learn from."""

from __future__ import annotations

import io
import json
import math

import pytest

from engine.__main__ import main
from engine.errors import InvalidInput
from engine.lab.bench import rl_gain
from engine.lab.study.folder import Folder
from engine.lab.study.plan import BENCHMARKS, Draw, Evaluate, Grpo, Sizes
from engine.settings import Settings

RUNS = ("with_curiosity", "without_curiosity")


def evaluation(row: str, scores: list[float]) -> dict:
    """The same scores on each benchmark."""
    found = {"scores": scores, "used_operation": [score > 0 for score in scores]}
    return {"row": row, "machine": {"cores": 2}, "benchmarks": dict.fromkeys(BENCHMARKS, found)}


def test_the_gain_and_its_error_by_hand() -> None:
    """Two seeds: examples gain 1/2, 0, 1, 1/2; the seeds gain 3/4 and 1/4."""
    before = evaluation("warm-start", [0.0, 0.0, 0.0, 0.0])
    after = [evaluation("full", [1.0, 0.0, 1.0, 1.0]), evaluation("full", [0.0, 0.0, 1.0, 0.0])]
    found = rl_gain.gain_of(before, after)
    assert found["gain_points"] == 50.0 and found["by_seed"] == [75.0, 25.0]
    of_benchmark = math.sqrt((0 + 0.25 + 0.25 + 0) / 3) / math.sqrt(4)
    assert found["by_benchmark"]["mini-tally"] == [50.0, round(100 * of_benchmark, 2)]
    examples, seeds = of_benchmark / math.sqrt(4), math.sqrt(2 * 0.25**2)
    assert found["gain_stderr"] == round(100 * math.sqrt(examples**2 + seeds**2 / 2), 2)


def test_one_run_and_one_example_have_no_spread() -> None:
    found = rl_gain.gain_of(evaluation("warm-start", [1.0]), [evaluation("full", [0.5])])
    assert (found["gain_points"], found["gain_stderr"]) == (-50.0, 0.0)


@pytest.mark.parametrize("purpose", ["held-out", "development"])
def test_nothing_that_trains_knows_what_is_asked_afterwards(purpose) -> None:
    parts = rl_gain.parts_of(Sizes(seeds=2), tuple(rl_gain.RUNS), purpose)
    asked = {part.name for part in parts if isinstance(part, Draw) and part.purpose == purpose}
    for part in parts:
        if isinstance(part, Evaluate):
            assert asked <= set(part.needs)
        else:
            assert not asked & set(part.needs)
    runs = [part for part in parts if isinstance(part, Grpo)]
    rows = [(part.row, part.seed, part.is_curious, part.settings.get("variant")) for part in runs]
    once = [("full", 0, True, None), ("no-curiosity", 0, False, None), ("credit", 0, True, "credit")]
    assert rows == once + [(row, 1, *others) for row, _, *others in once]


def test_the_command_tells_what_its_folder_came_to(tmp_path) -> None:
    """Every part is done there: nothing is trained, and the figures are those of the results."""
    from engine.lab.study.identity import identity_of

    folder, sizes = Folder(tmp_path / "gain"), rl_gain.SIZES
    settings = Settings.from_environment({})
    purposes = ("trajectories", "practice", "held-out")
    chosen = {"grpo": dict(rl_gain.SETTINGS), "practice": dict(rl_gain.PRACTICE)}
    folder.claim(identity_of(sizes, settings, purposes) | chosen)
    for part in rl_gain.parts_of(sizes, RUNS):
        result = {"seconds": 1.0}
        if isinstance(part, Evaluate):
            result |= evaluation(part.row, {"full": [1.0, 1.0], "no-curiosity": [0.0, 1.0]}.get(part.row, [0.0, 0.0]))
        if isinstance(part, Grpo):
            rates = [0.5, 0.25] if part.row == "no-curiosity" else [0.5, 0.75]
            result["metrics"] = [{"rapr": rate, "cpu_seconds": 30.0, "agreement": rate / 100} for rate in rates]
            result["settings"] = {"queries_a_step": 8, "rollouts": 8}
        folder.finish(part.name, result)
    out = io.StringIO()
    assert main(["bench", "rl-gain", "--out", str(folder.root), "--json"], {}, out) == 0
    found = json.loads(out.getvalue())
    assert (found["bench"], found["asked"]) == ("rl-gain", "held-out")
    assert (found["gain_points"], found["gain_stderr"], found["rapr_last"]) == (100.0, 0.0, 0.625)
    with pytest.raises(InvalidInput, match="holds another study"):
        rl_gain.measure(settings, folder.root, sizes, RUNS, purpose="development")
    beside = found["without_curiosity"]
    assert (beside["gain_points"], beside["gain_stderr"], beside["rapr_last"]) == (50.0, 25.0, 0.375)
    assert beside["cpu_s"] == [60, 60, 60] and beside["rollouts"] == [128, 128, 128]
    assert (beside["agreement"], found["with_curiosity"]["agreement"]) == (0.00375, 0.00625)
    lines = rl_gain.report(found, RUNS)
    assert "without curiosity: +50.0 ± 25.0 points (seeds +50.0, +50.0, +50.0)" in lines[3]
