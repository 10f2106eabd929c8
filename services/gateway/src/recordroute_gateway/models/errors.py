"""Why something can't be done with a model, as the errors that clients get."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import grpc
from recordroute_runtime.errors import (
    DomainError,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    ProcessingFailed,
    UpstreamUnavailable,
)

from recordroute_gateway.models.records import Failure

MANAGED_ELSEWHERE = "MODELS_MANAGED_ELSEWHERE"
UNKNOWN = "MODEL_UNKNOWN"
IN_USE = "MODEL_IN_USE"
PULLING = "MODEL_PULLING"
NOT_INSTALLED = "MODEL_NOT_INSTALLED"
BROKEN = "MODEL_BROKEN"
FIXED_AT_START = "MODEL_FIXED_AT_START"
WRONG_TASK = "WRONG_TASK"
UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
INTERRUPTED = "PULL_INTERRUPTED"
CANCELLED = "PULL_CANCELLED"
FAILED = "PULL_FAILED"


UNFORESEEN = Failure(FAILED, "the model manager failed; the gateway's log says why")


class SourceUnavailable(DomainError):
    """The model can't be had now; the same call can succeed later."""

    status = grpc.StatusCode.UNAVAILABLE


class SourceCorrupt(DomainError):
    """The model's source gives other bytes than it should."""

    status = grpc.StatusCode.DATA_LOSS


class DiskFull(DomainError):
    """The disk has no room for the model."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED


class PullCancelled(DomainError):
    """Somebody ended the pull."""

    status = grpc.StatusCode.ABORTED


_OF_COMMAND: Mapping[str, type[DomainError]] = MappingProxyType(
    {
        UNKNOWN: NotFound,
        "CATALOGUE_INVALID": PreconditionFailed,
        "OFFLINE": PreconditionFailed,
        "MODELS_FOLDER_UNWRITABLE": PreconditionFailed,
        "MODEL_DOWNLOAD_FAILED": SourceUnavailable,
        "MODEL_CHECKSUM": SourceCorrupt,
        "DISK_FULL": DiskFull,
        INTERRUPTED: SourceUnavailable,
        CANCELLED: PullCancelled,
    }
)


def command_error(failure: Failure) -> DomainError:
    """Returns the error of a failure of the model manager; those that nobody foresaw are ProcessingFailed."""
    return _OF_COMMAND.get(failure.reason, ProcessingFailed)(failure.reason, failure.message)


def is_known(reason: str) -> bool:
    """Whether the contract names the reason among those of the model manager."""
    return reason in _OF_COMMAND


def refusal(reason: str, model: str, service: str) -> DomainError:
    """Returns the error for a model that `recordroute_gateway.models.overview` refuses something for."""
    if reason == UPSTREAM_UNAVAILABLE:
        return UpstreamUnavailable(service)
    if reason == UNKNOWN:
        return NotFound(UNKNOWN, f"there is no model {model}", metadata={"model": model})
    if reason == WRONG_TASK:
        return InvalidInput(WRONG_TASK, f"model {model} is not for this task", metadata={"model": model})
    messages = {
        MANAGED_ELSEWHERE: "models are installed and removed where the services run: this gateway has no models "
        "folder of its own, or the model is not in it",
        IN_USE: f"the {service} service uses model {model}, or was started with it; switch to another one first, and "
        f"start it with another one (RECORDROUTE_{service.upper()}_MODEL)",
        PULLING: f"model {model} is being pulled; wait for it, or cancel that first",
        NOT_INSTALLED: f"model {model} is not installed where the {service} service looks for it; pull it first",
        BROKEN: f"files of model {model} are missing or damaged; pull it again to mend it",
        FIXED_AT_START: f"the {service} service takes this model at its start only, and makes the search index anew "
        "with another one: set RECORDROUTE_VECTOR_MODEL and start again",
    }
    return PreconditionFailed(reason, messages[reason], metadata={"model": model})
