"""Live sessions and what happens in them, as the gateway's own code sees them. Times are seconds from the start of
the session."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from recordroute_gateway.live.audio import AudioFormat, Encoding
from recordroute_gateway.workflow.records import Options


@dataclass(frozen=True)
class LiveConfig:
    """What the client asked for."""

    request_id: str
    format: AudioFormat
    title: str
    folder: str
    tags: tuple[str, ...]
    options: Options
    interim_results: bool
    skip_workflow: bool

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "options": self.options.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LiveConfig:
        audio = value["format"]
        return cls(
            **{
                **value,
                "format": AudioFormat(Encoding(audio["encoding"]), audio["rate"], audio["channels"]),
                "tags": tuple(value["tags"]),
                "options": Options.from_json(value["options"]),
            }
        )


class SessionState(StrEnum):
    OPEN = "open"
    # Takes no more audio; the recording is still to be made.
    ENDING = "ending"
    ENDED = "ended"


@dataclass(frozen=True)
class SessionRow:
    """A session as the database knows it. `audio_seconds` and `next_sequence` are right once it has ended."""

    id: str
    owner: str
    state: SessionState
    config: LiveConfig
    title: str
    created_at: datetime
    ended_at: datetime | None
    end_reason: str
    next_sequence: int
    audio_seconds: float
    recording_id: str
    workflow_id: str


@dataclass(frozen=True)
class Caption:
    """Words of an utterance, so far or for good; as stt.v1.RecognitionResult."""

    utterance: int
    is_final: bool
    start: float
    end: float
    stable: str
    unstable: str
    stability: float
    language: str
    average_log_probability: float | None = None


@dataclass(frozen=True)
class SpeechChange:
    """Somebody begins to speak, or nobody has spoken for a while."""

    started: bool
    time: float


@dataclass(frozen=True)
class LanguageTold:
    language: str
    probability: float


@dataclass(frozen=True)
class AudioSaved:
    """All chunks before this number are safe on disk."""

    sequence: int


@dataclass(frozen=True)
class Warned:
    reason: str
    message: str


@dataclass(frozen=True)
class Ended:
    """The session is a recording now, of the chunks before a number; ids are empty where there is none."""

    recording_id: str
    workflow_id: str
    reason: str
    next_sequence: int


Heard = Caption | SpeechChange | LanguageTold
Body = Heard | AudioSaved | Warned | Ended


@dataclass(frozen=True)
class LiveEvent:
    sequence: int
    body: Body


def is_kept(body: Body) -> bool:
    """Whether an event is numbered, kept and sent again."""
    if isinstance(body, Caption):
        return body.is_final
    return not isinstance(body, SpeechChange | AudioSaved)


_KINDS = {kind.__name__: kind for kind in (Caption, LanguageTold, Warned, Ended)}


def event_to_json(event: LiveEvent) -> dict[str, Any]:
    return {"sequence": event.sequence, "kind": type(event.body).__name__, **asdict(event.body)}


def event_from_json(value: dict[str, Any]) -> LiveEvent:
    fields = {name: field for name, field in value.items() if name not in ("sequence", "kind")}
    return LiveEvent(value["sequence"], _KINDS[value["kind"]](**fields))
