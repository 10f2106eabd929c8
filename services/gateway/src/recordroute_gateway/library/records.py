"""What the library holds, as the gateway's own code sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum


class ArtifactKind(StrEnum):
    MEDIA = "media"
    TRANSCRIPT = "transcript"
    MINUTES = "minutes"
    EMBEDDINGS = "embeddings"
    INDEX = "index"


MADE_FROM: dict[ArtifactKind, tuple[ArtifactKind, ...]] = {
    ArtifactKind.MEDIA: (),
    ArtifactKind.TRANSCRIPT: (ArtifactKind.MEDIA,),
    ArtifactKind.MINUTES: (ArtifactKind.TRANSCRIPT,),
    ArtifactKind.EMBEDDINGS: (ArtifactKind.TRANSCRIPT,),
    ArtifactKind.INDEX: (ArtifactKind.EMBEDDINGS,),
}


def made_of(kind: ArtifactKind) -> tuple[ArtifactKind, ...]:
    """Returns what is made of an artifact of this kind, directly or not: what a change of it makes stale."""
    direct = [made for made, sources in MADE_FROM.items() if kind in sources]
    return tuple(dict.fromkeys([*direct, *(further for made in direct for further in made_of(made))]))


@dataclass(frozen=True)
class Artifact:
    """Something that was made of a recording; `sha256` names its blob and is empty for the index."""

    kind: ArtifactKind
    sha256: str
    size_bytes: int
    model: str
    workflow_id: str
    created_at: datetime
    stale: bool = False


@dataclass(frozen=True)
class FailedArtifact:
    """An artifact that there is not because the newest workflow could not make it."""

    kind: ArtifactKind
    reason: str
    message: str
    workflow_id: str
    failed_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


class RecordingKind(StrEnum):
    MEDIA = "media"
    DOCUMENT = "document"


class Access(IntEnum):
    """What a user may do with a recording; each includes those before it."""

    READ = 1
    WRITE = 2
    OWNER = 3


@dataclass(frozen=True)
class Bookmark:
    """A place that somebody marked, in seconds from the start."""

    position: float
    label: str


@dataclass(frozen=True)
class Speaker:
    """Somebody who speaks; the name is empty where the voice was not recognised."""

    label: str
    speech_seconds: float
    name: str = ""
    voice_id: str = ""
    voice_similarity: float | None = None


@dataclass(frozen=True)
class Recording:
    """A recording; `access` is that of the user who asked. `version` counts the changes of what people can change."""

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
    # The name of a workflow's state; empty where none was started.
    latest_workflow_state: str = ""
    failed_artifacts: tuple[FailedArtifact, ...] = ()
    title_is_set: bool = False
    folder: str = ""
    tags: tuple[str, ...] = ()
    kind: RecordingKind = RecordingKind.MEDIA
    media_type: str = ""
    page_count: int = 0
    speakers: tuple[Speaker, ...] = ()
    bookmarks: tuple[Bookmark, ...] = ()
    deleted_at: datetime | None = None
    purge_at: datetime | None = None
    version: int = 1
    access: Access = Access.OWNER

    @property
    def etag(self) -> str:
        return str(self.version)

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
    language: str = ""
    channel: int | None = None
    # Where it begins in a document, from 1.
    page: int | None = None
    line: int | None = None


@dataclass(frozen=True)
class RemovedText:
    """Text that was taken out; `reason` is the name of the contract's RemovalReason without prefix, in lower case."""

    segment: Segment
    reason: str
    detail: str


@dataclass(frozen=True)
class Damage:
    """What was wrong with a file although it could be transcribed: a stable name, a sentence for people, and the values
    in the sentence by name."""

    reason: str
    message: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class Transcript:
    language: str
    language_probability: float
    duration: float
    model: str
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    removed: tuple[RemovedText, ...] = ()
    # What `warnings` say, in values; empty in transcripts of before there were any.
    damages: tuple[Damage, ...] = ()

    @property
    def is_document(self) -> bool:
        """Whether it is the text of a document: with pages or lines in place of times."""
        return any(segment.page is not None or segment.line is not None for segment in self.segments)

    def with_names(self) -> Transcript:
        """Returns the transcript with the names of the speakers in its segments where they are known."""
        names = {speaker.label: speaker.name for speaker in self.speakers if speaker.name}
        segments = (
            replace(segment, speaker=names.get(segment.speaker, segment.speaker)) for segment in self.segments
        )
        return replace(self, segments=tuple(segments))


@dataclass(frozen=True)
class Evidence:
    """The place in the transcript that a line of the minutes rests on; times in seconds."""

    segment_index: int
    start: float
    end: float
    speaker: str
    quote: str
    page: int | None = None
    line: int | None = None


@dataclass(frozen=True)
class MinutesField:
    """A part of a line that has a meaning of its own, for instance "owner"; in the words of the recording."""

    name: str
    value: str


@dataclass(frozen=True)
class MinutesItem:
    text: str
    evidence: tuple[Evidence, ...]
    fields: tuple[MinutesField, ...] = ()
    edited: bool = False
    done: bool = False


@dataclass(frozen=True)
class MinutesSection:
    """`kind` is the name of the contract's MinutesSectionKind without prefix, in lower case; `title` is its heading,
    empty in minutes of before templates."""

    kind: str
    items: tuple[MinutesItem, ...]
    title: str = ""


@dataclass(frozen=True)
class Minutes:
    language: str
    overview: str
    model: str
    sections: tuple[MinutesSection, ...]
    unsupported: tuple[str, ...] = ()
    template: str = ""
    overview_edited: bool = False
