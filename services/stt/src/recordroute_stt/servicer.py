"""The wire: stt.v1.SttService."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import grpc.aio
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.errors import InvalidInput, Overloaded
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import installed_models
from recordroute_runtime.wire import model_messages, read_configured, to_duration

from recordroute_stt.diarization import Diarization
from recordroute_stt.domain import Language, Removal, Segment
from recordroute_stt.engine import DecodingOptions, SpeechEngine
from recordroute_stt.loaded_models import TASK, LoadedModels
from recordroute_stt.media import MediaProperties
from recordroute_stt.servicer_live import LiveServicer
from recordroute_stt.servicer_messages import (
    decoding_options,
    diarization_responses,
    language_message,
    media_message,
    progress_message,
    removed_message,
    segment_message,
    stats_message,
    transcription_options,
)
from recordroute_stt.settings import SttSettings
from recordroute_stt.spool import SpoolReader, spooled
from recordroute_stt.transcription import Event, Progress, Stats, Transcriber

PROGRESS_INTERVAL_SECONDS = 0.2
MAX_DETECTED_LANGUAGES = 5


class SttServicer(stt_pb2_grpc.SttServiceServicer):
    """Serves recordings, at most `settings.max_recordings` at once; more are refused."""

    def __init__(
        self,
        settings: SttSettings,
        models_dir: Path,
        models: LoadedModels,
        transcriber: Transcriber,
        pool: InferencePool,
        live: LiveServicer,
    ) -> None:
        self._settings = settings
        self._models_dir = models_dir
        self._models = models
        self._transcriber = transcriber
        self._pool = pool
        self._live = live
        self._admitted = 0

    async def Transcribe(
        self,
        request_iterator: AsyncIterator[stt_pb2.TranscribeRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[stt_pb2.TranscribeResponse]:
        first, rest = await read_configured(request_iterator)
        config = first.config
        decoding, options = decoding_options(config), transcription_options(config)
        chunks = (message.audio_chunk async for message in rest)
        with self._admission():
            async with self._models.use(config.model or self._settings.model) as engine:
                _check(engine, decoding)
                async with (
                    spooled(
                        chunks, folder=self._settings.spool_dir, max_bytes=self._settings.max_file_bytes
                    ) as spool,
                    aclosing(
                        self._pool.stream(
                            lambda token: self._transcriber.transcribe(
                                SpoolReader(spool, token), engine, decoding, token, options
                            )
                        )
                    ) as events,
                ):
                    async for response in _responses(events, with_voices=config.diarization.return_voices):
                        yield response

    async def StreamingRecognize(
        self,
        request_iterator: AsyncIterator[stt_pb2.StreamingRecognizeRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[stt_pb2.StreamingRecognizeResponse]:
        async with aclosing(self._live.recognize(request_iterator)) as responses:
            async for response in responses:
                yield response

    async def DetectLanguage(
        self,
        request_iterator: AsyncIterator[stt_pb2.DetectLanguageRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> stt_pb2.DetectLanguageResponse:
        first, rest = await read_configured(request_iterator)
        config = first.config
        stream = config.audio_stream if config.HasField("audio_stream") else None
        chunks = (message.audio_chunk async for message in rest)
        with self._admission():
            async with self._models.use(config.model or self._settings.model) as engine:
                if len(engine.languages) == 1:
                    raise InvalidInput(
                        "UNSUPPORTED_MODEL",
                        f"model {engine.model} knows one language only",
                        metadata={"model": engine.model},
                    )
                async with spooled(
                    chunks, folder=self._settings.spool_dir, max_bytes=self._settings.max_file_bytes
                ) as spool:
                    detected = await self._pool.run(
                        lambda token: self._transcriber.detect_language(
                            SpoolReader(spool, token), engine, token, audio_stream=stream
                        ),
                        wait=True,
                    )
        return stt_pb2.DetectLanguageResponse(
            languages=[
                language_message(language) for language in detected.languages[:MAX_DETECTED_LANGUAGES]
            ],
            speech_duration=to_duration(detected.speech_seconds),
        )

    async def ListModels(
        self, request: stt_pb2.ListModelsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> stt_pb2.ListModelsResponse:
        return stt_pb2.ListModelsResponse(
            models=model_messages(
                installed_models(self._models_dir, TASK),
                loaded=self._models.ids,
                default=self._settings.model,
            )
        )

    @contextmanager
    def _admission(self) -> Iterator[None]:
        if self._admitted >= self._settings.max_recordings:
            raise Overloaded(f"{self._admitted} recordings are in work already")
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1


def _check(engine: SpeechEngine, decoding: DecodingOptions) -> None:
    if decoding.language is not None and decoding.language not in engine.languages:
        raise InvalidInput(
            "UNSUPPORTED_LANGUAGE",
            f'model {engine.model} does not transcribe language "{decoding.language}"',
            metadata={"model": engine.model, "language": decoding.language},
        )
    if decoding.translate and len(engine.languages) == 1:
        raise InvalidInput(
            "UNSUPPORTED_OPTION",
            f"model {engine.model} knows one language only and can't translate",
            metadata={"model": engine.model, "option": "translate"},
        )


async def _responses(
    events: AsyncIterator[Event], *, with_voices: bool
) -> AsyncIterator[stt_pb2.TranscribeResponse]:
    """Numbers the segments, and leaves out progress that comes too fast to be of use."""
    index = 0
    next_progress = 0.0
    async for event in events:
        match event:
            case Segment():
                yield stt_pb2.TranscribeResponse(segment=segment_message(index, event))
                index += 1
            case Removal():
                yield stt_pb2.TranscribeResponse(removed=removed_message(index, event))
            case Progress():
                done = event.total is not None and event.processed >= event.total
                if done or time.monotonic() >= next_progress:
                    next_progress = time.monotonic() + PROGRESS_INTERVAL_SECONDS
                    yield stt_pb2.TranscribeResponse(progress=progress_message(event))
            case Language():
                yield stt_pb2.TranscribeResponse(language=language_message(event))
            case MediaProperties():
                yield stt_pb2.TranscribeResponse(media_info=media_message(event))
            case Diarization():
                index = 0
                for response in diarization_responses(event, with_voices=with_voices):
                    yield response
            case Stats():
                yield stt_pb2.TranscribeResponse(stats=stats_message(event))
