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
        description="Windows of speech that are transcribed at once, each on one core. By default the number of "
        "cores.",
    )
    max_recordings: int = Field(
        32,
        ge=1,
        le=1024,
        description="Recordings in work at once: they share the workers in turns. More are refused as OVERLOADED.",
    )
    max_extra_models: int = Field(
        1,
        ge=1,
        description="Models kept in memory beside the default one; the least recently used goes first.",
    )
    model_idle_seconds: float = Field(
        600.0,
        ge=0,
        description="How long a model other than the default one stays in memory after its last use.",
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
    live_max_streams: int = Field(
        default_factory=lambda: 2 * _cpus(),
        ge=0,
        le=1024,
        description="Live streams at once; fewer are taken while those that run are late. More are refused as "
        "OVERLOADED. By default two for each core.",
    )
