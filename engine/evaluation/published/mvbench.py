"""MVBench (arXiv 2311.17005): 20 tasks on videos; option letter, tasks apart, an empty answer is wrong.

Data set OpenGVLab/MVBench, revision `video`: json/TASK.json with 200 rows each, and the videos as single files (in the main
revision they lie in archives, and have to be cut). Fields: `video` (a file name), `question`, `candidates`, `answer` (the text
of one candidate), and in some tasks `start` and `end`, by which the files of this revision are cut already.

Known from: the file lists of both revisions, and lmms-eval's task mvbench, which reads the same revision and says in which
folder a task's videos lie. NTU RGB+D (fine_grained_pose) has a licence of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from engine.evaluation.published.source import Asked, Fetch, Published, Row
from engine.trace import Example

__all__ = ["FOLDERS", "MVBENCH"]

_DATASET, _REVISION = "OpenGVLab/MVBench", "video"
FOLDERS = {
    "action_antonym": "ssv2_video_mp4",
    "action_count": "perception/videos",
    "action_localization": "sta/sta_video_segment",
    "action_prediction": "star/Charades_segment",
    "action_sequence": "star/Charades_segment",
    "character_order": "perception/videos",
    "counterfactual_inference": "clevrer/video_validation",
    "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/video_fps3_hq_segment",
    "fine_grained_action": "Moments_in_Time_Raw/videos",
    "fine_grained_pose": "nturgbd_convert",
    "moving_attribute": "clevrer/video_validation",
    "moving_count": "clevrer/video_validation",
    "moving_direction": "clevrer/video_validation",
    "object_existence": "clevrer/video_validation",
    "object_interaction": "star/Charades_segment",
    "object_shuffle": "perception/videos",
    "scene_transition": "scene_qa/video",
    "state_change": "perception/videos",
    "unexpected_action": "FunQA_test/test",
}


def _rows(fetch: Fetch) -> Iterator[Row]:
    """One row of every task, then the next of every task, so that a limited run is of all tasks."""
    tasks = {task: json.loads(fetch(f"json/{task}.json").read_text(encoding="utf-8")) for task in FOLDERS}
    for number in range(max(len(rows) for rows in tasks.values())):
        for task, rows in tasks.items():
            if number < len(rows):
                yield {"task": task, **rows[number]}


def _asked(row: Row, fetch: Fetch) -> Iterable[Asked]:
    options = tuple(str(candidate) for candidate in row["candidates"])
    # What is not among the candidates can be right by no letter, so it stays unscored.
    letter = chr(ord("A") + options.index(row["answer"])) if row["answer"] in options else None
    video = fetch(f"{FOLDERS[row['task']]}/{row['video']}")
    yield Example(row["question"].strip(), (), letter, options, category=row["task"]), video


MVBENCH = Published("mvbench", _DATASET, _REVISION, 4_000, "letter", _rows, _asked)
