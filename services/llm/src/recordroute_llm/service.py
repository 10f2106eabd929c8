"""The LLM service: its models, its slots, its life."""

from __future__ import annotations

import grpc.aio
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.threads import in_thread
from recordroute_runtime.tls import peer_tls

from recordroute_llm.engine import Task
from recordroute_llm.metering import Accounts
from recordroute_llm.models import Models
from recordroute_llm.routes import read_rules
from recordroute_llm.servicer import LlmServicer
from recordroute_llm.servicer_similarity import VectorSimilarity
from recordroute_llm.settings import LlmSettings
from recordroute_llm.store import open_store
from recordroute_llm.templates import load_templates


class LlmService:
    """What `recordroute_runtime.server` runs: SERVING once the default model can be used.

    Raises SettingsError where the file of models or a template can't be understood.
    """

    names = (llm_pb2.DESCRIPTOR.services_by_name["LlmService"].full_name,)

    def __init__(self, settings: LlmSettings, common: CommonSettings) -> None:
        self._settings = settings
        self._models_dir = common.models_dir
        self._peer_tls = peer_tls(common)
        rules = read_rules(settings.models_file)
        self._store = open_store(
            settings.store_url,
            common.data_dir / "llm.sqlite",
            max_cache_bytes=settings.max_cache_bytes,
        )
        self._accounts = Accounts(self._store, rules)
        self._models = Models(settings, common.models_dir, rules, self._accounts)
        self._templates = load_templates(settings.templates_dir)
        self._similarity: VectorSimilarity | None = None
        self._batch = InferencePool("llm", settings.parallel)
        self._interactive = InferencePool("llm-interactive", settings.max_interactive)

    def register(self, server: grpc.aio.Server) -> None:
        if self._settings.vector_target:
            self._similarity = VectorSimilarity(self._settings.vector_target, self._peer_tls)
        servicer = LlmServicer(
            self._settings,
            self._models_dir,
            self._models,
            self._accounts,
            self._templates,
            self._similarity,
            batch=self._batch,
            interactive=self._interactive,
        )
        llm_pb2_grpc.add_LlmServiceServicer_to_server(servicer, server)

    async def load(self) -> None:
        def load_default(_: object) -> None:
            with self._models.use(self._settings.model, Task.GENERATE):
                return

        await self._batch.run(load_default, wait=True)

    async def close(self) -> None:
        await self._interactive.close()
        await self._batch.close()
        if self._similarity is not None:
            await self._similarity.close()
        await in_thread(self._models.close)
        self._store.close()
