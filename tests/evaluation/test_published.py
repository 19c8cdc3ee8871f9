"""The published benchmarks on rows made by hand in the schema of their data sets: nothing here is on the network."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from engine.commands.evaluate import CROP_NAMES, PROJECT_NAMES, PUBLISHED_NAMES
from engine.errors import InvalidInput, Unavailable
from engine.evaluation.conventions.projects import PROJECTS
from engine.evaluation.crops import CROPS
from engine.evaluation.published.benchmarks import PUBLISHED, published_named
from engine.evaluation.published.hrbench import HR_BENCH_4K
from engine.evaluation.published.infographicsvqa import INFOGRAPHICSVQA
from engine.evaluation.published.mvbench import FOLDERS, MVBENCH
from engine.evaluation.published.source import Fetch, Published, Row, download, pose_published, stream
from engine.evaluation.published.tallyqa import TALLYQA_COMPLEX
from engine.evaluation.published.visualprobe import VISUALPROBE_HARD
from engine.evaluation.published.vstar import VSTAR, read_question
from engine.evaluation.scoring import score_answer
from engine.media import write_clip
from engine.trace import Box

VSTAR_TEXT = (
    "What is the material of the glove?\n(A) rubber\n(B) cotton\n(C) kevlar\n(D) leather\n"
    "Answer with the option's letter from the given choices directly."
)


def jpeg(color: str = "red", size: tuple[int, int] = (200, 150)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def from_folder(folder: Path) -> Fetch:
    """A repository that lies in a folder; what is not there cannot be read."""

    def fetch(path: str) -> Path:
        if not (folder / path).is_file():
            raise Unavailable(path)
        return folder / path

    return fetch


def posed(benchmark: Published, *rows: Row):
    return list(
        pose_published(dataclasses.replace(benchmark, rows=lambda fetch: rows), fetch=from_folder(Path("/nowhere")))
    )


def test_the_names_in_the_help_are_those_that_exist():
    assert ", ".join(benchmark.name for benchmark in PUBLISHED) == PUBLISHED_NAMES
    assert CROP_NAMES == CROPS
    assert tuple(project.name for project in PROJECTS) == PROJECT_NAMES
    assert published_named("vstar") is VSTAR
    assert published_named("VSTAR") is None


# --- V* -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def vstar_repository(tmp_path: Path) -> Path:
    rows = [
        {
            "image": "direct_attributes/sa_4690.jpg",
            "text": VSTAR_TEXT,
            "label": "A",
            "category": "direct_attributes",
            "question_id": 0,
        },
        {
            "image": "relative_position/sa_1.jpg",
            "text": "Is the dog on the left or right side of the cat?\n(A) right\n(B) left\nAnswer with the letter.",
            "label": "B",
            "category": "relative_position",
            "question_id": 1,
        },
    ]
    (tmp_path / "test_questions.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    for row in rows:
        (tmp_path / row["image"]).parent.mkdir(exist_ok=True)
        (tmp_path / row["image"]).write_bytes(jpeg(size=(2000, 1500)))
    labels = {"target_object": ["glove"], "bbox": [[564, 142, 155, 157]], "question": "...", "options": []}
    (tmp_path / "direct_attributes/sa_4690.json").write_text(json.dumps(labels))
    return tmp_path


def test_vstar(vstar_repository):
    one, two = pose_published(VSTAR, fetch=from_folder(vstar_repository))
    assert one.example.question == "What is the material of the glove?"
    assert one.example.options == ("rubber", "cotton", "kevlar", "leather")
    assert (one.example.rule, one.example.category) == ("letter", "direct_attributes")
    assert one.example.evidence.boxes == (Box(564 / 2000, 142 / 1500, 719 / 2000, 299 / 1500),)
    assert score_answer("(A) rubber", one.example) == 1.0
    assert score_answer("B", one.example) == score_answer("", one.example) == 0.0
    assert (two.example.category, two.example.options, two.example.evidence) == (
        "relative_position",
        ("right", "left"),
        None,
    )
    assert score_answer("left", two.example) == 1.0


def test_a_limited_run_loads_no_more_than_it_needs(vstar_repository):
    (vstar_repository / "relative_position/sa_1.jpg").unlink()
    assert len(list(pose_published(VSTAR, 1, fetch=from_folder(vstar_repository)))) == 1
    with pytest.raises(Unavailable):  # never left out silently
        list(pose_published(VSTAR, fetch=from_folder(vstar_repository)))


def test_a_text_without_options_is_refused():
    assert read_question("Where?\n\n(A) here\n(B) there") == ("Where?", ("here", "there"))
    for text in ("Where?", "Where?\n(B) there\n(A) here"):
        with pytest.raises(InvalidInput, match="V\\*"):
            read_question(text)


# --- TallyQA, InfographicsVQA, HR-Bench -----------------------------------------------------------------------------


def test_tallyqa_takes_what_is_not_simple():
    questions = [
        {"question": "How many dogs?", "answer": "2", "is_simple": True},
        {"question": "How many red dots are on the blue board?", "answer": "3", "is_simple": False},
        {"question": "How many people sit?", "answer": "0", "is_simple": False},
    ]
    one, two = posed(TALLYQA_COMPLEX, {"image": {"bytes": jpeg(), "path": None}, "qa": questions})
    assert one.example.question.startswith("How many red dots are on the blue board?\n")
    assert one.example.rule == "number"
    assert score_answer("There are three.", one.example) == 1.0
    assert score_answer("13", one.example) == score_answer("", one.example) == 0.0
    assert score_answer("zero", two.example) == 1.0
    assert one.example.media == two.example.media


def test_infographicsvqa_takes_the_best_of_its_answers():
    row = {
        "questionId": "98313",
        "question": "Which social platform has heavy female audience?",
        "answers": ["pinterest", "Pinterest.com"],
        "answer_type": ["single span"],
        "image": {"bytes": jpeg(), "path": None},
        "image_url": "",
        "operation/reasoning": [],
        "ocr": "[]",
        "data_split": "val",
    }
    one, unscored = posed(INFOGRAPHICSVQA, row, row | {"answers": None})
    assert one.example.rule == "anls"
    assert (one.example.answer, one.example.other_answers) == ("pinterest", ("Pinterest.com",))
    assert score_answer("PINTEREST.COM ", one.example) == 1.0
    assert score_answer("pinterst", one.example) == pytest.approx(8 / 9)  # one letter of nine is missing
    assert score_answer("facebook", one.example) == 0.0
    assert score_answer("facebook", unscored.example) is None


def test_hr_bench():
    row = {
        "index": 0,
        "question": "What is the number of the bus? ",
        "answer": "C",
        "category": "single",
        "A": "12",
        "B": "21",
        "C": "7",
        "D": "17",
        "cycle_category": "abcd",
        "image": base64.b64encode(jpeg(size=(400, 200))).decode(),
    }
    (one,) = posed(HR_BENCH_4K, row)
    assert (one.example.question, one.example.options) == ("What is the number of the bus?", ("12", "21", "7", "17"))
    assert (one.example.rule, one.example.category, one.example.media[0].width) == ("letter", "single", 400)
    assert score_answer("C. 7", one.example) == 1.0
    assert score_answer("7", one.example) == 1.0


# --- MVBench --------------------------------------------------------------------------------------------------------


def test_mvbench_interleaves_its_tasks(tmp_path):
    (tmp_path / "json").mkdir()
    for task, folder in FOLDERS.items():
        rows = [
            {"video": f"{k}.mp4", "question": f"{task} {k}?", "candidates": ["yes", "no", "not sure"], "answer": answer}
            for k, answer in enumerate(("no", "maybe"))
        ]
        (tmp_path / "json" / f"{task}.json").write_text(json.dumps(rows))
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    # Two tasks more than there are, so that the second row of the first is among them.
    write_clip([Image.new("RGB", (64, 48), color) for color in ("red", "green")] * 4, tmp_path / "0.mp4", 4)
    for folder in set(FOLDERS.values()):
        for name in ("0.mp4", "1.mp4"):
            (tmp_path / folder / name).write_bytes((tmp_path / "0.mp4").read_bytes())
    examples = list(pose_published(MVBENCH, 21, fetch=from_folder(tmp_path)))
    assert [one.example.category for one in examples] == [*FOLDERS, next(iter(FOLDERS))]
    assert len(FOLDERS) == 20
    first, last = examples[0], examples[-1]
    assert first.example.media[0].kind == "video"
    assert (first.example.answer, first.example.options) == ("B", ("yes", "no", "not sure"))
    assert score_answer("(B) no", first.example) == 1.0
    assert score_answer("", first.example) == 0.0  # an empty answer is wrong
    assert (last.example.question, last.example.answer) == ("action_antonym 1?", None)  # no candidate: unscored


# --- the Hub --------------------------------------------------------------------------------------------------------


def test_rows_are_streamed_with_pictures_undecoded(tmp_path):
    """The real library on a data set that lies in a folder."""
    import datasets

    features = datasets.Features({"question": datasets.Value("string"), "image": datasets.Image()})
    made = datasets.Dataset.from_dict(
        {"question": ["one", "two"], "image": [{"bytes": jpeg("blue"), "path": None}] * 2}, features=features
    )
    made.to_parquet(tmp_path / "rows.parquet")
    rows = list(stream(str(tmp_path), None, "train", "rows.parquet"))
    assert [row["question"] for row in rows] == ["one", "two"]
    assert rows[0]["image"]["bytes"] == jpeg("blue")


def test_without_network_a_person_is_told():
    """HF_HUB_OFFLINE is set for all tests."""
    with pytest.raises(Unavailable, match=r"lmms-lab/DocVQA cannot be read .* HF_HUB_OFFLINE"):
        next(stream("lmms-lab/DocVQA", "InfographicVQA", "validation"))
    with pytest.raises(Unavailable, match=r"craigwu/vstar_bench/x\.json cannot be read"):
        download("craigwu/vstar_bench", "x.json")


def test_visualprobe_takes_its_own_name_off_a_path(tmp_path):
    rows = [
        {
            "images": [f"{folder}data/1.jpg"],
            "problem": "<image>\nWhat is on the cup?",
            "solution": " a star ",
            "doc_id": k,
        }
        for k, folder in enumerate(("VisualProbe_Hard/", "", "./"))
    ]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.jpg").write_bytes(jpeg())
    (tmp_path / "val.json").write_text(json.dumps(rows))
    found = list(pose_published(VISUALPROBE_HARD, fetch=from_folder(tmp_path)))
    assert [one.example.question for one in found] == ["What is on the cup?"] * 3
    assert (found[0].example.answer, found[0].example.source) == ("a star", "visualprobe-hard/1")
    assert score_answer("A star.", found[0].example) == 1.0
