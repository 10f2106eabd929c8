"""Work of the gateway that nobody asks for: each job again and again, with a pause in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import grpc.aio
import structlog
from obstore.exceptions import BaseError
from recordroute_runtime.errors import DomainError
from sqlalchemy.exc import DBAPIError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """Work that any replica may do at any time, also several at once."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[None]]


class Sweeper:
    """Runs jobs until it is closed. A job that fails is tried again after its pause."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins, with every job at once."""
        self._tasks = [asyncio.create_task(self._repeat(job)) for job in self._jobs]

    async def close(self) -> None:
        """Stops the jobs where they are."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _repeat(self, job: Job) -> None:
        while True:
            try:
                await job.run()
            except (DomainError, DBAPIError, grpc.aio.AioRpcError, BaseError, OSError) as error:
                log.warning("job failed", job=job.name, error=str(error))
            except Exception:
                log.exception("job failed", job=job.name)
            await asyncio.sleep(job.every_seconds)
