"""What the library holds, as the gateway's own code sees it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

# Identity comes with a later version: until then everything belongs to one owner.
LOCAL_OWNER = "local"


class ArtifactKind(StrEnum):
    MEDIA = "media"
    TRANSCRIPT = "transcript"
    MINUTES = "minutes"
    EMBEDDINGS = "embeddings"
    INDEX = "index"


@dataclass(frozen=True)
class Artifact:
    """Something that was made of a recording; `sha256` names its blob and is empty for the index."""

    kind: ArtifactKind
    sha256: str
    size_bytes: int
    model: str
    workflow_id: str
    created_at: datetime


@dataclass(frozen=True)
class Recording:
    id: str
    owner: str
    title: str
    file_name: str
    duration_seconds: float | None
    language: str
    created_at: datetime
    recorded_at: datetime
    artifacts: tuple[Artifact, ...] = ()
    latest_workflow_id: str = ""

    def artifact(self, kind: ArtifactKind) -> Artifact | None:
        return next((artifact for artifact in self.artifacts if artifact.kind is kind), None)


@dataclass(frozen=True)
class Word:
    """A word with its times in seconds; `probability` is 0 to 1."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech with its times in seconds."""

    index: int
    start: float
    end: float
    text: str
    speaker: str = ""
    words: tuple[Word, ...] = ()
    average_log_probability: float | None = None
    no_speech_probability: float | None = None


@dataclass(frozen=True)
class Transcript:
    language: str
    language_probability: float
    duration: float
    model: str
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Transcript:
        segments = tuple(
            Segment(**{**segment, "words": tuple(Word(**word) for word in segment["words"])})
            for segment in value["segments"]
        )
        return cls(**{**value, "segments": segments, "warnings": tuple(value["warnings"])})


@dataclass(frozen=True)
class Evidence:
    """The place in the transcript that a line of the minutes rests on; times in seconds."""

    segment_index: int
    start: float
    end: float
    speaker: str
    quote: str


@dataclass(frozen=True)
class MinutesItem:
    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class MinutesSection:
    """`kind` is the name of the contract's MinutesSectionKind without prefix, in lower case."""

    kind: str
    items: tuple[MinutesItem, ...]


@dataclass(frozen=True)
class Minutes:
    language: str
    overview: str
    model: str
    sections: tuple[MinutesSection, ...]
    unsupported: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Minutes:
        sections = tuple(
            MinutesSection(
                section["kind"],
                tuple(
                    MinutesItem(item["text"], tuple(Evidence(**evidence) for evidence in item["evidence"]))
                    for item in section["items"]
                ),
            )
            for section in value["sections"]
        )
        return cls(**{**value, "sections": sections, "unsupported": tuple(value["unsupported"])})
