"""What live sessions refuse."""

from __future__ import annotations

from datetime import timedelta

from recordroute_runtime.errors import (
    DomainError,
    NotFound,
    Overloaded,
    PreconditionFailed,
    UpstreamUnavailable,
)


class TooMany(DomainError):
    """A limit of the user is reached: TOO_MANY_SESSIONS, TOO_MANY_BOOKMARKS."""

    status = Overloaded.status


class AudioAhead(DomainError):
    """A chunk came too long before the ones before it."""

    status = Overloaded.status

    def __init__(self, next_sequence: int) -> None:
        super().__init__(
            "AUDIO_AHEAD",
            f"audio chunk {next_sequence} has not come yet, and too many after it have; send it first",
            metadata={"next_audio_sequence": str(next_sequence)},
            retry_after=timedelta(milliseconds=200),
        )


class SessionAway(DomainError):
    """The session goes on, but not here and now: SHUTTING_DOWN, NOT_READY, SESSION_ELSEWHERE."""

    status = UpstreamUnavailable.status

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message, retry_after=timedelta(seconds=1))


def shutting_down() -> SessionAway:
    return SessionAway("SHUTTING_DOWN", "the server is stopping; go on with the session in a moment")


def session_not_found(session_id: str) -> NotFound:
    return NotFound("SESSION_NOT_FOUND", f"there is no live session {session_id}")


def session_ended(session_id: str, recording_id: str = "", workflow_id: str = "") -> PreconditionFailed:
    known = {"recording_id": recording_id, "workflow_id": workflow_id}
    return PreconditionFailed(
        "SESSION_ENDED",
        f"live session {session_id} has ended",
        metadata={name: value for name, value in known.items() if value},
    )
