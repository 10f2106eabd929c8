"""Workflows and their events, as the gateway's own code sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from recordroute_runtime.errors import DomainError
from recordroute_runtime.remote import RemoteError

from recordroute_gateway.library.records import ArtifactKind


class Stage(StrEnum):
    TRANSCRIBE = "transcribe"
    SUMMARISE = "summarise"
    EMBED = "embed"
    INDEX = "index"


class Priority(StrEnum):
    """When a workflow gets its turn among those of its user; the names are in their order."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


ARTIFACT_OF_STAGE = {
    Stage.TRANSCRIBE: ArtifactKind.TRANSCRIPT,
    Stage.SUMMARISE: ArtifactKind.MINUTES,
    Stage.EMBED: ArtifactKind.EMBEDDINGS,
    Stage.INDEX: ArtifactKind.INDEX,
}


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Options:
    """What the user asked for; an empty model is the service's default, an empty template the meeting's.

    `profile` and `channel_mode` are the names of the contract's values without prefix, in lower case. Stages before
    `first_stage` are left out: what they make is there already.
    """

    language: str | None = None
    stt_model: str = ""
    llm_model: str = ""
    skip_summary: bool = False
    skip_index: bool = False
    profile: str = "unspecified"
    detect_language_per_segment: bool = False
    translate: bool = False
    hotwords: tuple[str, ...] = ()
    initial_prompt: str = ""
    skip_speakers: bool = False
    speaker_count: int = 0
    channel_mode: str = "unspecified"
    audio_stream: int | None = None
    template: str = ""
    output_language: str = ""
    first_stage: Stage | None = None
    skip_vocabulary: bool = False
    priority: Priority = Priority.NORMAL

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Options:
        first_stage = value.get("first_stage")
        return cls(
            **{
                **value,
                "hotwords": tuple(value.get("hotwords", ())),
                "first_stage": Stage(first_stage) if first_stage else None,
                "priority": Priority(value.get("priority", Priority.NORMAL)),
            }
        )


@dataclass(frozen=True)
class Failure:
    """Why something failed: a stable reason, a sentence for people, and the values in the sentence by name."""

    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: DomainError | RemoteError) -> Failure:
        """Returns a failure of what was raised here, or by a service."""
        return cls(error.reason, error.message, error.metadata)


@dataclass(frozen=True)
class StageStatus:
    stage: Stage
    state: State
    percent: float
    started_at: datetime | None
    ended_at: datetime | None
    # When the try began that runs now; `started_at` is that of the first.
    running_since: datetime | None = None
    # What it waits for although it could go on otherwise.
    waiting_for: Failure | None = None


@dataclass(frozen=True)
class Workflow:
    id: str
    recording_id: str
    owner: str
    state: State
    attempt: int
    options: Options
    failure: Failure | None
    created_at: datetime
    ended_at: datetime | None
    last_sequence: int
    stages: tuple[StageStatus, ...]
    batch_id: str = ""

    def status(self, stage: Stage) -> StageStatus:
        """Returns the status of one stage."""
        return next(status for status in self.stages if status.stage is stage)


@dataclass(frozen=True)
class Event:
    """Something that happened; no stage: to the workflow as a whole."""

    sequence: int
    time: datetime
    stage: Stage | None
    state: State
    percent: float
    failure: Failure | None
    waiting_for: Failure | None = None
