"""Finds the engine for a request: a model on the disk, a GGUF file, or a model of a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recordroute_runtime.errors import ModelMissing, PreconditionFailed
from recordroute_runtime.models import find_model

from recordroute_llm.engine import ModelEngine, Task
from recordroute_llm.engines.llama import LlamaEngine, LlamaOptions
from recordroute_llm.engines.openai_server import OpenAIServerEngine, ServerOptions
from recordroute_llm.engines.registry import EngineRegistry
from recordroute_llm.metering import Accounts, MeteredEngine
from recordroute_llm.routes import ModelRules
from recordroute_llm.settings import RESERVED_TOKENS, LlmSettings

MODEL_FILE = "model.gguf"
# Engines of servers hold a connection, not a model.
MAX_SERVER_ENGINES = 64


class Models:
    """The engines of this service, and the rules that choose among them."""

    def __init__(
        self, settings: LlmSettings, models_dir: Path, rules: ModelRules, accounts: Accounts
    ) -> None:
        self._settings = settings
        self._models_dir = models_dir
        self._rules = rules
        self._accounts = accounts
        self.default = settings.model
        keep = "" if self._server_of(settings.model) else settings.model
        self._local = EngineRegistry(keep, settings.max_loaded_models, self._load_local)
        self._remote = EngineRegistry("", MAX_SERVER_ENGINES, self._connect)

    @contextmanager
    def use(
        self,
        model: str,
        task: Task,
        *,
        owner: str = "",
        prompt_tokens: int = 0,
        use_cache: bool = True,
    ) -> Iterator[MeteredEngine]:
        """Holds the engine of the model, or of the one that the rules name for a task of this size.

        Raises ModelMissing, PreconditionFailed (MODEL_UNREADABLE, CONTEXT_TOO_SMALL) and Overloaded.
        """
        name = model or self._rules.model_for(task, prompt_tokens, self.default)
        registry = self._remote if self._server_of(name) else self._local
        with registry.use(name) as engine:
            yield MeteredEngine(engine, self._accounts, owner, task, use_cache=use_cache)

    @property
    def loaded(self) -> frozenset[str]:
        """Ids of the models in memory."""
        return self._local.loaded

    @contextmanager
    def server(self, name: str) -> Iterator[OpenAIServerEngine]:
        """Holds a connection to a configured server, of no model in particular."""
        with self._remote.use(f"{name}/") as engine:
            assert isinstance(engine, OpenAIServerEngine)
            yield engine

    def close(self) -> None:
        """Unloads everything, after its running work."""
        self._local.close()
        self._remote.close()

    def _server_of(self, model: str) -> str:
        name, slash, _ = model.partition("/")
        return name if slash and name in self._rules.servers else ""

    def _connect(self, model: str) -> ModelEngine:
        name, _, remote_model = model.partition("/")
        server = self._rules.servers[name]
        options = ServerOptions(
            name=name,
            url=str(server.url),
            api_key=server.api_key,
            parallel=server.parallel,
            timeout_seconds=server.timeout_seconds,
            context_tokens=server.context_tokens,
        )
        return OpenAIServerEngine(options, remote_model)

    def _load_local(self, model: str) -> ModelEngine:
        file = self._rules.files.get(model)
        if file is not None:
            path, bound = file.path, file.context_tokens
            if not path.is_file():
                raise PreconditionFailed(
                    "MODEL_MISSING", f"model {model}: there is no file {path}", metadata={"model": model}
                )
        else:
            path, bound = self._installed(model)
        context = min(self._settings.context_tokens, bound or self._settings.context_tokens)
        if self._settings.chunk_tokens + RESERVED_TOKENS > context:
            raise PreconditionFailed(
                "CONTEXT_TOO_SMALL",
                f"model {model} holds {context} tokens, too few for chunks of {self._settings.chunk_tokens}",
                metadata={"model": model},
            )
        options = LlamaOptions(
            context_tokens=context,
            parallel=self._settings.parallel,
            threads=self._settings.threads,
            gpu_layers=self._settings.gpu_layers,
            batch_tokens=self._settings.batch_tokens,
        )
        return LlamaEngine(model, path, options)

    def _installed(self, model_id: str) -> tuple[Path, int]:
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
        return path, int(model.parameters.get("context_tokens", 0))
