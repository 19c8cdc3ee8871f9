"""`space deploy`: a Hugging Face Space made of this installation, or brought up to it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TextIO

from engine.settings import Settings

ACTION = "deploy"
SUMMARY = "make a Hugging Face Space of this studio, or bring one up to it, as spaces.yaml declares"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("deploy",))
    parser.add_argument("space", metavar="OWNER/NAME")
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.add_argument("--secrets", action="store_true", help="set the secrets anew, also those that are there")
    parser.epilog = "The token is read from HF_TOKEN; a secret NAME from SPACE_NAME."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.hosting.space import carry_out, look_at, plan, read_declared

    root = Path(__file__).resolve().parents[2]
    declared = read_declared(root, arguments.space, os.environ)
    acts = plan(declared, look_at(arguments.space), is_setting_secrets=arguments.secrets)
    for act in acts:
        print(f"{'would ' if arguments.plan and act.do else ''}{act.sentence}", file=out)
    if not any(act.do for act in acts):
        print(f"{arguments.space} is as spaces.yaml declares it", file=out)
    elif not arguments.plan:
        carry_out(arguments.space, acts)
        print(f"{arguments.space} is deployed", file=out)
    return 0
