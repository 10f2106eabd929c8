"""Settings of the vector service."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator
from recordroute_runtime.settings import ServerSettings


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class VectorSettings(ServerSettings, section="vector"):
    """What the vector service reads."""

    listen: str = Field("127.0.0.1:7103", description="Address to serve on: `host:port`, or `unix:/path`.")
    model: str = Field(
        "multilingual-e5-small",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Id of the embedding model. An index belongs to the model that it was made with.",
    )
    threads: int = Field(
        default_factory=_cpus,
        ge=1,
        le=256,
        description="Cores that one batch of texts is embedded on. By default the number of cores.",
    )
    batch_token_budget: int = Field(
        512,
        ge=1,
        description="Tokens of a batch, padding included. On a CPU small batches of equal length are fastest.",
    )
    max_waiting: int = Field(
        64, ge=0, description="Calls that may wait for the embedding model; more are refused as OVERLOADED."
    )
    passage_tokens: int = Field(
        192, ge=16, description="Most tokens of a passage that a transcript is cut into, prefix not included."
    )
    passage_overlap_tokens: int = Field(
        32,
        ge=0,
        validate_default=True,
        description="Most tokens that a passage repeats from the end of the one before it, in whole sentences.",
    )
    index_dir: Path | None = Field(
        None, description="Folder of the index; unset: `index` in the data folder."
    )
    min_free_bytes: int = Field(
        256 << 20,
        ge=0,
        description="Room that must be left on the index's disk for it to take more; searches go on without.",
    )
    dense_weight: float = Field(
        0.6, ge=0, le=1, description="Weight of meaning against words in a hybrid search."
    )

    @field_validator("passage_overlap_tokens")
    @classmethod
    def _less_than_a_passage(cls, value: int, info: ValidationInfo) -> int:
        if "passage_tokens" in info.data and value >= info.data["passage_tokens"]:
            raise ValueError("must be less than passage_tokens")
        return value
