"""`synthesize EXAMPLES --out DIR`: trajectories of the paper's kinds from examples whose evidence is known."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TextIO

from engine.settings import PROTOCOLS, Settings

ACTION = "synthesize"
SUMMARY = "make trajectories to learn from, in the paper's kinds and shares, from examples with evidence"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("examples", metavar="EXAMPLES", help="an EXAMPLES.jsonl, as `examples` writes it or your own")
    parser.add_argument("--out", metavar="DIR", required=True, help="a folder for TRACES.jsonl and the media")
    parser.add_argument("--count", metavar="N", type=int, help="how many trajectories (default: one for each example)")
    parser.add_argument("--seed", metavar="K", type=int, default=0, help="another seed, other errors (default: 0)")
    parser.add_argument(
        "--text-share",
        metavar="S",
        type=float,
        help="the share that answers without an operation, 0 to 1 (default: the paper's 2,000 of 7,500)",
    )
    parser.add_argument(
        "--teacher",
        metavar="P",
        help="who words the thoughts: tiny, scripted, a model's folder or an id of the Hub (default: templates)",
    )
    parser.add_argument("--protocol", metavar="N", default="studio", help=f"{', '.join(PROTOCOLS)} (default: studio)")
    parser.add_argument(
        "--record",
        action="store_true",
        help="also record them in the studio's store, for `train sft --traces synthesis`",
    )
    parser.add_argument("--json", action="store_true", help="print the counts as one JSON object")


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import InvalidInput
    from engine.evaluation.examples import Posed, pose, read_examples
    from engine.media import MediaFolder
    from engine.opening import media_limits, open_media, open_policy, open_store
    from engine.protocols import protocol_named
    from engine.synthesis.kinds import TEXT_SHARE, plan
    from engine.synthesis.recording import FILE_NAME, Trajectory, record_trajectory, trajectory_line
    from engine.synthesis.trajectories import POLICY, synthesize
    from engine.synthesis.wording import taught_by, templates

    text_share = TEXT_SHARE if arguments.text_share is None else arguments.text_share
    if not 0 <= text_share <= 1:
        raise InvalidInput(f"--text-share takes a share from 0 to 1, not {text_share:g}")
    if arguments.count is not None and arguments.count < 1:
        raise InvalidInput(f"--count takes a whole number from 1, not {arguments.count}")
    protocol = protocol_named(arguments.protocol)
    lines = read_examples(Path(arguments.examples))
    target = Path(arguments.out) / FILE_NAME
    if target.exists():
        raise InvalidInput(f"{target} is there already; choose another folder")
    teacher = None if arguments.teacher is None else open_policy(settings, arguments.teacher)
    wording = templates if teacher is None else taught_by(teacher)
    policy = POLICY if teacher is None else f"{POLICY} with {teacher.name}"
    planned = plan(
        [(line.example.answer, line.example.evidence) for line in lines],
        protocol.CROP_RULE,
        count=arguments.count,
        seed=arguments.seed,
        text_share=text_share,
    )
    left_out = [(lines[index].name, reason) for index, reason in planned.left_out]
    counts: Counter[str] = Counter()
    limits = media_limits(settings)
    Path(arguments.out).mkdir(parents=True, exist_ok=True)
    folder = MediaFolder(Path(arguments.out) / "media", limits, sampling=protocol.CLIP_SAMPLING)
    studio = open_media(settings) if arguments.record else None
    unfinished = target.with_name(FILE_NAME + ".part")
    made: list[Trajectory] = []
    posed: tuple[int, Posed] | None = None
    with unfinished.open("w", encoding="utf-8") as file:
        for one in planned.trajectories:
            line = lines[one.example]
            if posed is None or posed[0] != one.example:
                posed = one.example, pose(line, limits, protocol.CLIP_SAMPLING)
                for path in line.files:
                    folder.take(path)
                    if studio is not None:
                        studio.take(path, protocol.CLIP_SAMPLING)
            example, pictures = posed[1].example, posed[1].pictures
            try:
                trace = synthesize(example, pictures, one.kind, one.seed, protocol, wording, policy=policy)
            except InvalidInput as error:
                left_out.append((line.name, str(error)))
                continue
            trajectory = Trajectory(trace, one.kind, example)
            file.write(trajectory_line(trajectory) + "\n")
            counts[one.kind] += 1
            if studio is not None:
                made.append(trajectory)
    unfinished.replace(target)
    if studio is not None:
        with open_store(settings) as store, store.transaction():
            for trajectory in made:
                record_trajectory(store, studio, trajectory)
    for where, reason in left_out:
        print(f"{where}: left out: {reason}", file=sys.stderr)
    if arguments.json:
        told = {"file": str(target), "n": sum(counts.values()), "kinds": dict(counts), "left_out": len(left_out)}
        print(json.dumps(told), file=out)
    else:
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        print(f"{sum(counts.values())} trajectories in {target}: {kinds or 'none'}", file=out)
    return 0
