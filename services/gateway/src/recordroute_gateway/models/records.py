"""Models as the gateway knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Task(StrEnum):
    """What a model is for."""

    STT = "stt"
    LLM = "llm"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    OTHER = "other"


class State(StrEnum):
    """How a model stands."""

    NOT_INSTALLED = "not_installed"
    PULLING = "pulling"
    INSTALLED = "installed"
    BROKEN = "broken"
    OUTDATED = "outdated"


class Source(StrEnum):
    """Where a model comes from."""

    UNSPECIFIED = "unspecified"
    PACKAGES = "packages"
    HUB = "hub"
    SERVER = "server"
    LOCAL = "local"


class Phase(StrEnum):
    """What a pull does."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    CONVERTING = "converting"
    VERIFYING = "verifying"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Failure:
    """Why a pull has failed: the stable reason, and a sentence for people."""

    reason: str
    message: str


@dataclass(frozen=True)
class PullState:
    """How far a pull is. `failure` is there in the phase FAILED; `notice` says what holds it up."""

    phase: Phase
    done_bytes: int
    total_bytes: int
    started_at: datetime
    failure: Failure | None = None
    notice: str = ""

    @property
    def is_running(self) -> bool:
        return self.phase not in (Phase.DONE, Phase.FAILED)


@dataclass(frozen=True)
class ShelfModel:
    """A model of the catalogue, or one that lies in the models folder without being in the catalogue."""

    id: str
    task: Task
    state: State
    description: str = ""
    languages: tuple[str, ...] = ()
    license: str = ""
    source: Source = Source.UNSPECIFIED
    download_bytes: int = 0
    size_bytes: int = 0
    problems: tuple[str, ...] = ()
    is_recommended: bool = False
    in_catalogue: bool = True


@dataclass(frozen=True)
class Shelf:
    """What the model manager knows: the models by id, and the bytes that are free where they are kept."""

    models: dict[str, ShelfModel]
    free_bytes: int


@dataclass(frozen=True)
class ServedModel:
    """A model as the service that uses it tells of it. `server`: the configured server that runs it, or empty."""

    id: str
    task: Task
    languages: tuple[str, ...] = ()
    license: str = ""
    size_bytes: int = 0
    is_default: bool = False
    is_loaded: bool = False
    server: str = ""


@dataclass(frozen=True)
class Served:
    """What the services tell of their models; those in `unavailable` did not answer."""

    models: tuple[ServedModel, ...]
    unavailable: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelEntry:
    """A model with what may be done to it: each `..._refusal` is a stable reason, or empty."""

    model: ShelfModel
    service: str
    pull: PullState | None
    is_current: bool
    is_service_default: bool
    is_loaded: bool
    pull_refusal: str
    remove_refusal: str
    use_refusal: str
