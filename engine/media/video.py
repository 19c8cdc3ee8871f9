"""A video, sampled evenly to CLIP_FRAMES upright RGB frames with their times.

The idea: one pass over the packets, which decodes nothing, finds every frame's time and the keyframes; then only the
wanted frames (`sampling`) are decoded, each reached from the keyframe before it.

What a player does is done here: a frame is turned and mirrored as its display matrix says; pixels that are not square are
stretched the longer way, so that none is lost; transparency lies on white; PQ and HLG are brought to sRGB
(`high_dynamic_range`); a cover picture is not the clip.

Invariants: size, duration and number of frames are checked from header and packets before anything is decoded; never
more than CLIP_FRAMES decoded frames are held; frames keep the video's own size, so that crops are made of its pixels.
FFmpeg is told the container that `sniff` saw and reads through our file object: it can open nothing else (playlists
and scripts that name other files or addresses are no danger).

Not covered: sound; Dolby Vision and other layers beside the base picture; the alpha layer of HEVC. A frame whose size
differs from the first (a call recorded while the network got worse) is scaled to the first's.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, cast

import av
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from engine.errors import InvalidMedia
from engine.media.containers import require_whole
from engine.media.formats import Format, MediaLimits
from engine.media.high_dynamic_range import HLG, PQ, to_srgb
from engine.media.picture import flatten, require_size
from engine.media.sampling import Sampling, require_duration, sampled

__all__ = ["decode_clip", "has_several_frames"]

_NO_CLIP = Disposition.attached_pic | Disposition.timed_thumbnails

_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these read no transparency, the library's do."""


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Presentation times of all frames, sorted, and (presentation, decoding) times of the keyframes, in time_base."""

    frames: list[int]
    keyframes: list[tuple[int, int]]


def decode_clip(
    file: BinaryIO, format: Format, limits: MediaLimits, sampling: Sampling
) -> tuple[tuple[Image.Image, ...], tuple[float, ...]]:
    """(frames, times): CLIP_FRAMES upright RGB pictures, and their times in seconds from the first frame of the video.
    Raises InvalidMedia with one sentence."""
    require_whole(file, format)
    try:
        with _open(file, format) as container:
            stream = _stream(container, format, limits)
            timeline = _scan(container, stream, format, limits)
            wanted = [timeline.frames[index] for index in sampled(timeline.frames, sampling)]
            time_base = stream.time_base
        assert time_base is not None
        times = tuple(float((pts - timeline.frames[0]) * time_base) for pts in wanted)
        with _open(file, format) as container:
            stream = _stream(container, format, limits)
            # Guards the decoder against a size that grows in mid-stream; coded sizes are rounded up to whole blocks.
            stream.codec_context.options = {"max_pixels": str(limits.max_frame_pixels * 2)}
            aspect = _pixel_aspect(stream)
            frames: dict[int, Image.Image] = {}
            for pts, frame in _seek_frames(container, stream, sorted(set(wanted)), timeline.keyframes):
                picture = _shown(frame, aspect)
                size = next(iter(frames.values())).size if frames else picture.size
                frames[pts] = picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)
    except (av.FFmpegError, OSError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise InvalidMedia(
            f"This {format.name} video is damaged or truncated ({detail}); a whole {format.name} file is needed."
        ) from error
    if len(frames) < len(set(wanted)):
        raise InvalidMedia(
            f"This {format.name} video is damaged: of {len(set(wanted))} frames only {len(frames)} could be decoded; "
            f"a whole {format.name} file is needed."
        )
    require_size(frames[wanted[0]].size, "video frame", limits.max_frame_pixels, limits)
    return tuple(frames[pts] for pts in wanted), times


def has_several_frames(file: BinaryIO, format: Format) -> bool:
    """Whether a GIF is animated; reads no further than its second frame and decodes nothing."""
    try:
        with _open(file, format) as container:
            packets = (packet for packet in container.demux(video=0) if packet.size)
            return next(packets, None) is not None and next(packets, None) is not None
    except (av.FFmpegError, OSError, IndexError):
        return False  # whatever is wrong, the picture decoder will say it better


def _open(file: BinaryIO, format: Format) -> InputContainer:
    file.seek(0)
    # GIF is a picture format, but its animations come through here.
    # Tags are not looked at, and cameras write them in encodings of their own: they must not refuse a sound video.
    return cast(InputContainer, av.open(file, format=format.decoder.lower(), metadata_errors="replace"))


def _stream(container: InputContainer, format: Format, limits: MediaLimits) -> VideoStream:
    stream = next((track for track in container.streams.video if not track.disposition & _NO_CLIP), None)
    if stream is None:
        found = ", ".join(sorted({s.type for s in container.streams} - {"video"})) or "a cover picture"
        raise InvalidMedia(
            f"This {format.name} file has no video track, only {found}; a video with pictures is needed."
        )
    context = stream.codec_context
    if not context or not context.width or not context.height:
        raise InvalidMedia(f"This {format.name} video has 0 frames that can be decoded; at least 1 is needed.")
    aspect = _pixel_aspect(stream)
    require_size((context.width, context.height), "video frame", limits.max_frame_pixels, limits)
    require_size(_stretched((context.width, context.height), aspect), "video frame", limits.max_frame_pixels, limits)
    # Of the pictures: sound may go on without them. A container of nothing else speaks for them.
    duration_s = float((stream.duration or 0) * (stream.time_base or 0))
    if not duration_s and len(container.streams) == 1:
        duration_s = float(container.duration or 0) / av.time_base
    require_duration(duration_s, limits)
    if stream.frames > limits.max_frames:
        raise InvalidMedia(_too_many_frames(f"{stream.frames:,}", limits))
    return stream


def _too_many_frames(seen: str, limits: MediaLimits) -> str:
    return f"This video has {seen} frames; at most {limits.max_frames:,} are accepted."


def _scan(container: InputContainer, stream: VideoStream, format: Format, limits: MediaLimits) -> _Timeline:
    frames: list[int] = []
    keyframes: list[tuple[int, int]] = []
    for packet in container.demux(stream):
        time = packet.dts if packet.pts is None else packet.pts
        if not packet.size or packet.is_discard or time is None:
            continue
        frames.append(time)
        if packet.is_keyframe:
            keyframes.append((time, time if packet.dts is None else packet.dts))
        if len(frames) > limits.max_frames:
            raise InvalidMedia(_too_many_frames(f"more than {limits.max_frames:,}", limits))
        require_duration(float(abs(time - frames[0]) * (stream.time_base or 0)), limits)
    if not frames:
        raise InvalidMedia(f"This {format.name} video has 0 frames; at least 1 is needed.")
    return _Timeline(sorted(frames), sorted(keyframes))


def _seek_frames(
    container: InputContainer, stream: VideoStream, wanted: list[int], keyframes: list[tuple[int, int]]
) -> Iterator[tuple[int, VideoFrame]]:
    """For each wanted time, ascending: the first frame that is not earlier (the last one, where none is)."""
    decoder = _decoded(container, stream)
    frame: VideoFrame | None = None
    position = keyframes[0][0] if keyframes else wanted[0]
    for pts in wanted:
        index = bisect_right(keyframes, pts, key=lambda keyframe: keyframe[0]) - 1
        if index >= 0 and keyframes[index][0] > position:
            # By decoding time: seeking a keyframe's presentation time may land on the next one where frames reorder.
            container.seek(keyframes[index][1], stream=stream, backward=True)
            decoder, frame = _decoded(container, stream), None
        while frame is None or position < pts:
            following = next(decoder, None)
            if following is None:
                break
            frame = following
            position = frame.pts if frame.pts is not None else position
        if frame is None:
            return
        yield pts, frame


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """All frames from where the container stands."""
    library = _WITH_ALPHA.get(stream.codec_context.name) if stream.metadata.get("alpha_mode") == "1" else None
    if library is None:
        yield from container.decode(stream)
        return
    decoder = cast(VideoCodecContext, CodecContext.create(library, "r"))
    decoder.options = stream.codec_context.options
    for packet in container.demux(stream):
        yield from decoder.decode(packet if packet.size else None)


def _shown(frame: VideoFrame, aspect: Fraction) -> Image.Image:
    """The frame as RGB, as a player shows it."""
    if frame.color_trc in (PQ, HLG):
        picture = Image.fromarray(to_srgb(frame.to_ndarray(format="rgb48le"), frame.color_trc), "RGB")
    elif any(component.is_alpha for component in frame.format.components):
        picture = flatten(Image.fromarray(frame.to_ndarray(format="rgba"), "RGBA"))
    else:
        picture = frame.to_image()
    if aspect != 1:
        picture = picture.resize(_stretched(picture.size, aspect), Image.Resampling.BICUBIC)
    matrix = frame.side_data.get("DISPLAYMATRIX")
    turn = None if matrix is None else _turn(bytes(cast(bytes, matrix)))
    return picture if turn is None else picture.transpose(turn)


def _pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a pixel by its height, as stored (before turning)."""
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect is not None and aspect > 0 else Fraction(1)


def _stretched(size: tuple[int, int], aspect: Fraction) -> tuple[int, int]:
    width, height = size
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _turn(matrix: bytes) -> Image.Transpose | None:
    """FFmpeg's display matrix (nine native 32-bit integers; x' = a x + c y, y' = b x + d y) as a transposition."""
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    signs = tuple((value > 0) - (value < 0) for value in (a, b, c, d))
    turns = {
        (0, 1, -1, 0): Image.Transpose.ROTATE_270,
        (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
        (0, -1, 1, 0): Image.Transpose.ROTATE_90,
        (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
        (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
        (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
        (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
    }
    return turns.get(signs)
