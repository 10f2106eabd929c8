"""A service of the runtime kit that loads at once; the supervisor's tests run it as a child.

TINY_NAME is its section. TINY_FAULT makes it misbehave: `crash` ends it before it is ready, `settings` as wrong
settings do, `stubborn` lets it ignore SIGTERM, `grandchild` lets it leave a process behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

NAME = os.environ["TINY_NAME"]
FAULT = os.environ.get("TINY_FAULT", "")
if FAULT == "crash":
    print("line one\nthe reason of the crash", flush=True)
    raise SystemExit(3)
if FAULT == "settings":
    print("RECORDROUTE_TINY: wrong", flush=True)
    raise SystemExit(2)

import grpc.aio  # noqa: E402 - the faults above need none of this, and come quicker
from recordroute_runtime.server import Service, serve  # noqa: E402
from recordroute_runtime.settings import CommonSettings, ServerSettings  # noqa: E402


class TinySettings(ServerSettings, section=NAME):
    """The settings that every server has."""


class TinyService:
    names = ("recordroute.test.v1.TinyService",)

    def register(self, server: grpc.aio.Server) -> None:
        """It has health only."""

    async def load(self) -> None:
        print(
            f"{NAME} loaded, {os.environ.get('GOMP_SPINCOUNT')}, {os.environ.get('MALLOC_ARENA_MAX')}",
            flush=True,
        )
        if FAULT == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    async def close(self) -> None:
        print(f"{NAME} closed", flush=True)


async def make(settings: ServerSettings, common: CommonSettings) -> Service:
    return TinyService()


if __name__ == "__main__":
    if FAULT == "grandchild":
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(f"grandchild {grandchild.pid}", flush=True)
    serve(NAME, TinySettings, make)
