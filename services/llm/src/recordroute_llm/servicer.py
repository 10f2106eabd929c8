"""The wire side of the LLM service."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc.aio
import structlog
from recordroute.common.v1 import model_pb2, transcript_pb2
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.errors import DomainError, Overloaded
from recordroute_runtime.inference import CancelToken, InferencePool
from recordroute_runtime.models import installed_models
from recordroute_runtime.threads import in_thread
from recordroute_runtime.wire import model_messages, to_datetime, to_seconds

from recordroute_llm.answers import answer
from recordroute_llm.corrections import correct
from recordroute_llm.engine import Task
from recordroute_llm.engines.openai_server import estimated_tokens
from recordroute_llm.evidence import Similarity
from recordroute_llm.metering import Accounts, month_start
from recordroute_llm.models import Models
from recordroute_llm.servicer_answer import answer_response, history_of, passages_of
from recordroute_llm.servicer_correct import correct_response
from recordroute_llm.servicer_generate import generate_responses, prompt_of, usage_response
from recordroute_llm.servicer_minutes import style_of, summarize_response
from recordroute_llm.settings import LlmSettings
from recordroute_llm.streaming import stream_text
from recordroute_llm.summary import summarize
from recordroute_llm.templates import Templates, parse_template, to_markdown
from recordroute_llm.title import write_title
from recordroute_llm.transcript import Segment

log = structlog.get_logger(__name__)


def _segments(messages: Sequence[transcript_pb2.Segment]) -> list[Segment]:
    return [
        Segment(
            message.index, to_seconds(message.start), to_seconds(message.end), message.text, message.speaker
        )
        for message in messages
    ]


class LlmServicer(llm_pb2_grpc.LlmServiceServicer):
    """Serves LlmService: summaries on the `batch` pool, what people wait for on the `interactive` one."""

    def __init__(
        self,
        settings: LlmSettings,
        models_dir: Path,
        models: Models,
        accounts: Accounts,
        templates: Templates,
        similarity: Similarity | None,
        *,
        batch: InferencePool,
        interactive: InferencePool,
    ) -> None:
        self._settings = settings
        self._models_dir = models_dir
        self._models = models
        self._accounts = accounts
        self._templates = templates
        self._similarity = similarity
        self._batch = batch
        self._interactive = interactive
        self._summaries = 0

    async def Generate(
        self, request: llm_pb2.GenerateRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[llm_pb2.GenerateResponse]:
        prompt = prompt_of(request)
        use_cache = request.use_cache if request.HasField("use_cache") else True

        def work(token: CancelToken) -> Iterator[llm_pb2.GenerateResponse]:
            with self._models.use(
                request.model, Task.GENERATE, owner=request.owner, use_cache=use_cache
            ) as engine:
                for part in stream_text(lambda on_text: engine.stream(prompt, token, on_text), token):
                    yield from generate_responses(part, engine.model_id)

        async with aclosing(self._interactive.stream(work)) as responses:
            async for response in responses:
                yield response

    async def Summarize(
        self, request: llm_pb2.SummarizeRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[llm_pb2.SummarizeResponse]:
        if self._summaries >= self._settings.parallel + self._settings.max_waiting:
            raise Overloaded(f"{self._summaries} summaries run or wait already")
        segments = _segments(request.segments)
        tokens = sum(estimated_tokens(segment.text) for segment in segments)

        def work(token: CancelToken) -> Iterator[llm_pb2.SummarizeResponse]:
            with self._models.use(
                request.model, Task.SUMMARIZE, owner=request.owner, prompt_tokens=tokens
            ) as engine:
                for event in summarize(
                    segments,
                    request.language,
                    engine,
                    self._settings.chunk_tokens,
                    token,
                    templates=self._templates,
                    style=style_of(request),
                    similarity=self._similarity,
                ):
                    yield summarize_response(event, engine.model_id)

        self._summaries += 1
        try:
            async with aclosing(self._batch.stream(work)) as responses:
                async for response in responses:
                    yield response
        finally:
            self._summaries -= 1

    async def Title(
        self, request: llm_pb2.TitleRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.TitleResponse:
        segments = _segments(request.segments)

        def work(token: CancelToken) -> llm_pb2.TitleResponse:
            with self._models.use(request.model, Task.TITLE, owner=request.owner) as engine:
                title = write_title(segments, request.language, engine, self._settings.chunk_tokens, token)
                return llm_pb2.TitleResponse(title=title, model=engine.model_id)

        return await self._interactive.run(work)

    async def Answer(
        self, request: llm_pb2.AnswerRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[llm_pb2.AnswerResponse]:
        def work(token: CancelToken) -> Iterator[llm_pb2.AnswerResponse]:
            tokens = sum(estimated_tokens(passage.text) for passage in request.passages)
            with self._models.use(
                request.model, Task.ANSWER, owner=request.owner, prompt_tokens=tokens
            ) as engine:
                for part in answer(
                    request.question,
                    passages_of(request),
                    history_of(request),
                    request.language,
                    engine,
                    token,
                    rewrite_only=request.rewrite_only,
                ):
                    yield answer_response(part)

        async with aclosing(self._interactive.stream(work)) as responses:
            async for response in responses:
                yield response

    async def Correct(
        self, request: llm_pb2.CorrectRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[llm_pb2.CorrectResponse]:
        segments = _segments(request.segments)
        probabilities = {
            segment.index: [word.probability for word in segment.words] for segment in request.segments
        }

        def work(token: CancelToken) -> Iterator[llm_pb2.CorrectResponse]:
            with self._models.use(request.model, Task.CORRECT, owner=request.owner) as engine:
                for part in correct(
                    segments,
                    request.vocabulary,
                    probabilities,
                    engine,
                    self._settings.chunk_tokens,
                    token,
                ):
                    yield correct_response(part)

        async with aclosing(self._batch.stream(work)) as responses:
            async for response in responses:
                yield response

    async def CountTokens(
        self, request: llm_pb2.CountTokensRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.CountTokensResponse:
        def work(_: CancelToken) -> llm_pb2.CountTokensResponse:
            with self._models.use(request.model, Task.GENERATE) as engine:
                counted = engine.count_tokens(request.texts)
                return llm_pb2.CountTokensResponse(
                    token_counts=counted.counts,
                    model=engine.model_id,
                    context_tokens=engine.context_tokens,
                    estimated=not counted.exact,
                )

        return await self._interactive.run(work)

    async def ListModels(
        self, request: llm_pb2.ListModelsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.ListModelsResponse:
        messages = model_messages(
            installed_models(self._models_dir, "llm"),
            loaded=self._models.loaded,
            default=self._settings.model,
        )
        for name, file in self._accounts.rules.files.items():
            if file.path.is_file():
                messages.append(
                    model_pb2.ModelInfo(
                        id=name,
                        size_bytes=file.path.stat().st_size,
                        loaded=name in self._models.loaded,
                        is_default=name == self._settings.model,
                    )
                )
        found = await asyncio.gather(*map(self._server_models, self._accounts.rules.servers))
        return llm_pb2.ListModelsResponse(models=[*messages, *itertools.chain.from_iterable(found)])

    async def _server_models(self, server: str) -> list[model_pb2.ModelInfo]:
        def work() -> list[str]:
            with self._models.server(server) as engine:
                return engine.list_models()

        try:
            names = await in_thread(work)
        except DomainError as error:
            # The models of the other servers are worth telling all the same.
            log.warning("models of a server can't be listed", server=server, message=error.message)
            return []
        return [
            model_pb2.ModelInfo(
                id=f"{server}/{name}", server=server, is_default=f"{server}/{name}" == self._settings.model
            )
            for name in names
        ]

    async def ListTemplates(
        self, request: llm_pb2.ListTemplatesRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.ListTemplatesResponse:
        return llm_pb2.ListTemplatesResponse(
            templates=[
                llm_pb2.MinutesTemplate(name=name, title=template.name, markdown=to_markdown(template))
                for name, template in self._templates.listed(request.language).items()
            ]
        )

    async def CheckTemplate(
        self, request: llm_pb2.CheckTemplateRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.CheckTemplateResponse:
        return llm_pb2.CheckTemplateResponse(title=parse_template(request.markdown).name)

    async def ForgetAnswers(
        self, request: llm_pb2.ForgetAnswersRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.ForgetAnswersResponse:
        count = await in_thread(self._accounts.store.forget_answers, request.owner)
        return llm_pb2.ForgetAnswersResponse(answer_count=count)

    async def GetUsage(
        self, request: llm_pb2.GetUsageRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> llm_pb2.GetUsageResponse:
        since = to_datetime(request.start) if request.HasField("start") else month_start()
        used, budgets = await in_thread(
            lambda: (
                self._accounts.store.usage(request.owner, since.date()),
                self._accounts.budgets(request.owner),
            )
        )
        return usage_response(used, budgets)
