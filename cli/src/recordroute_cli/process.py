"""One child process of the supervisor: its start, its log, its end."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_BYTES = 5 * 1024 * 1024
LOG_BACKUPS = 2
LINE_BYTES = 64 * 1024
TAIL_LINES = 12


class _LogFile(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Goes on without the line: a full disk must not stop the services, and they say so themselves."""


class ServiceLog:
    """The log file of a service: bounded in size, kept over restarts; remembers the last lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _LogFile(path, maxBytes=LOG_BYTES, backupCount=LOG_BACKUPS, encoding="utf-8", delay=True)
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    def write(self, line: str) -> None:
        self._tail.append(line)
        self._file.emit(logging.makeLogRecord({"msg": line}))

    def tail(self) -> list[str]:
        """Returns the last lines."""
        return list(self._tail)

    def close(self) -> None:
        self._file.close()


def describe_exit(code: int) -> str:
    """Returns how a process ended, from its return code as subprocess gives it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


class Child:
    """A running child in a process group of its own, so that a terminal's Ctrl-C does not reach it.

    `inherited` are file descriptors that it keeps. What it prints goes to `log`.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        inherited: Sequence[int],
        log: ServiceLog,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            process_group=0,
        )
        self.pid = self._process.pid
        self._log = log
        self._pump = threading.Thread(target=self._read, name=f"log-{self.pid}", daemon=True)
        self._pump.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float | None = None) -> int | None:
        """Waits for the end and returns the return code, or None after `timeout` seconds."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        # A grandchild may hold the pipe open; what the child itself printed is there at once.
        self._pump.join(1.0)
        return code

    def terminate(self) -> None:
        """Asks the child to drain and end."""
        self._process.terminate()

    def kill_group(self) -> None:
        """Kills the child and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in iter(lambda: stream.readline(LINE_BYTES), b""):
                self._log.write(line.decode("utf-8", "replace").rstrip("\n"))
