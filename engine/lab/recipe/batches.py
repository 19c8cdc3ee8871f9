"""Views and token sequences of many samples, laid side by side for one training step.

Idea: views are sorted by size, so that those of one size share one batched attention, and each says where in the
flattened sequences its tokens belong.

Shapes: P patches, T tokens of pictures, V views, B sequences of length L, K boxes, A attention targets.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch

from engine.lab.recipe.views import LabelledPicture

__all__ = ["Batch", "join_views", "vision_batch"]


@dataclass(frozen=True, slots=True)
class Batch:
    pixels: torch.Tensor  # (P, 588) bytes
    grids: torch.Tensor  # (V, 3): 1, rows, columns in patches
    characters: torch.Tensor  # (P,)
    orders: torch.Tensor  # (P,)
    colors: torch.Tensor  # (T,)
    shapes: torch.Tensor  # (T,)
    owner_colors: torch.Tensor  # (T,)
    owner_shapes: torch.Tensor  # (T,)
    kinds: torch.Tensor  # (P,)
    hues: torch.Tensor  # (P,)
    middles: torch.Tensor  # (P,)
    boxes: torch.Tensor  # (K, 5): token in T, then the box in hundredths
    ids: torch.Tensor  # (B, L); (0, 0) when there is only vision to train
    labels: torch.Tensor  # (B, L), -100 where nothing is to be predicted
    positions: torch.Tensor  # (3, B, L)
    places: torch.Tensor  # (T,): index into B * L
    pulls: torch.Tensor  # (A, 4): sequence, query position, key position, first layer
    kind: str

    def share_memory(self) -> Batch:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, torch.Tensor):
                value.share_memory_()
        return self


def join_views(views: list[LabelledPicture], starts: list[int] | None = None) -> dict[str, torch.Tensor]:
    """The picture half of a batch. `starts` gives each view's first index in the flattened sequences."""
    order = sorted(range(len(views)), key=lambda k: (views[k].rows * views[k].columns, views[k].columns))
    boxes, places, first = [], [], 0
    for k in order:
        view = views[k]
        if len(view.boxes):
            boxes.append(view.boxes + np.array([first, 0, 0, 0, 0], np.float32))
        if starts is not None:
            places.append(np.arange(starts[k], starts[k] + view.tokens))
        first += view.tokens
    empty = np.zeros(0, np.int64)
    return {
        "pixels": torch.from_numpy(np.concatenate([views[k].pixels for k in order])),
        "grids": torch.tensor([[1, views[k].rows, views[k].columns] for k in order]),
        **{
            name: torch.from_numpy(np.concatenate([getattr(views[k], name) for k in order]))
            for name in (
                "characters",
                "orders",
                "colors",
                "shapes",
                "owner_colors",
                "owner_shapes",
                "kinds",
                "hues",
                "middles",
            )
        },
        "boxes": torch.from_numpy(np.concatenate(boxes) if boxes else np.zeros((0, 5), np.float32)),
        "places": torch.from_numpy(np.concatenate(places) if places else empty),
    }


def vision_batch(views: list[LabelledPicture], kind: str = "vision") -> Batch:
    nothing = torch.zeros((0, 0), dtype=torch.long)
    return Batch(
        **join_views(views),
        ids=nothing,
        labels=nothing,
        positions=nothing,
        pulls=torch.zeros((0, 4), dtype=torch.long),
        kind=kind,
    )
