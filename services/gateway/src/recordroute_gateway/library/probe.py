"""Looks at an uploaded file in a process of its own: what breaks a media library breaks nothing else.

`python -m recordroute_gateway.library.probe PATH` prints {"duration_seconds": ...} or {"reason": ..., "message": ...}.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recordroute_runtime.errors import InvalidInput

PROBE_SECONDS = 30.0
UNREADABLE = "the file is not audio or video that can be read"


@dataclass(frozen=True)
class MediaProbe:
    """What the container says; the duration is unset where it does not say."""

    duration_seconds: float | None


async def probe_media(path: Path) -> MediaProbe:
    """Opens the file and decodes its first audio. Raises InvalidInput: MEDIA_UNREADABLE, MEDIA_WITHOUT_AUDIO."""
    try:
        process = await asyncio.to_thread(_run, path)
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(
            "MEDIA_UNREADABLE", f"the file could not be read in {PROBE_SECONDS:.0f} s"
        ) from error
    if process.returncode > 0:
        # Ours to mend, not the file's fault: a crash in the media library ends by a signal.
        raise RuntimeError(f"the probe failed: {process.stderr.decode(errors='replace')}")
    if process.returncode < 0:
        raise InvalidInput("MEDIA_UNREADABLE", UNREADABLE)
    found: dict[str, Any] = json.loads(process.stdout)
    if "reason" in found:
        raise InvalidInput(found["reason"], found["message"])
    return MediaProbe(found["duration_seconds"])


def _run(path: Path) -> subprocess.CompletedProcess[bytes]:
    # Not by the event loop's own means: uvloop forks, which runs gRPC's fork handlers in the child, and one child in
    # fifteen died of them. `subprocess` uses vfork, which runs none.
    return subprocess.run(
        [sys.executable, "-m", __name__, str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PROBE_SECONDS,
        check=False,
    )


def _probe(path: str) -> dict[str, Any]:
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
                    duration = container.duration
                    return {
                        "duration_seconds": duration / av.time_base if duration and duration > 0 else None
                    }
    except (av.FFmpegError, ValueError, OSError, EOFError):
        return {"reason": "MEDIA_UNREADABLE", "message": UNREADABLE}
    return {"reason": "MEDIA_UNREADABLE", "message": "no audio in the file can be decoded"}


if __name__ == "__main__":
    print(json.dumps(_probe(sys.argv[1])))
