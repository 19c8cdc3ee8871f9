"""Pictures and clips as the vision tower takes them: patches within a pixel budget.

    pixels [p, d]   patches of one picture or clip
    grid [1, 3]     its (temporal patches, patch rows, patch columns)

Invariant: what a picture becomes does not depend on what is encoded beside it.

Not covered: what the tower makes of them (`engine.backbone.session`), and where they stand (`engine.backbone.positions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from engine.backbone.loading import Backbone, PixelBudget
from engine.protocols import protocol_named
from engine.protocols.budgets import smart_resize, within_aspect

__all__ = ["Clip", "Encoded", "Picture", "Seen", "as_shown", "clip_interval", "encode_seen", "shown_size"]

Encoded = tuple[torch.Tensor, torch.Tensor]
"""pixels and grid, on the CPU."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a user turn and the budget that it is shown at."""

    image: Image.Image
    budget: PixelBudget


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip in a user turn that goes in as one video: two frames are a temporal patch. All frames are of one size."""

    images: tuple[Image.Image, ...]
    budget: PixelBudget


Seen = Picture | Clip


def clip_interval(backbone: Backbone) -> int | None:
    """How many positions apart two temporal patches of a clip stand, where this backbone in its wire format takes a clip as
    one video; None where its frames are pictures. A temporal patch lasts one second, as in the released training."""
    if not protocol_named(backbone.protocol_name).CLIP_IS_ONE_VIDEO:
        return None
    a_second = getattr(backbone.model.config.vision_config, "tokens_per_second", None)
    return None if a_second is None else int(a_second)


def encode_seen(backbone: Backbone, seen: Sequence[Seen]) -> list[Encoded]:
    """Each picture or clip within its budget. Those of one size and budget go through the processor together, whose cost is
    for the most part that of a call."""
    pictures = [
        picture
        for one in seen
        for picture in ([one] if isinstance(one, Picture) else [Picture(image, one.budget) for image in one.images])
    ]
    encoded = iter(_encode_pictures(backbone, pictures))
    return [
        next(encoded) if isinstance(one, Picture) else _as_video(backbone, [next(encoded) for _ in one.images])
        for one in seen
    ]


def _encode_pictures(backbone: Backbone, pictures: Sequence[Picture]) -> list[Encoded]:
    alike: dict[tuple[tuple[int, int], PixelBudget], list[int]] = {}
    for number, picture in enumerate(pictures):
        alike.setdefault((picture.image.size, picture.budget), []).append(number)
    encoded: dict[int, Encoded] = {}
    for ((width, height), budget), numbers in alike.items():
        wanted = within_aspect((width, height))
        images = [pictures[number].image for number in numbers]
        if wanted != (width, height):
            images = [image.resize(wanted) for image in images]
        size = {"shortest_edge": budget.min_pixels, "longest_edge": budget.max_pixels}
        made = backbone.processor.image_processor(images=images, size=size, return_tensors="pt")
        grids = made["image_grid_thw"].split(1)
        patches = made["pixel_values"].split([int(grid.prod()) for grid in grids])
        encoded.update(zip(numbers, zip(patches, grids, strict=True), strict=True))
    return [encoded[number] for number in range(len(pictures))]


def _as_video(backbone: Backbone, frames: list[Encoded]) -> Encoded:
    if len(frames) % 2:
        frames.append(frames[-1])
    processor = backbone.processor.image_processor
    # A picture is two equal frames to the tower; a temporal patch takes the first half of one frame and the second of the next.
    layout = (-1, 3, processor.temporal_patch_size, processor.patch_size**2)
    pairs = zip(frames[::2], frames[1::2], strict=True)
    pixels = [
        torch.stack([first.reshape(layout)[:, :, 0], second.reshape(layout)[:, :, 1]], dim=2).flatten(1)
        for (first, _), (second, _) in pairs
    ]
    grid = frames[0][1].clone()
    grid[0, 0] = len(pixels)
    return torch.cat(pixels), grid


def as_shown(backbone: Backbone, picture: Picture) -> Image.Image:
    """The picture at the size that it is shown in, resized as the processor does it: encoded again within any budget that
    leaves it alone, it comes to the same patches."""
    # Imported here: only who has pictures shown elsewhere needs it.
    from torchvision.transforms.v2.functional import InterpolationMode, pil_to_tensor, resize, to_pil_image

    width, height = shown_size(backbone, picture.image.size, picture.budget)
    image = picture.image.convert("RGB").resize(within_aspect(picture.image.size))
    pixels = resize(pil_to_tensor(image), [height, width], InterpolationMode.BICUBIC, antialias=True)
    shown: Image.Image = to_pil_image(pixels)
    return shown


def shown_size(backbone: Backbone, size: tuple[int, int], budget: PixelBudget) -> tuple[int, int]:
    """(width, height) in pixels at which a picture of `size` is shown within its budget."""
    processor = backbone.processor.image_processor
    return smart_resize(size, budget, processor.patch_size * processor.merge_size)
