"""Media: pictures and videos from people, validated, named by their hash, and decoded to upright RGB pictures.

`formats` says what is accepted and recognises it by content; `picture`, `animation` and `video` decode (`jpeg_xl` reads a
header before its decoder, `containers` finds truncated videos, `sampling` chooses a clip's frames); `loaded` puts them
together; `folder` stores originals and derived pictures (`cache` bounds what stays in memory); `clip` writes videos.

Not covered: operations on views (`engine.operations`), names and owners of media (`engine.store`).
"""

from engine.media.clip import write_clip
from engine.media.folder import THUMBNAIL_SIDES_PX, MediaFolder, Waiting
from engine.media.formats import (
    ACCEPTED,
    ACCEPTED_EXTENSIONS,
    DEFAULT_LIMITS,
    IMAGE_FORMATS,
    VIDEO_FORMATS,
    Format,
    MediaLimits,
    accepted_sentence,
    read_head,
    sniff,
)
from engine.media.loaded import LoadedMedia, Pictures, load_media
from engine.media.sampling import Sampling

__all__ = [
    "ACCEPTED",
    "ACCEPTED_EXTENSIONS",
    "DEFAULT_LIMITS",
    "IMAGE_FORMATS",
    "THUMBNAIL_SIDES_PX",
    "VIDEO_FORMATS",
    "Format",
    "LoadedMedia",
    "MediaFolder",
    "MediaLimits",
    "Pictures",
    "Sampling",
    "Waiting",
    "accepted_sentence",
    "load_media",
    "read_head",
    "sniff",
    "write_clip",
]
