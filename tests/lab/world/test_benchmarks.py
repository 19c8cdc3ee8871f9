"""The bundled benchmarks: repeatable, fresh, solvable from their evidence, and the same on disk as in memory."""

from __future__ import annotations

import io
import json
from itertools import islice

import pytest
from PIL import Image

from engine.commands.examples import BENCHMARK_NAMES
from engine.errors import InvalidInput
from engine.evaluation.benchmarks import MAX_COUNT, SEED_STRIDE, draw
from engine.evaluation.drawn import benchmark_named
from engine.evaluation.examples import pose, read_examples
from engine.evaluation.hits import LARGEST_HIT_AREA
from engine.evaluation.scoring import score_answer
from engine.evaluation.writing import write_examples
from engine.lab.world import benchmarks
from engine.lab.world.benchmarks import BENCHMARKS
from engine.lab.world.scenes import SEEDS
from engine.trace import CLIP_FRAMES

every = pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda benchmark: benchmark.name)
RULES = {"mini-vstar": "letter", "mini-tally": "number", "mini-info": "anls", "mini-mv": "letter"}
MINIATURES = tuple(benchmark for benchmark in BENCHMARKS if benchmark.name in RULES)
of_signs = pytest.mark.parametrize("benchmark", BENCHMARKS[:4], ids=lambda benchmark: benchmark.name)
miniature = pytest.mark.parametrize("benchmark", MINIATURES, ids=lambda benchmark: benchmark.name)


@every
def test_the_same_seed_draws_the_same(benchmark):
    assert list(draw(benchmark, 2, 3)) == list(draw(benchmark, 2, 3))


@of_signs
def test_no_seed_was_ever_trained_on_and_no_two_seeds_share_a_scene(benchmark, monkeypatch):
    asked = []
    draw_one = "draw_scene" if benchmark.kind == "image" else "draw_clip"
    original = getattr(benchmarks, draw_one)
    monkeypatch.setattr(benchmarks, draw_one, lambda seed, split: asked.append((seed, split)) or original(seed, split))
    for seed in (0, 1, 9_999):
        list(draw(benchmark, 1, seed))
    assert len({seed for seed, _ in asked}) == 3
    for seed, split in asked:
        assert split in ("test", "heldout")
        assert seed not in SEEDS["train"]
        assert seed not in SEEDS["validation"]
    assert MAX_COUNT < SEED_STRIDE


@of_signs
def test_an_example_is_complete_and_its_evidence_can_be_hit(benchmark):
    for drawn in draw(benchmark, 2, 1):
        posed = pose(drawn)
        example = posed.example
        (medium,) = example.media
        assert medium.kind == benchmark.kind
        assert list(posed.pictures) == [medium.sha256]
        assert score_answer(drawn.example.answer, example) == 1.0
        if benchmark.kind == "image":
            (box,) = example.evidence.boxes
            assert box.area < LARGEST_HIT_AREA / 4
            assert not example.evidence.frames
        else:
            assert not example.evidence.boxes
            assert set(example.evidence.frames) <= set(range(1, CLIP_FRAMES + 1))
            assert len(posed.pictures[medium.sha256].frames) == CLIP_FRAMES


def test_the_evidence_frames_of_a_clip_survive_the_codec():
    """Frame k of the drawn clip is frame k of the loaded one: each decoded frame is nearest to its own original."""
    import numpy as np

    from engine.lab.world.clips import draw_clip
    from engine.lab.world.scenes import seed_for

    drawn = next(draw(benchmark_named("mini-clips"), 1))
    (loaded,) = pose(drawn).pictures.values()
    originals = [np.asarray(frame, dtype=float) for frame in draw_clip(seed_for("test", 0), "test").frames]
    for number in drawn.example.evidence.frames:
        decoded = np.asarray(loaded.picture(number), dtype=float)
        distances = [np.abs(decoded - original).mean() for original in originals]
        assert distances[number - 1] == min(distances)
        assert distances[number - 1] < 4


def test_scenes_without_signs_are_passed_over(monkeypatch):
    from engine.lab.world.scenes import Scene

    original = benchmarks.draw_scene
    monkeypatch.setattr(
        benchmarks,
        "draw_scene",
        lambda seed, split: (
            original(seed, split) if seed % 2 else Scene(original(seed, split).picture, (), seed, split)
        ),
    )
    drawn = list(draw(benchmark_named("mini-signs"), 2))
    assert [one.name for one in drawn] == ["mini-signs-0-00001", "mini-signs-0-00003"]


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (-1, 0), (MAX_COUNT + 1, 0), (1, -1), (1, 10_000)])
def test_impossible_counts_and_seeds_are_refused_before_drawing(count, seed):
    with pytest.raises(InvalidInput):
        draw(BENCHMARKS[0], count, seed)


def test_the_names_in_the_help_are_those_that_exist():
    assert ", ".join(benchmark.name for benchmark in BENCHMARKS) == BENCHMARK_NAMES
    assert benchmark_named("maxi-signs") is None


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("mini-signs", set()),
        ("mini-clips", set()),
        ("mini-info", {"rule", "category", "difficulty"}),
        ("mini-mv", {"rule", "category", "difficulty", "options"}),
    ],
)
def test_what_is_written_is_what_is_evaluated(name, marks, tmp_path):
    drawn = list(draw(benchmark_named(name), 2))
    path = write_examples(iter(drawn), tmp_path / "out")
    lines = read_examples(path)
    read, posed = [pose(line) for line in lines], [pose(one) for one in drawn]
    assert [one.example for one in read] == [one.example for one in posed]
    raw = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(set(record) == {"question", "media", "answer", "evidence", "source"} | marks for record in raw)
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(
        ["EXAMPLES.jsonl", *(record["media"] for record in raw)]
    )


def test_examples_of_a_person_are_never_overwritten(tmp_path):
    (tmp_path / "EXAMPLES.jsonl").write_text("mine")
    with pytest.raises(InvalidInput, match="already holds"):
        write_examples(iter(()), tmp_path)
    assert (tmp_path / "EXAMPLES.jsonl").read_text() == "mine"


def test_drawing_is_lazy():
    assert len(list(islice(draw(BENCHMARKS[0], MAX_COUNT), 1))) == 1


# --- the paper's four in miniature ----------------------------------------------------------------------------------


@miniature
def test_a_miniature_is_marked_and_its_gold_answer_is_right(benchmark):
    (drawn,) = draw(benchmark, 1, 1)
    posed = pose(drawn)
    (medium,) = posed.example.media
    assert medium.kind == benchmark.kind
    assert posed.example.rule == RULES[benchmark.name]
    assert posed.example.category
    assert posed.example.difficulty in ("easy", "hard")
    assert score_answer(drawn.example.answer, posed.example) == 1.0
    assert score_answer(None, posed.example) == 0.0
    wrong = {"letter": "A" if drawn.example.answer != "A" else "B", "number": "77", "anls": "~~~~~~~~~~"}[
        RULES[benchmark.name]
    ]
    assert score_answer(wrong, posed.example) == 0.0


@miniature
def test_neither_name_nor_file_tells_the_answer(benchmark):
    """A name is a number; a picture carries no text, and what is asked is not in the file's head."""
    for drawn in draw(benchmark, 2, 2):
        assert drawn.name.rpartition("-")[0] == f"{benchmark.name}-2"
        (content,) = drawn.files
        assert drawn.example.question.encode() not in content
        if benchmark.kind == "image":
            assert set(Image.open(io.BytesIO(content)).info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
            }


@miniature
def test_splits_of_a_miniature_differ(benchmark):
    drawn = [next(draw(benchmark, 1, 0, split)) for split in ("train", "validation", "test")]
    assert len({one.files for one in drawn}) == 3
    assert [one.name for one in drawn] == [
        f"{benchmark.name}{infix}-0-00000" for infix in ("-train", "-validation", "")
    ]
    with pytest.raises(InvalidInput, match="heldout"):
        draw(benchmark, 1, 0, "heldout")


def test_signs_are_never_drawn_from_what_the_embedded_reasoner_trains_on():
    for benchmark in BENCHMARKS[:4]:
        with pytest.raises(InvalidInput, match="no split 'train'"):
            draw(benchmark, 1, 0, "train")
