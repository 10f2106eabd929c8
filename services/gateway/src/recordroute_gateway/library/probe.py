"""Looks at an uploaded file in a process of its own: what breaks a media library breaks nothing else.

`python -m recordroute_gateway.library.probe PATH` prints {"duration_seconds": ...} or {"reason": ..., "message": ...}.
"""

from __future__ import annotations

import asyncio
import json
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
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PROBE_SECONDS)
        found: dict[str, Any] = json.loads(output)
    except (TimeoutError, ValueError) as error:
        # Hung, or killed by the file.
        raise InvalidInput("MEDIA_UNREADABLE", UNREADABLE) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if "reason" in found:
        raise InvalidInput(found["reason"], found["message"])
    return MediaProbe(found["duration_seconds"])


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
