"""An installed model on disk: its files and `model.json`, which is written last."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recordroute_runtime.models import MANIFEST

from recordroute_models.catalogue import FileSpec, Model, ModelSource
from recordroute_models.digest import OnBytes, file_sha256, ignore_bytes


@dataclass(frozen=True)
class InstalledFile:
    """A file as it was when its hash was last right: `mtime_ns` None says that its date is not known.

    `broken` files have failed a check since.
    """

    path: str
    size: int
    sha256: str
    mtime_ns: int | None
    broken: bool = False


@dataclass(frozen=True)
class Manifest:
    """What `model.json` says."""

    source: str
    files: tuple[InstalledFile, ...]
    parameters: dict[str, Any]


class Installation:
    """The folder of one model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manifest(self) -> Manifest | None:
        """Returns what is installed, None where nothing is or the manifest can't be read."""
        try:
            values = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            files = tuple(
                InstalledFile(
                    file["path"],
                    file["size"],
                    file["sha256"],
                    file.get("mtime_ns"),
                    file.get("broken", False),
                )
                for file in values["files"]
            )
            return Manifest(values.get("source", ""), files, values["parameters"])
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return None

    def unchanged(self, manifest: Manifest, spec: FileSpec) -> bool:
        """Says whether the file was right when written and has not been touched since; reads no content."""
        record = next((file for file in manifest.files if file.path == spec.path), None)
        if record is None or record.broken or (record.size, record.sha256) != (spec.size, spec.sha256):
            return False
        status = self._stat(spec.path)
        return status is not None and (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns)

    def problem(self, spec: FileSpec | InstalledFile, on_bytes: OnBytes = ignore_bytes) -> str | None:
        """Reads a file and returns what is wrong with it."""
        status = self._stat(spec.path)
        if status is None:
            return "is missing"
        if status.st_size != spec.size:
            return f"has {status.st_size} bytes instead of {spec.size}"
        return None if file_sha256(self.folder / spec.path, on_bytes) == spec.sha256 else "has other content"

    def add(self, staged: Path, spec: FileSpec) -> None:
        """Moves a checked file into the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _flush(staged)
        staged.replace(self.folder / spec.path)

    def retract(self) -> None:
        """Makes the model uninstalled, with its files left where they are."""
        (self.folder / MANIFEST).unlink(missing_ok=True)

    def record(self, model: Model, source: ModelSource) -> None:
        """Writes `model.json` for checked files, which makes the model installed."""
        files = [
            InstalledFile(spec.path, spec.size, spec.sha256, (self.folder / spec.path).stat().st_mtime_ns)
            for spec in model.files_from(source)
        ]
        self._write({**_description(model, source), "files": [asdict(file) for file in files]})

    def describes(self, model: Model, source: ModelSource) -> bool:
        """Says whether `model.json` tells the same as the catalogue, files left aside."""
        values = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return {name: value for name, value in values.items() if name != "files"} == _description(
            model, source
        )

    def mark_broken(self, paths: Collection[str]) -> None:
        """Notes in `model.json` that these files have failed a check, so that their dates are not trusted."""
        values = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        for file in values["files"]:
            file["broken"] = file["path"] in paths
        self._write(values)

    def _write(self, values: dict[str, Any]) -> None:
        temporary = self.folder / f".{MANIFEST}"
        temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        _flush(temporary)
        temporary.replace(self.folder / MANIFEST)
        _flush(self.folder)

    def _stat(self, path: str) -> os.stat_result | None:
        try:
            return (self.folder / path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _description(model: Model, source: ModelSource) -> dict[str, Any]:
    return {
        "id": model.id,
        "task": model.task,
        "languages": list(model.languages),
        "license": model.license,
        "source": source.kind,
        "parameters": model.parameters_from(source),
    }


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
