"""The catalogue of domain errors: what a service raises, and the status and reason that its clients see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, NamedTuple

import grpc

DOMAIN = "recordroute"


class DomainError(Exception):
    """An error that a caller can understand. `message` is one sentence for people and holds no internals.

    `reason` is the stable name that clients switch on; `metadata` carries the values in the message; `retry_after`
    is set where the same call can succeed later.
    """

    status: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after


class InvalidInput(DomainError):
    """The request, or the data in it, can't be worked on and never will be."""

    status = grpc.StatusCode.INVALID_ARGUMENT


class Violation(NamedTuple):
    """A field that breaks a rule. `rule` is protovalidate's stable name for it ("string.max_bytes"), empty where it is
    none of the contract's; `limit` is the number in it, where it has one."""

    field: str
    description: str
    rule: str = ""
    limit: str = ""


class FieldViolations(InvalidInput):
    """Fields of the request break the contract's rules. The metadata are those of the first violation."""

    def __init__(self, violations: Sequence[Violation | tuple[str, str]]) -> None:
        self.violations = [Violation(*violation) for violation in violations]
        first = self.violations[0]
        super().__init__(
            "INVALID_FIELDS",
            "; ".join(f"{violation.field}: {violation.description}" for violation in self.violations),
            metadata={
                name: value
                for name, value in (("field", first.field), ("rule", first.rule), ("limit", first.limit))
                if value
            },
        )


class OutOfRange(DomainError):
    """The request asks for what is behind the end."""

    status = grpc.StatusCode.OUT_OF_RANGE


class NotFound(DomainError):
    """What the request names does not exist."""

    status = grpc.StatusCode.NOT_FOUND


class Unauthenticated(DomainError):
    """Nobody knows who calls: there is no token, or it is not, or no longer, good for anything.

    The reasons are TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED and TOKEN_REVOKED.
    """

    status = grpc.StatusCode.UNAUTHENTICATED


class PermissionDenied(DomainError):
    """The caller is known, and may not do this (READ_ONLY, NOT_OWNER, SCOPE_MISSING, ...).

    Only for what the caller may know of: what it may not even see is NotFound.
    """

    status = grpc.StatusCode.PERMISSION_DENIED


class Conflict(DomainError):
    """What the request wants to make is there already."""

    status = grpc.StatusCode.ALREADY_EXISTS


class Outdated(DomainError):
    """The request is based on a state that somebody has changed since; look at it anew."""

    status = grpc.StatusCode.ABORTED


class PreconditionFailed(DomainError):
    """The system is not in a state that allows the request; somebody has to do something first."""

    status = grpc.StatusCode.FAILED_PRECONDITION


class ModelMissing(PreconditionFailed):
    """A model is not installed; the message names the command that mends it."""

    def __init__(self, model: str) -> None:
        super().__init__(
            "MODEL_MISSING",
            f"model {model} is not installed; install it with: recordroute models pull {model}",
            metadata={"model": model},
        )


class Overloaded(DomainError):
    """Every slot is taken; the same call can succeed soon."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, message: str, *, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__("OVERLOADED", message, retry_after=retry_after)


class BudgetExhausted(DomainError):
    """Somebody has used what it may use; nothing helps but time or a larger budget."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__("BUDGET_EXHAUSTED", message, metadata=metadata)


class RateLimited(DomainError):
    """The caller calls too often, or too much at once; the same call can succeed after `retry_after`."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED


class QuotaExceeded(DomainError):
    """The caller has as much as it may have (QUOTA_EXCEEDED, TOO_MANY_KEYS, ...); less of it helps, time doesn't."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED


class StorageFull(DomainError):
    """The disk has no room left."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, message: str) -> None:
        super().__init__("DISK_FULL", message)


class UpstreamUnavailable(DomainError):
    """A service that this one needs does not answer; the same call can succeed soon."""

    status = grpc.StatusCode.UNAVAILABLE

    def __init__(self, service: str, *, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(
            "UPSTREAM_UNAVAILABLE",
            f"the {service} service does not answer",
            metadata={"service": service},
            retry_after=retry_after,
        )


class Cancelled(DomainError):
    """The caller, or somebody for it, stopped the work."""

    status = grpc.StatusCode.CANCELLED

    def __init__(self, message: str = "the call was cancelled") -> None:
        super().__init__("CANCELLED", message)


class DeadlineExceeded(DomainError):
    """The call's time ran out before the work was done."""

    status = grpc.StatusCode.DEADLINE_EXCEEDED

    def __init__(self, message: str = "the call's deadline has passed") -> None:
        super().__init__("DEADLINE_EXCEEDED", message)


class ProcessingFailed(DomainError):
    """The work failed in a way that the caller can't mend, and the message may say so."""

    status = grpc.StatusCode.INTERNAL
