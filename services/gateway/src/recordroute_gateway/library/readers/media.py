"""Looks at a media file: `python -m recordroute_gateway.library.readers.media` takes [PATH]
on standard input, and prints what the file is, both as JSON."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recordroute_gateway.library.readers.confine import confine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.container import InputContainer

CPU_SECONDS = 30.0
MEMORY_BYTES = 4 << 30
UNREADABLE = "the file is not audio or video that can be read"

# Containers by FFmpeg's names: media type with sound alone, and with a picture.
MEDIA_TYPES = {
    "aac": ("audio/aac", "audio/aac"),
    "ac3": ("audio/ac3", "audio/ac3"),
    "aiff": ("audio/aiff", "audio/aiff"),
    "amr": ("audio/amr", "audio/amr"),
    "asf": ("audio/x-ms-wma", "video/x-ms-wmv"),
    "au": ("audio/basic", "audio/basic"),
    "avi": ("video/x-msvideo", "video/x-msvideo"),
    "caf": ("audio/x-caf", "audio/x-caf"),
    "flac": ("audio/flac", "audio/flac"),
    "flv": ("video/x-flv", "video/x-flv"),
    "matroska": ("audio/x-matroska", "video/x-matroska"),
    "mov": ("audio/mp4", "video/mp4"),
    "mp3": ("audio/mpeg", "audio/mpeg"),
    "mpeg": ("video/mpeg", "video/mpeg"),
    "mpegts": ("video/mp2t", "video/mp2t"),
    "ogg": ("audio/ogg", "video/ogg"),
    "w64": ("audio/wav", "audio/wav"),
    "wav": ("audio/wav", "audio/wav"),
    "wv": ("audio/x-wavpack", "audio/x-wavpack"),
}
WEBM_CODECS = {"opus", "vorbis", "vp8", "vp9", "av1"}
# Pictures that belong to a sound: covers.
STILL_CODECS = {"mjpeg", "png", "gif", "bmp", "webp"}
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?")
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})")


def media_type(container: str, codecs: set[str], *, has_picture: bool) -> str:
    """Returns the media type of a container by FFmpeg's name of it."""
    name = container.split(",")[0]
    if name == "matroska" and codecs <= WEBM_CODECS:
        return "video/webm" if has_picture else "audio/webm"
    return MEDIA_TYPES.get(name, ("application/octet-stream", "application/octet-stream"))[has_picture]


def recorded_at(metadata: Mapping[str, str]) -> str | None:
    """Returns when the file says that it was recorded, ISO 8601; local times, without a zone, stay without.

    Tags that name a year alone say nothing: that is when an album came out.
    """
    tags = {name.lower(): value.strip() for name, value in metadata.items()}
    day = tags.get("date", "")
    # Broadcast WAV keeps the day in one field and the time in another.
    if _TIME.fullmatch(tags.get("creation_time", "")):
        day = f"{day[:10]}T{tags['creation_time']}"
    for text in (tags.get("com.apple.quicktime.creationdate", ""), tags.get("creation_time", ""), day):
        time = _parse(text)
        if time is not None:
            return time.isoformat()
    return None


def _parse(text: str) -> datetime | None:
    if not _DAY.match(text):
        return None
    try:
        time = datetime.fromisoformat(re.sub(r"([+-]\d{2})(\d{2})$", r"\1:\2", text))
    except ValueError:
        return None
    # What cameras without a clock write: their zero of time, or that of their system.
    return time if time.year > 1990 and (time.month, time.day) != (1, 1) else None


def _look(path: str) -> dict[str, Any]:
    import av

    try:
        with av.open(path, metadata_errors="ignore") as container:
            if not container.streams.audio:
                return {"reason": "MEDIA_WITHOUT_AUDIO", "message": "the file has no audio in it"}
            stream = container.streams.audio[0]
            for packet in container.demux(stream):
                try:
                    decoded = any(frame.samples for frame in packet.decode())
                except av.FFmpegError:
                    # One bad packet is not a bad file.
                    continue
                if decoded:
                    return _facts(container)
    except (av.FFmpegError, ValueError, OSError, EOFError, MemoryError):
        return {"reason": "MEDIA_UNREADABLE", "message": UNREADABLE}
    return {"reason": "MEDIA_UNREADABLE", "message": "no audio in the file can be decoded"}


def _facts(container: InputContainer) -> dict[str, Any]:
    import av

    stream = container.streams.audio[0]
    codec = stream.codec_context
    pictures = [video.codec_context.name for video in container.streams.video if video.codec_context]
    moving = [name for name in pictures if name not in STILL_CODECS]
    duration = container.duration
    return {
        "duration_seconds": duration / av.time_base if duration and duration > 0 else None,
        "container": container.format.name,
        "codec": codec.name,
        "sample_rate_hertz": codec.sample_rate,
        "channels": codec.channels,
        "media_type": media_type(container.format.name, {codec.name, *moving}, has_picture=bool(moving)),
        "recorded_at": recorded_at({**stream.metadata, **container.metadata}),
    }


if __name__ == "__main__":
    confine(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES)
    # While the file may still be coming.
    import av  # noqa: F401

    print(json.dumps(_look(*json.load(sys.stdin))))
