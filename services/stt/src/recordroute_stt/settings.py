"""Settings of the speech service."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import DirectoryPath, Field
from recordroute_runtime.settings import ServerSettings


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class SttSettings(ServerSettings, section="stt"):
    """What the speech service reads."""

    listen: str = Field("127.0.0.1:7101", description="Address to serve on: `host:port`, or `unix:/path`.")
    model: str = Field(
        "faster-whisper-base",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Id of the model that is loaded at the start and used where a request names none.",
    )
    workers: int = Field(
        default_factory=_cpus,
        ge=1,
        le=256,
        description="Windows of speech that are transcribed at once, each on one core; and recordings in work "
        "at once. By default the number of cores.",
    )
    max_waiting: int = Field(
        32, ge=0, description="Recordings that may wait for a free worker; more are refused as OVERLOADED."
    )
    max_extra_models: int = Field(
        1,
        ge=1,
        description="Models kept in memory beside the default one; the least recently used goes first.",
    )
    beam_size: int = Field(
        5, ge=1, le=10, description="Beams of the search where a request says none; 1 is greedy and fastest."
    )
    max_audio_hours: float = Field(24.0, gt=0, description="Longest recording that is transcribed.")
    max_file_bytes: int = Field(16 << 30, ge=1, description="Largest file that is taken.")
    spool_dir: DirectoryPath | None = Field(
        None,
        description="Folder that files are spooled to while they are worked on; unset: the system's temporary "
        "folder. A file needs as much room there as it is large.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models run.")
    compute_type: str = Field(
        "auto",
        description="Number format of the inference as CTranslate2 names it; `auto` is int8 on a CPU and "
        "float16 on a GPU.",
    )
