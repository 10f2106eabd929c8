"""The gateway's client of the llm service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import grpc.aio
import stamina
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.errors import ProcessingFailed
from recordroute_runtime.remote import read_error

from recordroute_gateway.clients.minutes import minutes_record
from recordroute_gateway.clients.segments import segment_messages
from recordroute_gateway.library.quotes import Turn
from recordroute_gateway.library.records import Minutes, Transcript

TITLE_SECONDS = 300.0
CALL_SECONDS = 30.0
# About what the model writes in one step: how far a step is that has not ended.
STEP_CHARACTERS = 800


def _is_overloaded(error: Exception) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and read_error(error).reason == "OVERLOADED"


@dataclass(frozen=True)
class Style:
    """How minutes are wanted: the name of a template (empty: the default), its Markdown where it is the user's own, and
    their language (empty: the transcript's)."""

    template: str = ""
    template_markdown: str = ""
    output_language: str = ""


@dataclass(frozen=True)
class Template:
    """A template of minutes that the service has."""

    name: str
    title: str
    markdown: str


@dataclass(frozen=True)
class Passage:
    """A passage that an answer may rest on; `date` is as people read it, `turns` are empty where it is not known who
    says what."""

    id: str
    text: str
    title: str
    speakers: tuple[str, ...]
    date: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Exchange:
    """A question of before, with its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Citation:
    """A part of a passage, in code points of its text."""

    passage_id: str
    start: int
    end: int


@dataclass(frozen=True)
class AnswerSentence:
    """A sentence that passages support."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class AnswerEnd:
    """The end of an answer; `model` is empty where none was needed."""

    found: bool
    standalone_question: str
    model: str


class LlmClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = llm_pb2_grpc.LlmServiceStub(channel)

    async def summarize(
        self,
        transcript: Transcript,
        *,
        owner: str,
        model: str,
        style: Style,
        report: Callable[[float], Awaitable[None]],
    ) -> Minutes:
        """Makes minutes of a transcript, on the account of `owner`."""
        request = llm_pb2.SummarizeRequest(
            segments=segment_messages(transcript),
            language=transcript.language,
            model=model,
            owner=owner,
            output_language=style.output_language,
            template="" if style.template_markdown else style.template,
            template_markdown=style.template_markdown,
        )
        progress, written = llm_pb2.SummarizeProgress(), 0
        async for response in self._stub.Summarize(request):
            match response.WhichOneof("payload"):
                case "progress":
                    progress, written = response.progress, 0
                case "delta":
                    written += len(response.delta.text)
                case "result":
                    minutes = minutes_record(response.result.minutes)
                    # The service knows the user's own templates by their titles only.
                    return replace(minutes, template=style.template or minutes.template)
            if progress.total_steps:
                step = min(0.9, written / STEP_CHARACTERS)
                await report(min(99.0, 100 * (progress.completed_steps + step) / progress.total_steps))
        raise ProcessingFailed("GENERATION_FAILED", "the llm service ended without minutes")

    async def title(self, transcript: Transcript, *, owner: str, model: str) -> str:
        """Makes a title of one line."""
        request = llm_pb2.TitleRequest(
            segments=segment_messages(transcript), language=transcript.language, model=model, owner=owner
        )
        return await self._title(request)

    # The minutes before it are done: waiting for a slot here costs less than making them again.
    @stamina.retry(on=_is_overloaded, attempts=None, timeout=TITLE_SECONDS, wait_initial=0.5, wait_max=5.0)
    async def _title(self, request: llm_pb2.TitleRequest) -> str:
        return (await self._stub.Title(request, timeout=TITLE_SECONDS)).title

    async def forget_answers(self, owner: str) -> None:
        """Has the service forget every cached answer of an owner."""
        await self._stub.ForgetAnswers(llm_pb2.ForgetAnswersRequest(owner=owner), timeout=CALL_SECONDS)

    async def templates(self, language: str, *, timeout: float = CALL_SECONDS) -> list[Template]:
        """Returns the service's templates by name, with headings in a language (empty: English)."""
        answer = await self._stub.ListTemplates(
            llm_pb2.ListTemplatesRequest(language=language), timeout=timeout
        )
        return [Template(each.name, each.title, each.markdown) for each in answer.templates]

    async def check_template(self, markdown: str) -> str:
        """Returns the title of a template in Markdown. A bad one is refused (BAD_TEMPLATE)."""
        answer = await self._stub.CheckTemplate(
            llm_pb2.CheckTemplateRequest(markdown=markdown), timeout=CALL_SECONDS
        )
        return answer.title

    async def standalone_question(
        self, question: str, history: Sequence[Exchange], *, owner: str, model: str
    ) -> str:
        """Returns the question so that it can be understood without the conversation."""
        if not history:
            return question
        request = llm_pb2.AnswerRequest(
            question=question,
            history=[llm_pb2.Exchange(question=turn.question, answer=turn.answer) for turn in history],
            model=model,
            owner=owner,
            rewrite_only=True,
        )
        async for part in self._answer(request):
            if isinstance(part, AnswerEnd):
                return part.standalone_question
        raise ProcessingFailed("GENERATION_FAILED", "the llm service ended without a question")

    async def answer(
        self, question: str, passages: Sequence[Passage], *, language: str, owner: str, model: str
    ) -> AsyncGenerator[str | AnswerSentence | AnswerEnd]:
        """Answers a question from passages: text as the model writes it, checked sentences, the end."""
        request = llm_pb2.AnswerRequest(
            question=question,
            passages=[
                llm_pb2.AnswerPassage(
                    id=passage.id,
                    text=passage.text,
                    title=passage.title,
                    speakers=passage.speakers,
                    date=passage.date,
                    turns=[
                        llm_pb2.SpeakerTurn(start=turn.start, speaker=turn.speaker) for turn in passage.turns
                    ],
                )
                for passage in passages
            ],
            language=language,
            model=model,
            owner=owner,
        )
        async for part in self._answer(request):
            yield part

    async def _answer(
        self, request: llm_pb2.AnswerRequest
    ) -> AsyncGenerator[str | AnswerSentence | AnswerEnd]:
        call = self._stub.Answer(request)
        try:
            async for response in call:
                match response.WhichOneof("payload"):
                    case "delta":
                        yield response.delta
                    case "sentence":
                        yield AnswerSentence(
                            response.sentence.text,
                            tuple(
                                Citation(cited.passage_id, cited.start, cited.end)
                                for cited in response.sentence.citations
                            ),
                        )
                    case "result":
                        result = response.result
                        yield AnswerEnd(result.found, result.standalone_question, result.model)
        finally:
            # Whoever asked may have gone: the model stops then, too.
            call.cancel()
