"""Runs a reader and returns what it found."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import partial
from typing import Any

from recordroute_runtime.threads import in_thread, outlasted


class ReaderStopped(Exception):
    """The reader came to no end: it crashed in a library, took too much memory, or too long."""


class Reader:
    """A reader's process. It can be started before its file is there: starting takes longer than most reading."""

    def __init__(self, name: str) -> None:
        """Starts `recordroute_gateway.library.readers.<name>`."""
        # Not by the event loop's own means: uvloop forks, which runs gRPC's fork handlers in the child, and one child
        # in fifteen died of them. `subprocess` uses vfork, which runs none.
        self._name = name
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"recordroute_gateway.library.readers.{name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    async def ask(self, *arguments: str, seconds: float) -> dict[str, Any]:
        """Returns the JSON object that the reader prints for its arguments; once.

        It is {"reason": ..., "message": ...} where the file is at fault. Raises ReaderStopped, and RuntimeError where
        the reader itself failed. A cancelled call ends the reader.
        """
        question = json.dumps(arguments).encode()
        talking = asyncio.create_task(
            in_thread(partial(self._process.communicate, question, timeout=seconds))
        )
        try:
            output, errors = await outlasted(talking, self._process.kill)
        except subprocess.TimeoutExpired as error:
            await in_thread(self.end)
            raise ReaderStopped(f"it did not end within {seconds:.0f} s") from error
        if self._process.returncode < 0:
            raise ReaderStopped(f"signal {-self._process.returncode}")
        if self._process.returncode > 0:
            # Ours to mend, not the file's fault: a crash in a library ends by a signal.
            raise RuntimeError(f"the {self._name} reader failed: {errors.decode(errors='replace')}")
        found: dict[str, Any] = json.loads(output)
        return found

    def end(self) -> None:
        """Ends the process where it still runs. Blocks for a moment."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()


async def start_reader(name: str) -> Reader:
    """Starts a reader; whoever does asks it, or ends it."""
    return await in_thread(Reader, name, discard=Reader.end)


async def run_reader(name: str, *arguments: str, seconds: float) -> dict[str, Any]:
    """Starts a reader and asks it."""
    reader = await start_reader(name)
    return await reader.ask(*arguments, seconds=seconds)
