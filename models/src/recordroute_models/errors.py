"""What can go wrong with models, as one sentence each that says what to do."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from recordroute_runtime.errors import DomainError, ModelMissing, NotFound, PreconditionFailed, StorageFull


class FetchError(Exception):
    """A file can't be had from a source. The message says why; the manager adds which model it is for."""


class CorruptFile(FetchError):
    """A source gives other bytes than the catalogue names, however often it is asked."""


class SourceUnreachable(FetchError):
    """There is no way to a source from this machine."""


class CatalogueInvalid(DomainError):
    """The catalogue file can't be used."""

    status = grpc.StatusCode.FAILED_PRECONDITION

    def __init__(self, message: str) -> None:
        super().__init__("CATALOGUE_INVALID", message)


class ModelUnknown(NotFound):
    """No model of the catalogue has this id."""

    def __init__(self, model: str, known: Iterable[str]) -> None:
        super().__init__(
            "MODEL_UNKNOWN",
            f"there is no model {model}; there are: {', '.join(known)}",
            metadata={"model": model},
        )


class ModelMissingOffline(PreconditionFailed):
    """A model is not installed and fetching it is switched off."""

    def __init__(self, model: str) -> None:
        super().__init__(
            "OFFLINE",
            f"model {model} is not installed and RECORDROUTE_OFFLINE is set; "
            f"unset it and install it with: recordroute models pull {model}",
            metadata={"model": model},
        )


class ModelDownloadFailed(DomainError):
    """No source gave the model."""

    status = grpc.StatusCode.UNAVAILABLE

    def __init__(self, model: str, reasons: Iterable[str]) -> None:
        super().__init__(
            "MODEL_DOWNLOAD_FAILED",
            f"model {model} can't be fetched: {'; '.join(reasons)}. What has arrived is kept: "
            f"try again with: recordroute models pull {model}",
            metadata={"model": model},
        )


class ModelSourcesUnreachable(DomainError):
    """This machine reaches no source of the model."""

    status = grpc.StatusCode.UNAVAILABLE

    def __init__(self, model: str, reasons: Iterable[str], folder: str) -> None:
        super().__init__(
            "MODEL_DOWNLOAD_FAILED",
            f"model {model} can't be fetched, this machine reaches none of its sources: {'; '.join(reasons)}. "
            "Behind a proxy set HTTPS_PROXY; for a mirror set RECORDROUTE_MODELS_PACKAGE_INDEX or "
            "RECORDROUTE_MODELS_HUB_ENDPOINT; without a network copy the models folder of a machine that has them "
            f"to {folder}",
            metadata={"model": model},
        )


class ModelCorrupt(DomainError):
    """What a source gave is not the model that the catalogue names; nothing of it is kept."""

    status = grpc.StatusCode.DATA_LOSS

    def __init__(self, model: str, reasons: Iterable[str]) -> None:
        super().__init__(
            "MODEL_CHECKSUM",
            f"model {model} can't be installed, its files are not what the catalogue names: {'; '.join(reasons)}",
            metadata={"model": model},
        )


class ModelsBroken(DomainError):
    """Installed files are not what they should be."""

    status = grpc.StatusCode.DATA_LOSS

    def __init__(self, models: Iterable[str]) -> None:
        names = list(models)
        subject = f"model {names[0]} is" if len(names) == 1 else f"models {', '.join(names)} are"
        super().__init__(
            "MODEL_BROKEN",
            f"{subject} broken; mend with: recordroute models pull {' '.join(names)}",
            metadata={"models": ",".join(names)},
        )


class ModelsFolderUnwritable(PreconditionFailed):
    """The models folder can't be written to."""

    def __init__(self, folder: str, why: str) -> None:
        super().__init__(
            "MODELS_FOLDER_UNWRITABLE",
            f"the models folder {folder} can't be written to ({why}); "
            "set RECORDROUTE_MODELS_DIR to another one",
        )


class ModelsFolderFull(StorageFull):
    """The disk has no room for a model."""

    def __init__(self, model: str, folder: str, missing_bytes: int | None = None) -> None:
        room = "" if missing_bytes is None else f" ({max(1, round(missing_bytes / 1e6))} MB more are needed)"
        super().__init__(
            f"no room for model {model} in {folder}{room}; "
            "free some, or set RECORDROUTE_MODELS_DIR to another disk"
        )


__all__ = [
    "CatalogueInvalid",
    "CorruptFile",
    "FetchError",
    "ModelCorrupt",
    "ModelDownloadFailed",
    "ModelMissing",
    "ModelMissingOffline",
    "ModelSourcesUnreachable",
    "ModelUnknown",
    "ModelsBroken",
    "ModelsFolderFull",
    "ModelsFolderUnwritable",
    "SourceUnreachable",
]
