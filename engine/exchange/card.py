"""The card of a data set: what is in it, who has changed it, how far people agree, whether it looks where it should.

The idea: a tally goes over the dossiers that leave, one by one, and keeps numbers alone; no name of a person gets into a
card. What is counted where is said in the card itself.

Not covered: the rows and where they go (`engine.exchange.hub`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from engine import __version__
from engine.agreement import krippendorff_alpha
from engine.errors import InvalidInput
from engine.faithfulness import faithfulness
from engine.store import Dossier

__all__ = ["Tally", "require_licence"]

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LISTED = 20
"""How many policies or sources a table names."""


def require_licence(licence: str) -> str:
    """The identifier of a licence as the Hub writes it (cc-by-4.0, apache-2.0, other). Raises InvalidInput."""
    if not _LICENCE.fullmatch(licence):
        raise InvalidInput(
            f"a licence is written as the Hub does, such as cc-by-4.0, apache-2.0 or other, not {licence!r}"
        )
    return licence


@dataclass(slots=True)
class Tally:
    """What a card says, added up."""

    traces: int = 0
    questions: set[str] = field(default_factory=set)
    steps: int = 0
    operations: int = 0
    errors: int = 0
    erroneous: int = 0
    edited: int = 0
    scored: int = 0
    right: float = 0.0
    pretending: int = 0
    ignoring: int = 0
    seen: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Of operations whose evidence is known: how many, and the sum of the shares that they show."""
    verdicts: list[tuple[str, ...]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    media: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    policies: Counter[tuple[str, str]] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    revisions: Any = field(default_factory=hashlib.sha256)
    """Over the hashes of the heads, one after the other."""

    def add(self, dossier: Dossier) -> None:
        trace = dossier.trace
        asked = json.dumps([trace.question, [medium.sha256 for medium in trace.media]])
        self.traces += 1
        self.questions.add(hashlib.sha256(asked.encode()).hexdigest()[:16])
        self.steps += len(trace.steps)
        self.operations += sum(step.operation is not None for step in trace.steps)
        self.errors += trace.operation_errors
        self.erroneous += sum(step.is_erroneous for step in trace.steps)
        self.edited += dossier.revision_number > 1
        self.scored += dossier.score is not None
        self.right += dossier.score or 0.0
        labels = faithfulness(trace, dossier.example.evidence)
        self.kinds[labels.trajectory] += 1
        self.pretending += bool(labels.pretended)
        self.ignoring += bool(labels.ignored)
        shares = [share for share in labels.evidence_shares if share is not None]
        self.seen = [self.seen[0] + len(shares), self.seen[1] + sum(shares)]
        given = {one.reviewer: one.verdict for one in dossier.reviews if one.revision == dossier.revision}
        decided = tuple(verdict for verdict in given.values() if verdict != "skipped")
        if len(decided) > 1:
            self.verdicts.append(decided)
        self.media.update("clip" if medium.kind == "video" else "picture" for medium in trace.media)
        self.statuses[dossier.status] += 1
        self.policies[trace.policy, trace.protocol] += 1
        self.sources[dossier.example.source.partition("/")[0] or "unknown"] += 1
        self.revisions.update(dossier.revision.encode())

    def card(self, title: str, licence: str, repo: str) -> str:
        """README.md of the data set `repo`, whose file is train.parquet: its front matter, and the numbers. Raises
        InvalidInput for a licence that is none."""
        front = [
            "---",
            f"license: {require_licence(licence)}",
            f"pretty_name: {json.dumps(title, ensure_ascii=False)}",
            "tags:\n- pixel-reasoner-studio\n- visual-reasoning\n- tool-use",
            "task_categories:\n- visual-question-answering\n- image-text-to-text",
            f"size_categories:\n- {next((name for most, name in _SIZES if self.traces < most), 'n>1M')}",
            "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.parquet",
            "---",
        ]
        return "\n".join([*front, f"# {title}", "", *self._text(repo)]) + "\n"

    def _text(self, repo: str) -> list[str]:
        agreement = krippendorff_alpha(self.verdicts)
        alike = sum(len(set(one)) == 1 for one in self.verdicts)
        shown = (
            "unknown" if not self.seen[0] else f"{self.seen[1] / self.seen[0]:.1%} of {self.seen[0]:,.0f} operations"
        )
        return [
            "Attempts of vision-language models at questions about pictures and clips, in which they look closer by zooming in",
            "and by selecting frames, as people have reviewed and corrected them.",
            "",
            "    from datasets import load_dataset",
            f'    rows = load_dataset("{repo}", split="train")',
            "",
            "`messages`, `images` and `tools` are what TRL's SFTTrainer takes; `trace` is the attempt in the studio's own JSON,",
            "with boxes in the coordinates of the original. A clip is there as its 16 frames.",
            "",
            "| | |",
            "|---|---|",
            f"| traces | {self.traces:,} |",
            f"| questions | {len(self.questions):,} |",
            f"| media, counted with each trace | {_counted(self.media)} |",
            f"| steps | {self.steps:,}, {self.operations:,} of them operations |",
            f"| execution errors | {self.errors:,} |",
            f"| steps marked as erroneous | {self.erroneous:,} |",
            f"| kinds of trajectory | {_counted(self.kinds)} |",
            f"| status | {_counted(self.statuses)} |",
            f"| changed after the model's own version | {_share(self.edited, self.traces)} |",
            f"| right, of those with a gold answer | {_share(self.right, self.scored)} |",
            f"| agreement | {_agreement(agreement, alike, len(self.verdicts))} |",
            f"| pretend an operation (heuristic) | {_share(self.pretending, self.traces)} |",
            f"| ignore an execution error | {_share(self.ignoring, self.traces)} |",
            f"| evidence that operations show | {shown} |",
            "",
            "## Lineage",
            "",
            f"Exported by Pixel Reasoner Studio {__version__}; SHA-256 over the hashes of the revisions, in order:",
            f"`{self.revisions.hexdigest()}`.",
            "",
            "| policy | wire format | traces |",
            "|---|---|---|",
            *(
                f"| {_cell(policy)} | {_cell(wire)} | {n:,} |"
                for (policy, wire), n in self.policies.most_common(_LISTED)
            ),
            "",
            "| source of the question | traces |",
            "|---|---|",
            *(f"| {_cell(source)} | {n:,} |" for source, n in self.sources.most_common(_LISTED)),
        ]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.most_common()) or "none"


def _share(part: float, whole: int) -> str:
    return f"{part / whole:.1%} of {whole:,}" if whole else "none"


def _agreement(alpha: float | None, alike: int, total: int) -> str:
    if not total:
        return "no trace was reviewed by two people"
    said = "" if alpha is None else f"Krippendorff's alpha {alpha:.2f}; "
    return f"{said}{alike:,} of {total:,} traces that several people reviewed have one verdict"


def _cell(text: str) -> str:
    return re.sub(r"[|\s]+", " ", text).strip() or "unknown"
