"""The gateway's client of live recognition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import grpc
import grpc.aio
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.remote import read_error
from recordroute_runtime.wire import to_seconds

from recordroute_gateway.live.captions import CaptionsBroken, CaptionsRefused
from recordroute_gateway.live.records import Caption, Heard, LanguageTold, LiveConfig, SpeechChange
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.records import Task

# Asking again changes nothing.
REFUSALS = frozenset(
    (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
    )
)


class LiveSttClient:
    """The speech service as live sessions see it (`recordroute_gateway.live.captions.Recogniser`)."""

    def __init__(self, channel: grpc.aio.Channel, models: ModelChoices) -> None:
        self._stub = stt_pb2_grpc.SttServiceStub(channel)
        self._models = models

    async def recognise(self, config: LiveConfig, audio: AsyncIterator[bytes]) -> AsyncGenerator[Heard]:
        """Yields what is heard; see Recogniser."""
        model = await self._models.model_for(Task.STT, config.options.stt_model)
        call = self._stub.StreamingRecognize()
        sending = asyncio.create_task(_send(call, _config(config, model), audio))
        try:
            async for response in call:
                heard = _heard(response)
                if heard is not None:
                    yield heard
        except grpc.aio.AioRpcError as error:
            remote = read_error(error)
            message = remote.message or remote.code.name
            if remote.code in REFUSALS:
                raise CaptionsRefused(message) from error
            raise CaptionsBroken(message) from error
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            call.cancel()
        if not sending.cancelled() and (failure := sending.exception()) is not None:
            raise failure


async def _send(
    call: grpc.aio.StreamStreamCall[stt_pb2.StreamingRecognizeRequest, stt_pb2.StreamingRecognizeResponse],
    config: stt_pb2.StreamingRecognizeConfig,
    audio: AsyncIterator[bytes],
) -> None:
    try:
        await call.write(stt_pb2.StreamingRecognizeRequest(config=config))
        async for message in audio:
            await call.write(stt_pb2.StreamingRecognizeRequest(audio=message))
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        # The call has ended: whoever reads it is told why.
        return


def _config(config: LiveConfig, model: str) -> stt_pb2.StreamingRecognizeConfig:
    options = config.options
    return stt_pb2.StreamingRecognizeConfig(
        encoding=f"AUDIO_ENCODING_{config.format.encoding.name}",
        sample_rate_hertz=config.format.rate,
        channels=config.format.channels,
        language=options.language,
        model=model,
        interim_results=config.interim_results,
        hotwords=options.hotwords,
        initial_prompt=options.initial_prompt,
    )


def _heard(response: stt_pb2.StreamingRecognizeResponse) -> Heard | None:
    match response.WhichOneof("payload"):
        case "result":
            return _caption(response.result)
        case "event":
            started = response.event.kind == stt_pb2.SpeechEvent.KIND_SPEECH_STARTED
            return SpeechChange(started, to_seconds(response.event.time))
        case "language":
            return LanguageTold(response.language.language, response.language.probability)
        case _:
            return None


def _caption(result: stt_pb2.RecognitionResult) -> Caption:
    return Caption(
        utterance=result.utterance,
        is_final=result.is_final,
        start=to_seconds(result.start),
        end=to_seconds(result.end),
        stable=result.stable_text,
        unstable=result.unstable_text,
        stability=result.stability,
        language=result.language,
        average_log_probability=(
            result.average_log_probability if result.HasField("average_log_probability") else None
        ),
    )
