"""Settings of the vector service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from recordroute_runtime.settings import ServerSettings

from recordroute_vector.hardware import DeviceSetting


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
    model_dir: Path | None = Field(
        None,
        description="Folder of an embedding model as a hub has it, with an ONNX file; goes before `model`, and the "
        "folder's name is its id.",
    )
    model_parameters: dict[str, str | int | bool] = Field(
        default_factory=dict,
        description="What the model's own files do not say, or say wrongly: `file`, `output`, `pooling` (mean, cls or "
        "last_token), `query_prefix`, `passage_prefix`, `max_tokens`, `dimensions`, `padding_id`, `lowercase`.",
    )
    device: DeviceSetting = Field(
        "auto",
        description="Hardware that the model runs on: `cpu`, `cuda`, `coreml`, or the best of them that is there. One "
        "that is asked for and is not there is an error.",
    )
    threads: int = Field(
        default_factory=_cpus,
        ge=1,
        le=256,
        description="Batches that are embedded at a time, one core each. By default the number of cores.",
    )
    batch_token_budget: int | None = Field(
        None,
        ge=1,
        description="Tokens of a batch, padding included; unset: 256 on a CPU, where small batches of equal length are "
        "fastest, and 16384 elsewhere.",
    )
    batch_window_ms: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="Time that an idle model waits for texts of other calls to fill its batch. On a CPU there is "
        "nothing to win: calls that come while it works share the next batch.",
    )
    max_request_tokens: int = Field(
        131_072, ge=512, description="Most tokens of one request for embeddings; a stream has no such limit."
    )
    max_queued_tokens: int = Field(
        262_144,
        ge=512,
        description="Most tokens that wait for the embedding model; further calls are refused as OVERLOADED, and "
        "streams wait.",
    )
    passage_tokens: int = Field(
        128, ge=16, description="Most tokens of a passage that a transcript is cut into, prefix not included."
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
    index_url: str = Field(
        "",
        pattern=r"^(https?://[^/]+)?$",
        description="Address of a Qdrant server's gRPC port, such as `http://qdrant:6334`; empty: the index is kept in "
        "`index_dir` by this service.",
    )
    index_collection: str = Field(
        "recordroute", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Collection on the Qdrant server."
    )
    index_api_key: SecretStr = Field(SecretStr(""), description="Key of the Qdrant server; empty: none.")
    erase_after_hours: float = Field(
        24.0,
        gt=0,
        description="Time until deleted texts are gone from the index's disk; until then they are only never found.",
    )
    min_free_bytes: int = Field(
        256 << 20,
        ge=0,
        description="Room that must be left on the index's disk for it to take more; searches go on without.",
    )
    dense_weight: float = Field(
        0.7, ge=0, le=1, description="Weight of meaning against words in a hybrid search."
    )
    rerank: Literal["none", "late_interaction", "cross_encoder"] = Field(
        "none", description="How the best results are ranked anew where the caller does not say."
    )
    rerank_model: str = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$",
        description="Id of an installed cross-encoder (`tokenizer.json`, `model.onnx`); empty: none.",
    )
    cache_max_bytes: int = Field(
        64 << 20,
        ge=0,
        description="Memory for results that are kept for the same search again; 0 keeps none.",
    )
    cache_ttl_seconds: float = Field(
        300.0, ge=0, description="How long they are kept; a change of the owner's documents ends it at once."
    )
    page_token_secret: SecretStr = Field(
        SecretStr(""),
        description="Signs the page tokens of searches; the same for all replicas. Empty: one of this process's own.",
    )

    @model_validator(mode="after")
    def _cross_encoder_is_named(self) -> Self:
        if self.rerank == "cross_encoder" and not self.rerank_model:
            raise ValueError("rerank is cross_encoder, but rerank_model names none")
        return self

    @field_validator("passage_overlap_tokens")
    @classmethod
    def _less_than_a_passage(cls, value: int, info: ValidationInfo) -> int:
        if "passage_tokens" in info.data and value >= info.data["passage_tokens"]:
            raise ValueError("must be less than passage_tokens")
        return value
