"""What the CPU can do, as far as models depend on it."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

INT8_DOT_PRODUCT = "int8-dot-product"
CPUINFO = Path("/proc/cpuinfo")
_X86_FLAGS = {"avx512_vnni", "avx_vnni", "avx_vnni_int8", "amx_int8"}


@cache
def cpu_features() -> frozenset[str]:
    """Returns the features that sources of the catalogue may need.

    On ARM, 8-bit products never saturate. x86 systems that don't list their flags count as without.
    """
    if platform.machine().lower() in {"arm64", "aarch64"}:
        return frozenset({INT8_DOT_PRODUCT})
    flags = set(CPUINFO.read_text().split()) if CPUINFO.exists() else set()
    return frozenset({INT8_DOT_PRODUCT} if flags & _X86_FLAGS else ())
