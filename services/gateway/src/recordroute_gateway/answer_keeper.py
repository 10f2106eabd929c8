"""Has the llm service forget the answers that rest on purged recordings: at once, or when it is back."""

from __future__ import annotations

import asyncio
from contextvars import Context

import grpc.aio
import structlog
from recordroute_runtime.remote import read_error

from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.library.answer_tasks import AnswerTaskStore

log = structlog.get_logger(__name__)

# What a caller waits for at most.
SETTLE_SECONDS = 3.0


class AnswerKeeper:
    """Does the answer tasks."""

    def __init__(self, tasks: AnswerTaskStore, llm: LlmClient) -> None:
        self._tasks = tasks
        self._llm = llm
        self._running: set[asyncio.Task[None]] = set()

    async def settle(self) -> None:
        """Does what there is to do, and waits a moment for it to be done."""
        # Not within the caller's deadline and trace: it goes on when the caller has been answered.
        running = asyncio.create_task(self.run(), context=Context())
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        await asyncio.wait([running], timeout=SETTLE_SECONDS)

    async def run(self) -> None:
        """Does what there is to do; what can't be done now stays."""
        for user, token in await self._tasks.pending():
            try:
                await self._llm.forget_answers(user)
            except grpc.aio.AioRpcError as error:
                log.warning("answers are not forgotten yet", message=read_error(error).message)
                return
            await self._tasks.done(user, token)

    async def close(self) -> None:
        """Stops; what was not done is done after the next start."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running))
