"""A conversation as tokens, with its pictures, its labels, its positions and what attention should look at.

Idea: the texts are those of the protocol `studio`, the token order is the chat template's, the positions are those
of the stock `get_rope_index`; a test compares all three with the stock processor and model.

Invariant: only the assistant's turns that are worth imitating carry labels; an erroneous turn is read, never
learned.

Shapes: positions are three lists (time, row, column) as long as `ids`; a picture's tokens share one time, and the
text after it goes on behind the longer of its sides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from engine.lab.recipe.batches import Batch, join_views
from engine.lab.recipe.views import UNKNOWN, LabelledPicture

__all__ = ["Encode", "Sequence", "batch_of"]

EARLY, LATE, LAST = 1, 2, 3
"""What attention is pulled to: in layer 1 to what was just read or is looked for (EARLY), by its second head to what was pointed
at last (LAST), and from layer 2 on to what comes next (LATE)."""
Encode = Callable[[str], list[int]]


class Sequence:
    def __init__(self, encode: Encode, picture_id: int) -> None:
        self.encode, self.picture_id = encode, picture_id
        self.ids: list[int] = []
        self.labels: list[int] = []
        self.positions: tuple[list[int], list[int], list[int]] = ([], [], [])
        self.next_position = 0
        self.views: list[tuple[int, LabelledPicture]] = []
        self.pulls: list[tuple[int, int, int]] = []

    def add_text(self, text: str, is_learned: bool = False) -> slice:
        """Append a text; returns where its tokens stand."""
        tokens = self.encode(text)
        start = len(self.ids)
        self.ids += tokens
        self.labels += tokens if is_learned else [UNKNOWN] * len(tokens)
        for axis in self.positions:
            axis += range(self.next_position, self.next_position + len(tokens))
        self.next_position += len(tokens)
        return slice(start, len(self.ids))

    def add_view(self, view: LabelledPicture) -> int:
        """Append a picture between its marks; returns where its first token stands."""
        self.add_text("<|vision_start|>")
        start, rows, columns = len(self.ids), view.rows // 2, view.columns // 2
        self.views.append((start, view))
        self.ids += [self.picture_id] * view.tokens
        self.labels += [UNKNOWN] * view.tokens
        self.positions[0].extend([self.next_position] * view.tokens)
        self.positions[1].extend(self.next_position + k // columns for k in range(view.tokens))
        self.positions[2].extend(self.next_position + k % columns for k in range(view.tokens))
        self.next_position += max(rows, columns)
        self.add_text("<|vision_end|>")
        return start

    def begin_user(self) -> None:
        self.add_text("<|im_start|>user\n")

    def end_turn(self) -> None:
        self.add_text("<|im_end|>\n")

    def add_assistant(self, text: str, is_learned: bool = True) -> slice:
        """A whole assistant turn; returns where its text stands."""
        self.add_text("<|im_start|>assistant\n")
        where = self.add_text(text, is_learned)
        self.add_text("<|im_end|>", is_learned)
        self.add_text("\n")
        return where

    def pull_tokens(self, where: slice, wanted: frozenset[int], target: int) -> None:
        """While writing any of the `wanted` tokens there, attention should rest on the token at `target`."""
        self.pulls += [(k - 1, target, LATE) for k in range(where.start, where.stop) if self.ids[k] in wanted]


def batch_of(sequences: list[Sequence], kind: str) -> Batch:
    length = -(-max(len(one.ids) for one in sequences) // 16) * 16
    count = len(sequences)
    ids = np.zeros((count, length), np.int64)
    labels = np.full((count, length), UNKNOWN, np.int64)
    positions = np.zeros((3, count, length), np.int64)
    seen, starts, pulls = [], [], []
    for row, one in enumerate(sequences):
        used = len(one.ids)
        ids[row, :used] = one.ids
        labels[row, :used] = one.labels
        positions[:, row, :used] = one.positions
        for start, view in one.views:
            seen.append(view)
            starts.append(row * length + start)
        pulls += [(row, *pull) for pull in one.pulls]
    return Batch(
        **join_views(seen, starts),
        ids=torch.from_numpy(ids),
        labels=torch.from_numpy(labels),
        positions=torch.from_numpy(positions),
        pulls=torch.tensor(pulls, dtype=torch.long).view(-1, 4),
        kind=kind,
    )
