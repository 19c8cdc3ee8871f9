"""`python -m engine COMMAND`: the studio without its screens.

Invariants: what a command was asked for is all that reaches standard output; libraries that print, and their progress
bars, end on standard error. Bad input ends with exit status 2 and one sentence, damaged data with 1, Ctrl-C with 130.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TextIO

from engine import __version__
from engine.commands import (
    adapter,
    ask,
    backup,
    bundle,
    collect,
    compare,
    delete,
    evaluate,
    examples,
    export,
    import_data,
    people,
    push,
    space,
    synthesize,
    train,
    verify,
)
from engine.errors import IntegrityError, PersonError
from engine.settings import Settings

__all__ = ["command_line", "main"]

_COMMANDS: Mapping[str, ModuleType] = {
    "adapter": adapter,
    "ask": ask,
    "backup": backup,
    "bundle": bundle,
    "collect": collect,
    "compare": compare,
    "delete": delete,
    "evaluate": evaluate,
    "examples": examples,
    "export": export,
    "import": import_data,
    "people": people,
    "push": push,
    "space": space,
    "synthesize": synthesize,
    "train": train,
    "verify": verify,
}


def _commands() -> Mapping[str, ModuleType]:
    """By name; those of the lab where it is part of this installation."""
    try:
        from engine.lab.commands import COMMANDS
    except ModuleNotFoundError as error:
        if error.name not in ("engine.lab", "engine.lab.commands"):  # the lab is there, and something it needs is not
            raise
        return _COMMANDS
    return {**_COMMANDS, **COMMANDS}


def command_line() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description="Pixel Reasoner Studio on the command line. Settings come from STUDIO_... variables (see README).",
    )
    parser.add_argument("--version", action="version", version=f"Pixel Reasoner Studio {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name, module in sorted(_commands().items()):
        summary = module.SUMMARY
        module.configure(commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + "."))
    return parser


def main(words: Sequence[str], environment: Mapping[str, str], out: TextIO) -> int:
    """Run one command; its results go to `out`. Returns the exit status; raises SystemExit for --help and bad usage."""
    parser = command_line()
    arguments = parser.parse_args(words)
    if arguments.command is None:
        parser.print_help(out)
        return 0
    try:
        return _commands()[arguments.command].run(arguments, Settings.from_environment(environment), out)
    except PersonError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except IntegrityError as error:
        print(f"error: stored data contradicts itself: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _own_standard_output() -> TextIO:
    """Standard output for us alone: whoever else writes to it from now on, down to the C libraries, writes to standard
    error."""
    sys.stdout.flush()
    encoding = sys.stdout.encoding or "utf-8"
    own = open(os.dup(1), "w", encoding=encoding, errors="replace")  # noqa: SIM115
    os.dup2(2, 1)
    return own


if __name__ == "__main__":
    is_answered_by_the_parser = not sys.argv[1:] or {"-h", "--help", "--version"} & set(sys.argv[1:])
    out = sys.stdout if is_answered_by_the_parser else _own_standard_output()
    try:
        status = main(sys.argv[1:], os.environ, out)
        out.flush()
    except BrokenPipeError:  # whoever read us (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        status = 141
    sys.exit(status)
