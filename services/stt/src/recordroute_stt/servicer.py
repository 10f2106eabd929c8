"""The wire: stt.v1.SttService."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import grpc.aio
from recordroute.common.v1 import transcript_pb2
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.errors import InvalidInput, Overloaded
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import installed_models
from recordroute_runtime.wire import model_messages, read_configured, to_duration

from recordroute_stt.domain import Language, Segment
from recordroute_stt.engine import DecodingOptions, SpeechEngine
from recordroute_stt.loaded_models import TASK, LoadedModels
from recordroute_stt.media import MediaProperties
from recordroute_stt.settings import SttSettings
from recordroute_stt.spool import spooled
from recordroute_stt.transcription import Event, Progress, Stats, Transcriber

PROGRESS_INTERVAL_SECONDS = 0.2


class SttServicer(stt_pb2_grpc.SttServiceServicer):
    """Serves recordings: at most `settings.workers` at once, others wait their turn, up to a limit."""

    def __init__(
        self,
        settings: SttSettings,
        models_dir: Path,
        models: LoadedModels,
        transcriber: Transcriber,
        pool: InferencePool,
    ) -> None:
        self._settings = settings
        self._models_dir = models_dir
        self._models = models
        self._transcriber = transcriber
        self._pool = pool
        self._admitted = 0

    async def Transcribe(
        self,
        request_iterator: AsyncIterator[stt_pb2.TranscribeRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[stt_pb2.TranscribeResponse]:
        first, rest = await read_configured(request_iterator)
        config = first.config
        language = config.language if config.HasField("language") else None
        options = DecodingOptions(
            language=language,
            beam_size=config.beam_size if config.HasField("beam_size") else self._settings.beam_size,
            word_timestamps=config.word_timestamps,
        )
        chunks = (message.audio_chunk async for message in rest)
        with self._admission():
            async with self._models.use(config.model or self._settings.model) as engine:
                _check_language(engine, language)
                async with (
                    spooled(
                        chunks, folder=self._settings.spool_dir, max_bytes=self._settings.max_file_bytes
                    ) as file,
                    aclosing(
                        self._pool.stream(
                            lambda token: self._transcriber.transcribe(file, engine, options, token)
                        )
                    ) as events,
                ):
                    async for response in _responses(events):
                        yield response

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
        if self._admitted >= self._settings.workers + self._settings.max_waiting:
            raise Overloaded(f"{self._admitted} recordings are in work or waiting already")
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1


def _check_language(engine: SpeechEngine, language: str | None) -> None:
    if language is not None and language not in engine.languages:
        raise InvalidInput(
            "UNSUPPORTED_LANGUAGE",
            f'model {engine.model} does not transcribe language "{language}"',
            metadata={"model": engine.model, "language": language},
        )


async def _responses(events: AsyncIterator[Event]) -> AsyncIterator[stt_pb2.TranscribeResponse]:
    """Numbers the segments, and leaves out progress that comes too fast to be of use."""
    index = 0
    next_progress = 0.0
    async for event in events:
        match event:
            case Segment():
                yield stt_pb2.TranscribeResponse(segment=_segment(index, event))
                index += 1
            case Progress():
                done = event.total is not None and event.processed >= event.total
                if done or time.monotonic() >= next_progress:
                    next_progress = time.monotonic() + PROGRESS_INTERVAL_SECONDS
                    yield stt_pb2.TranscribeResponse(progress=_progress(event))
            case Language():
                yield stt_pb2.TranscribeResponse(
                    language=stt_pb2.DetectedLanguage(language=event.code, probability=event.probability)
                )
            case MediaProperties():
                yield stt_pb2.TranscribeResponse(media_info=_media_info(event))
            case Stats():
                yield stt_pb2.TranscribeResponse(stats=_stats(event))


def _segment(index: int, segment: Segment) -> transcript_pb2.Segment:
    return transcript_pb2.Segment(
        index=index,
        start=to_duration(segment.start),
        end=to_duration(segment.end),
        text=segment.text,
        words=[
            transcript_pb2.Word(
                text=word.text,
                start=to_duration(word.start),
                end=to_duration(word.end),
                probability=word.probability,
            )
            for word in segment.words
        ],
        average_log_probability=segment.average_log_probability,
        no_speech_probability=segment.no_speech_probability,
    )


def _optional_duration(seconds: float | None) -> Any:
    return None if seconds is None else to_duration(seconds)


def _progress(progress: Progress) -> stt_pb2.TranscribeProgress:
    return stt_pb2.TranscribeProgress(
        processed=to_duration(progress.processed), total=_optional_duration(progress.total)
    )


def _media_info(media: MediaProperties) -> stt_pb2.MediaInfo:
    return stt_pb2.MediaInfo(
        container=media.container,
        codec=media.codec,
        duration=_optional_duration(media.duration),
        sample_rate_hertz=media.sample_rate_hertz,
        channels=media.channels,
    )


def _stats(stats: Stats) -> stt_pb2.TranscribeStats:
    return stt_pb2.TranscribeStats(
        audio_duration=to_duration(stats.audio_seconds),
        speech_duration=to_duration(stats.speech_seconds),
        processing_time=to_duration(stats.processing_seconds),
        segment_count=stats.segment_count,
        model=stats.model,
        warnings=stats.warnings,
    )
