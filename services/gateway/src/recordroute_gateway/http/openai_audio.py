"""OpenAI's /v1/audio/transcriptions and /v1/audio/translations, by the speech service.

https://platform.openai.com/docs/api-reference/audio
"""

from __future__ import annotations

import math
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from recordroute.common.v1 import transcript_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.wire import to_seconds
from starlette.responses import JSONResponse, PlainTextResponse, Response

from recordroute_gateway.http.backend import (
    Backend,
    BackendOf,
    OpenedStream,
    WriterActs,
    opened,
    while_connected,
)
from recordroute_gateway.http.forms import SpooledForm, spooled_form
from recordroute_gateway.http.models import model_id
from recordroute_gateway.http.problems import Refusal
from recordroute_gateway.http.streams import EventResponse
from recordroute_gateway.models.records import Task

router = APIRouter(tags=["openai"])
FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
GRANULARITIES = ("segment", "word")
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "model"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "model": {"type": "string"},
                        "language": {"type": "string"},
                        "prompt": {"type": "string"},
                        "response_format": {"enum": list(FORMATS), "default": "json"},
                        "temperature": {"type": "number"},
                        "timestamp_granularities[]": {
                            "type": "array",
                            "items": {"enum": list(GRANULARITIES)},
                        },
                        "stream": {"type": "boolean", "default": False},
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True)
class _Wanted:
    """What the form asks for."""

    translate: bool
    response_format: str
    granularities: frozenset[str]
    stream: bool
    config: stt_pb2.TranscribeConfig


@dataclass
class _Transcript:
    """What came of a file; times in seconds."""

    segments: list[transcript_pb2.Segment]
    language: str = ""
    duration: float = 0.0

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    def add(self, response: stt_pb2.TranscribeResponse) -> None:
        match response.WhichOneof("payload"):
            case "language":
                self.language = response.language.language
            case "segment":
                self.segments.append(response.segment)
            case "speakers":
                # The segments come once more, with their speakers.
                self.segments = []
            case "stats":
                self.duration = to_seconds(response.stats.audio_duration)


def _flag(form: SpooledForm, name: str) -> bool:
    value = (form.get(name) or "false").lower()
    if value not in ("true", "false"):
        raise Refusal(400, "INVALID_FIELDS", f"{name} must be true or false", field=name)
    return value == "true"


def _read(form: SpooledForm, *, translate: bool) -> _Wanted:
    response_format = form.get("response_format") or "json"
    if response_format not in FORMATS or (translate and response_format == "diarized_json"):
        raise Refusal(
            400,
            "INVALID_FIELDS",
            f"response_format must be one of {', '.join(FORMATS)}",
            field="response_format",
        )
    granularities = frozenset(form.all("timestamp_granularities"))
    if not granularities <= set(GRANULARITIES):
        raise Refusal(
            400, "INVALID_FIELDS", "timestamp_granularities must be segment, word or both",
            field="timestamp_granularities",
        )  # fmt: skip
    stream = not translate and _flag(form, "stream")
    if stream and response_format not in ("json", "text"):
        raise Refusal(400, "INVALID_FIELDS", "only json and text can be streamed", field="response_format")
    language = None if translate else form.get("language") or None
    config = stt_pb2.TranscribeConfig(
        language=language,
        model=model_id(form.get("model")),
        word_timestamps="word" in granularities,
        translate=translate,
        initial_prompt=form.get("prompt") or "",
        diarization=stt_pb2.DiarizationConfig() if response_format == "diarized_json" else None,
    )
    return _Wanted(translate, response_format, granularities, stream, config)


async def _open(
    backend: Backend, form: SpooledForm, config: stt_pb2.TranscribeConfig
) -> OpenedStream[stt_pb2.TranscribeResponse]:
    config.model = await backend.model_for(Task.STT, config.model)

    async def messages() -> AsyncIterator[stt_pb2.TranscribeRequest]:
        yield stt_pb2.TranscribeRequest(config=config)
        async for chunk in form.chunks():
            yield stt_pb2.TranscribeRequest(audio_chunk=chunk)

    return await opened(backend.stt.Transcribe(messages()), stt_pb2.TranscribeResponse)


async def _whole(backend: Backend, form: SpooledForm, wanted: _Wanted) -> _Transcript:
    transcript = _Transcript([])
    stream = await _open(backend, form, wanted.config)
    try:
        async for response in stream:
            transcript.add(response)
    finally:
        stream.close()
    return transcript


def _clock(seconds: float, separator: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{separator}{milliseconds % 1000:03}"


def _cues(segments: Sequence[transcript_pb2.Segment], separator: str) -> Iterator[str]:
    for segment in segments:
        start, end = (_clock(to_seconds(time), separator) for time in (segment.start, segment.end))
        # Within a cue an empty line would end it, and an arrow begin another.
        yield f"{start} --> {end}\n{segment.text.replace('-->', '→')}\n"


def _srt(transcript: _Transcript) -> str:
    return "\n".join(f"{i}\n{cue}" for i, cue in enumerate(_cues(transcript.segments, ","), 1))


def _vtt(transcript: _Transcript) -> str:
    return "\n".join(("WEBVTT\n", *_cues(transcript.segments, ".")))


def _compression_ratio(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def _verbose(transcript: _Transcript, wanted: _Wanted) -> dict[str, Any]:
    body: dict[str, Any] = {
        "task": "translate" if wanted.translate else "transcribe",
        "language": "en" if wanted.translate else transcript.language,
        "duration": transcript.duration,
        "text": transcript.text,
    }
    if "segment" in wanted.granularities or not wanted.granularities:
        body["segments"] = [
            {
                "id": segment.index,
                "seek": math.floor(to_seconds(segment.start) * 100),
                "start": to_seconds(segment.start),
                "end": to_seconds(segment.end),
                "text": segment.text,
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": segment.average_log_probability,
                "compression_ratio": _compression_ratio(segment.text),
                "no_speech_prob": segment.no_speech_probability,
            }
            for segment in transcript.segments
        ]
    if "word" in wanted.granularities:
        body["words"] = [
            {"word": word.text.strip(), "start": to_seconds(word.start), "end": to_seconds(word.end)}
            for segment in transcript.segments
            for word in segment.words
        ]
    return {**body, "usage": _usage(transcript)}


def _diarized(transcript: _Transcript) -> dict[str, Any]:
    return {
        "task": "transcribe",
        "duration": transcript.duration,
        "text": transcript.text,
        "segments": [
            {
                "type": "transcript.text.segment",
                "id": f"seg_{segment.index}",
                "start": to_seconds(segment.start),
                "end": to_seconds(segment.end),
                "speaker": segment.speaker,
                "text": segment.text,
            }
            for segment in transcript.segments
        ],
        "usage": _usage(transcript),
    }


def _usage(transcript: _Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(transcript.duration)}


def _response(transcript: _Transcript, wanted: _Wanted) -> Response:
    match wanted.response_format:
        case "text":
            return PlainTextResponse(transcript.text + "\n")
        case "srt":
            return PlainTextResponse(_srt(transcript))
        case "vtt":
            return PlainTextResponse(_vtt(transcript), media_type="text/vtt")
        case "verbose_json":
            return JSONResponse(_verbose(transcript, wanted))
        case "diarized_json":
            return JSONResponse(_diarized(transcript))
        case _:
            return JSONResponse({"text": transcript.text, "usage": _usage(transcript)})


async def _events(stream: OpenedStream[stt_pb2.TranscribeResponse]) -> AsyncIterator[dict[str, Any]]:
    transcript = _Transcript([])
    async for response in stream:
        transcript.add(response)
        if response.WhichOneof("payload") == "segment":
            space = " " if len(transcript.segments) > 1 else ""
            yield {"type": "transcript.text.delta", "delta": space + response.segment.text}
    yield {"type": "transcript.text.done", "text": transcript.text}


async def _answer(request: Request, backend: Backend, *, translate: bool) -> Response:
    async with AsyncExitStack() as stack:
        state = request.app.state
        form = await stack.enter_async_context(
            spooled_form(request, file="file", folder=state.spool_dir, max_bytes=state.max_upload_bytes)
        )
        wanted = _read(form, translate=translate)
        if not wanted.stream:
            return _response(await while_connected(request, _whole(backend, form, wanted)), wanted)
        stream = await _open(backend, form, wanted.config)
        # The file is read for as long as the call goes on.
        spool = stack.pop_all()

        async def events() -> AsyncIterator[dict[str, Any]]:
            async with spool:
                async for event in _events(stream):
                    yield event

        return EventResponse(events(), path=request.url.path, end_call=stream.close)


@router.post(
    "/v1/audio/transcriptions", openapi_extra=FORM, operation_id="transcriptions", response_class=Response
)
async def transcriptions(request: Request, backend: BackendOf, _: WriterActs) -> Response:
    """Transcribe a file, as OpenAI's API does. Nothing is kept."""
    return await _answer(request, backend, translate=False)


@router.post(
    "/v1/audio/translations", openapi_extra=FORM, operation_id="translations", response_class=Response
)
async def translations(request: Request, backend: BackendOf, _: WriterActs) -> Response:
    """Translate speech into English text, as OpenAI's API does. Nothing is kept."""
    return await _answer(request, backend, translate=True)
