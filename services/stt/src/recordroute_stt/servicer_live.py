"""The wire of live recognition: stt.v1.SttService.StreamingRecognize."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from recordroute.common.v1 import transcript_pb2
from recordroute.stt.v1 import stt_pb2
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.wire import read_configured, to_duration, to_seconds

from recordroute_stt.domain import Language
from recordroute_stt.live.audio_input import AudioEncoding, open_audio_input
from recordroute_stt.live.capacity import LiveCapacity
from recordroute_stt.live.decoding import DecodeQueue
from recordroute_stt.live.endpointing import SpeechEnded, SpeechStarted
from recordroute_stt.live.recognizer import Output, RecognitionOptions, Recognizer, Result
from recordroute_stt.live.session import LiveSession, LiveStats
from recordroute_stt.loaded_models import LoadedModels
from recordroute_stt.servicer_messages import language_message
from recordroute_stt.settings import SttSettings

ENCODINGS = {
    stt_pb2.AUDIO_ENCODING_PCM_S16LE: AudioEncoding.PCM_S16LE,
    stt_pb2.AUDIO_ENCODING_PCM_F32LE: AudioEncoding.PCM_F32LE,
    stt_pb2.AUDIO_ENCODING_OPUS: AudioEncoding.OPUS,
}


class LiveServicer:
    """Serves live streams, as many as can be on time."""

    def __init__(self, settings: SttSettings, models: LoadedModels) -> None:
        self._default_model = settings.model
        self._models = models
        self._queue = DecodeQueue(settings.workers)
        self._capacity = LiveCapacity(workers=settings.workers, max_streams=settings.live_max_streams)

    async def recognize(
        self, request_iterator: AsyncIterator[stt_pb2.StreamingRecognizeRequest]
    ) -> AsyncGenerator[stt_pb2.StreamingRecognizeResponse, None]:
        first, rest = await read_configured(request_iterator)
        config = first.config
        language = config.language if config.HasField("language") else None
        audio_input = open_audio_input(
            ENCODINGS[config.encoding], rate=config.sample_rate_hertz, channels=config.channels or 1
        )
        with self._capacity.admit():
            async with self._models.use(config.model or self._default_model) as engine:
                if language is not None and language not in engine.languages:
                    raise InvalidInput(
                        "UNSUPPORTED_LANGUAGE",
                        f'model {engine.model} does not transcribe language "{language}"',
                        metadata={"model": engine.model, "language": language},
                    )
                session = LiveSession(
                    audio_input, Recognizer(_options(config, language)), engine, self._queue, self._capacity
                )
                messages = (message.audio async for message in rest)
                async with aclosing(session.results(messages)) as outputs:
                    async for output in outputs:
                        yield _response(output)

    async def close(self) -> None:
        """Waits for running decodes and ends their threads."""
        await self._queue.close()


def _options(config: stt_pb2.StreamingRecognizeConfig, language: str | None) -> RecognitionOptions:
    options = RecognitionOptions(
        language=language,
        interim_results=config.interim_results,
        word_timestamps=config.word_timestamps,
        hotwords=tuple(config.hotwords),
        initial_prompt=config.initial_prompt,
    )
    if config.HasField("endpoint_silence"):
        options = replace(options, endpoint_silence=to_seconds(config.endpoint_silence))
    return options


def _response(output: Output | LiveStats) -> stt_pb2.StreamingRecognizeResponse:
    match output:
        case Result():
            return stt_pb2.StreamingRecognizeResponse(result=_result(output))
        case SpeechStarted(time):
            return _event(stt_pb2.SpeechEvent.KIND_SPEECH_STARTED, time)
        case SpeechEnded(time):
            return _event(stt_pb2.SpeechEvent.KIND_SPEECH_ENDED, time)
        case Language():
            return stt_pb2.StreamingRecognizeResponse(language=language_message(output))
        case LiveStats():
            return stt_pb2.StreamingRecognizeResponse(
                stats=stt_pb2.StreamingStats(
                    audio_duration=to_duration(output.audio_seconds),
                    speech_duration=to_duration(output.speech_seconds),
                    utterance_count=output.utterances,
                    model=output.model,
                )
            )


def _event(kind: stt_pb2.SpeechEvent.Kind, time: float) -> stt_pb2.StreamingRecognizeResponse:
    return stt_pb2.StreamingRecognizeResponse(event=stt_pb2.SpeechEvent(kind=kind, time=to_duration(time)))


def _result(result: Result) -> stt_pb2.RecognitionResult:
    return stt_pb2.RecognitionResult(
        utterance=result.utterance,
        is_final=result.is_final,
        start=to_duration(result.start),
        end=to_duration(result.end),
        stable_text=result.stable,
        unstable_text=result.unstable,
        stability=result.stability,
        words=[
            transcript_pb2.Word(
                text=word.text,
                start=to_duration(word.start),
                end=to_duration(word.end),
                probability=word.probability,
            )
            for word in result.words
        ],
        language=result.language,
        average_log_probability=result.average_log_probability,
    )
