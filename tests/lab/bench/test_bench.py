"""The benches themselves: what they count, that they compare the same with the same, what they say where a tool is missing."""

from __future__ import annotations

import base64
import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.__main__ import main
from engine.errors import Unavailable
from engine.lab.bench.browsing import chromium
from engine.lab.bench.figures import Spread, ratio, spread
from engine.lab.bench.first_draft import crop_in_base64
from engine.lab.bench.photo import photo_jpeg
from engine.media import MediaFolder
from engine.trace import Box, View


def test_a_spread_by_hand() -> None:
    assert spread([5.0]) == Spread(1, 5.0, 5.0, 5.0)
    assert spread([float(k) for k in range(20, 0, -1)]) == Spread(20, 10.0, 19.0, 20.0)
    assert spread([3.0, 1.0, 2.0]).median_ms == 2.0
    assert ratio(spread([30.0]), spread([10.0])) == 3.0
    with pytest.raises(ValueError, match="no times"):
        spread([])


def test_the_baseline_cuts_what_the_engine_cuts(tmp_path) -> None:
    data, box = photo_jpeg(300, 200, 1), Box(0.123, 0.2, 0.7, 0.999)
    media = MediaFolder(tmp_path)
    sha256 = media.take(data).media.sha256
    ours = Image.open(io.BytesIO(media.crop_png(View(1, sha256, None, box))))
    theirs = Image.open(io.BytesIO(base64.b64decode(crop_in_base64(media.path(sha256), box))))
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def test_a_missing_playwright_is_one_sentence(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(Unavailable, match="requirements-dev.txt"), chromium():
        raise AssertionError("there is no browser")


def test_the_queue_is_measured_in_the_store_alone() -> None:
    out = io.StringIO()
    words = ["bench", "queue", "--traces", "200", "--repeats", "3", "--store-only", "--json"]
    assert main(words, {}, out) == 0
    found = json.loads(out.getvalue())
    assert found["traces"] == 200 and found["screen"] is None and found["store_target_ms"] == 10
    assert all(page["n"] == 3 and page["median_ms"] > 0 for page in found["store"]["pages"].values())
    assert {base["ratio"] > 0 for base in found["store"]["baseline"].values()} == {True}


def test_an_export_is_compared_with_reading_alone() -> None:
    out = io.StringIO()
    assert main(["bench", "export", "--traces", "100", "--json"], {}, out) == 0
    found = json.loads(out.getvalue())
    assert found["traces"] == 100 and found["read_only_per_s"] > 0
    for name in ("trace-json", "pixel-reasoner-sft"):
        assert found[name]["file_mb"] > 0 and found[name]["memory_mb"] >= found[name]["memory_first_tenth_mb"]


def test_a_look_at_the_train_screen_is_measured_against_reading_everything() -> None:
    out = io.StringIO()
    assert main(["bench", "train", "--traces", "200", "--repeats", "3", "--json"], {}, out) == 0
    found = json.loads(out.getvalue())
    assert found["traces"] == 200 and list(found)[-1] == "ratio" and found["ratio"] > 0
    assert [found[name]["n"] for name in ("unchanged", "look", "baseline")] == [3, 3, 3]


@pytest.mark.parametrize(
    "words",
    [["queue", "--traces", "9"], ["people", "--people", "0"], ["cache", "--answers", "0"], ["editor", "--drags", "0"]],
)
def test_sizes_that_measure_nothing_are_refused(words, capsys) -> None:
    assert main(["bench", *words], {}, io.StringIO()) == 2
    assert "a measurement needs" in capsys.readouterr().err


def measured(words: list[str], environment: dict[str, str]) -> dict:
    out = io.StringIO()
    assert main(["bench", *words, "--json"], environment, out) == 0
    found = json.loads(out.getvalue())
    return {name: part for name, part in found.items() if isinstance(part, dict)}


def test_speaking_together_is_compared_with_one_by_one_and_says_the_same(monkeypatch) -> None:
    monkeypatch.setattr("engine.opening._free_cores", lambda: 1)  # no tower apart: it takes some seconds to be there
    unquantised = {"STUDIO_QUANTIZATION": "none"}
    together = measured(["evaluate", "--answers", "2"], unquantised)
    assert [part["same_share"] for part in together.values()] == [1, 1]
    out = io.StringIO()
    words = ["bench", "serving", "--askers", "2", "--questions", "1", "--rounds", "1", "--json"]
    earlier = str(Path(__file__).parents[3])
    assert main([*words, "--against", earlier], unquantised, out) == 0
    found = json.loads(out.getvalue())
    assert found["against"] == "another checkout"
    assert list(found)[-2:] == ["same_share", "ratio"] and found["same_share"] == 1 and found["ratio"] > 0
    assert 0 < found["last_first_words"]["median_ms"] <= found["round"]["median_ms"]


def test_a_token_is_compared_with_one_of_generate() -> None:
    from engine.lab.bench import decode
    from engine.lab.bench.made_up import made_up_backbone

    backbone = made_up_backbone(layers=1, hidden_size=128, vocabulary=1000)
    found = decode._compared(backbone, lambda number: decode._told(backbone, "What?" * (number + 1)), 1)
    assert found["same_share"] == 1 and found["vocabulary"] == 1000 and found["tokens"] > 1
    # How much of a token's time it is, is for `make bench` to say: of five tokens on a busy machine it may come out above 1.
    assert math.isfinite(found["outside_share"]) and found["ratio"] > 0


def test_an_answer_and_a_rollout_are_compared_with_the_first_drafts() -> None:
    """The work differs, its outcome does not; by how much it differs is for `make bench` to say."""
    # In 4 bit the sums of bf16 come out otherwise without the cache, and an edge of a box may move by a hundredth.
    answers = measured(["cache", "--answers", "1"], {"STUDIO_QUANTIZATION": "none"})
    assert answers.keys() == {"mini-signs", "mini-clips"}
    assert all(part["same_share"] == 1 and part["ratio"] > 0 for part in answers.values())
    rollouts = measured(["rl", "--prompts", "1"], {})
    assert rollouts["rollouts"]["same_share"] >= 0.5 and rollouts["rollouts"]["ratio"] > 0
    assert rollouts["unpacked"]["same_share"] == 1  # bit for bit


def test_a_step_of_rl_is_compared_with_trls_own() -> None:
    """At a size that proves the way: both sides learn the same, and log-probabilities are those of single forwards."""
    from engine.lab.bench import grpo
    from engine.lab.bench.made_up import made_up_backbone

    small = made_up_backbone(layers=1, hidden_size=128, vocabulary=1000, tower_layers=3)
    found = grpo.measure(2, 2, lambda line: None, small)
    assert list(found)[-2:] == ["ratio", "max_log_prob_difference"] and found["rollouts"] == 4 and found["ratio"] > 0
    assert found["max_log_prob_difference"] <= grpo.TARGET_LOG_PROB_DIFFERENCE
    assert found["update_difference"] < 1e-3


def test_those_who_ask_while_an_adapter_trains_change_no_loss() -> None:
    from engine.backbone.loading import load_backbone
    from engine.embedded import weights_folder
    from engine.lab.bench import while_training

    backbone = load_backbone(str(weights_folder()))
    found = while_training.measure(backbone, 2, 1, questions=1, queries=1, progress=lambda line: None)
    assert found["is_same_loss"] and found["p95_ms"] > 0
    for run in ("sft", "grpo"):
        assert found[run]["asked"] >= 1 and found[run]["wait"]["max_ms"] <= found[run]["answer"]["max_ms"]
