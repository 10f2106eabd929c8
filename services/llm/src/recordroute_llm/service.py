"""The LLM service: its models, its slots, its life."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc.aio
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import find_model

from recordroute_llm.engine import Engine
from recordroute_llm.engines.llama import LlamaEngine, LlamaOptions
from recordroute_llm.engines.registry import EngineRegistry
from recordroute_llm.servicer import LlmServicer
from recordroute_llm.settings import RESERVED_TOKENS, LlmSettings

MODEL_FILE = "model.gguf"


class LlmService:
    """What `recordroute_runtime.server` runs: SERVING once the default model is in memory."""

    names = (llm_pb2.DESCRIPTOR.services_by_name["LlmService"].full_name,)

    def __init__(self, settings: LlmSettings, models_dir: Path) -> None:
        self._settings = settings
        self._models_dir = models_dir
        self._pool = InferencePool("llm", settings.parallel)
        self._engines = EngineRegistry(settings.model, settings.max_loaded_models, self._load_engine)

    def register(self, server: grpc.aio.Server) -> None:
        servicer = LlmServicer(self._settings, self._models_dir, self._engines, self._pool)
        llm_pb2_grpc.add_LlmServiceServicer_to_server(servicer, server)

    async def load(self) -> None:
        def load_default(_: object) -> None:
            with self._engines.use():
                return

        await self._pool.run(load_default, wait=True)

    async def close(self) -> None:
        await self._pool.close()
        await asyncio.to_thread(self._engines.close)

    def _load_engine(self, model_id: str) -> Engine:
        model = find_model(self._models_dir, model_id)
        if model.task != "llm":
            raise ModelMissing(model_id)
        path = model.path / MODEL_FILE
        size = path.stat().st_size if path.exists() else 0
        if size != model.size_bytes:
            raise PreconditionFailed(
                "MODEL_UNREADABLE",
                f"model {model_id} has {size} bytes instead of {model.size_bytes}; mend it with: "
                f"recordroute models verify {model_id}",
                metadata={"model": model_id},
            )
        context = min(self._settings.context_tokens, model.parameters.get("context_tokens", 1 << 31))
        if self._settings.chunk_tokens + RESERVED_TOKENS > context:
            raise PreconditionFailed(
                "CONTEXT_TOO_SMALL",
                f"model {model_id} holds {context} tokens, too few for chunks of {self._settings.chunk_tokens}",
                metadata={"model": model_id},
            )
        options = LlamaOptions(
            context_tokens=context,
            parallel=self._settings.parallel,
            threads=self._settings.threads,
            gpu_layers=self._settings.gpu_layers,
        )
        return LlamaEngine(model_id, path, options)
