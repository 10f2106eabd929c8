"""Runs the LLM service: `python -m recordroute_llm`."""

from __future__ import annotations

import os

from recordroute_runtime.server import Service, serve
from recordroute_runtime.settings import CommonSettings, ServerSettings

from recordroute_llm.settings import LlmSettings

# OpenMP reads these when it is loaded. Its threads spin while they wait: on a busy machine that slows generation to a
# sixteenth.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


async def _make(settings: ServerSettings, common: CommonSettings) -> Service:
    from recordroute_llm.service import LlmService

    assert isinstance(settings, LlmSettings)
    return LlmService(settings, common)


if __name__ == "__main__":
    serve("llm", LlmSettings, _make)
