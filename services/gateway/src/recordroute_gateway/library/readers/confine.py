"""Limits of a reader's process: a file that is made to cost too much ends the reader, not the machine."""

from __future__ import annotations

import contextlib
import math
import os
import resource

MOST_FILE_BYTES = 128 << 20


def confine(*, cpu_seconds: float, memory_bytes: int) -> None:
    """Limits this process from now on; going beyond raises MemoryError or ends it by a signal."""
    # A worker that nobody waits for must not slow down the one that somebody talks to.
    with contextlib.suppress(OSError):
        os.nice(5)
    for what, limit in (
        (resource.RLIMIT_CPU, math.ceil(cpu_seconds)),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        # A model is unpacked into a temporary file to tell languages apart.
        (resource.RLIMIT_FSIZE, MOST_FILE_BYTES),
    ):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(what, (limit, limit))
