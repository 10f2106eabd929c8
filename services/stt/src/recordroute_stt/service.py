"""Puts the speech service together for `recordroute_runtime.serve`."""

from __future__ import annotations

from collections.abc import Sequence

import grpc.aio
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import InstalledModel
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.threads import in_thread

from recordroute_stt.engine import SpeechEngine
from recordroute_stt.engines.whisper import WhisperEngine
from recordroute_stt.loaded_models import LoadedModels
from recordroute_stt.servicer import SttServicer
from recordroute_stt.servicer_live import LiveServicer
from recordroute_stt.settings import SttSettings
from recordroute_stt.transcription import Transcriber


class SttService:
    """Speech to text: healthy as soon as its default model is in memory."""

    def __init__(self, settings: SttSettings, common: CommonSettings) -> None:
        self._settings = settings
        self._models = LoadedModels(
            self._load_engine,
            models_dir=common.models_dir,
            default=settings.model,
            max_extra=settings.max_extra_models,
            idle_seconds=settings.model_idle_seconds,
        )
        self._transcriber = Transcriber(workers=settings.workers, max_seconds=settings.max_audio_hours * 3600)
        self._pool = InferencePool("stt", settings.max_recordings)
        self._live = LiveServicer(settings, self._models)
        self._servicer = SttServicer(
            settings, common.models_dir, self._models, self._transcriber, self._pool, self._live
        )

    @property
    def names(self) -> Sequence[str]:
        return (stt_pb2.DESCRIPTOR.services_by_name["SttService"].full_name,)

    def register(self, server: grpc.aio.Server) -> None:
        stt_pb2_grpc.add_SttServiceServicer_to_server(self._servicer, server)

    async def load(self) -> None:
        async with self._models.use(self._settings.model):
            pass

    async def close(self) -> None:
        await self._pool.close()
        await self._live.close()
        await in_thread(self._transcriber.close)
        await self._models.close()

    def _load_engine(self, model: InstalledModel) -> SpeechEngine:
        return WhisperEngine(
            model,
            # Live streams and recordings have decoders of their own: neither waits for the other's window.
            workers=2 * self._settings.workers,
            device=self._settings.device,
            compute_type=self._settings.compute_type,
        )


async def make_service(settings: SttSettings, common: CommonSettings) -> SttService:
    """Returns the service, not yet loaded."""
    return SttService(settings, common)
