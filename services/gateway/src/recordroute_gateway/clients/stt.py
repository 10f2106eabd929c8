"""The gateway's client of the stt service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc.aio
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.wire import to_seconds

from recordroute_gateway.clients.segments import segment_record
from recordroute_gateway.library.records import Segment, Transcript


class SttClient:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = stt_pb2_grpc.SttServiceStub(channel)

    async def transcribe(
        self,
        media: AsyncIterator[bytes],
        *,
        language: str | None,
        model: str,
        expected_seconds: float | None,
        report: Callable[[float], Awaitable[None]],
    ) -> Transcript:
        """Transcribes a file's bytes with word times."""

        async def requests() -> AsyncIterator[stt_pb2.TranscribeRequest]:
            yield stt_pb2.TranscribeRequest(
                config=stt_pb2.TranscribeConfig(language=language, model=model, word_timestamps=True)
            )
            async for chunk in media:
                yield stt_pb2.TranscribeRequest(audio_chunk=chunk)

        segments: list[Segment] = []
        detected, stats = stt_pb2.DetectedLanguage(), stt_pb2.TranscribeStats()
        total = expected_seconds
        async for response in self._stub.Transcribe(requests()):
            match response.WhichOneof("payload"):
                case "media_info" if response.media_info.HasField("duration"):
                    total = to_seconds(response.media_info.duration)
                case "language":
                    detected = response.language
                case "progress":
                    if response.progress.HasField("total"):
                        total = to_seconds(response.progress.total)
                    if total:
                        await report(min(99.0, 100 * to_seconds(response.progress.processed) / total))
                case "segment":
                    segments.append(segment_record(response.segment))
                case "stats":
                    stats = response.stats
        return Transcript(
            language=detected.language,
            language_probability=detected.probability,
            duration=to_seconds(stats.audio_duration),
            model=stats.model,
            segments=tuple(segments),
            warnings=tuple(stats.warnings),
        )
