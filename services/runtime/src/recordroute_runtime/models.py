"""Finds installed models on disk.

A model is the folder `<models_dir>/<id>` with its files and a `model.json`, which the model manager writes last:
a folder without one is not installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recordroute_runtime.errors import ModelMissing

MANIFEST = "model.json"


@dataclass(frozen=True)
class InstalledModel:
    """A model on disk. `parameters` holds what its engine must know, as the catalogue says it."""

    id: str
    task: str
    path: Path
    languages: tuple[str, ...]
    license: str
    size_bytes: int
    parameters: Mapping[str, Any]


def find_model(models_dir: Path, model_id: str) -> InstalledModel:
    """Returns the installed model. Raises ModelMissing where it is not there."""
    folder = models_dir / model_id
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise ModelMissing(model_id) from error
    return InstalledModel(
        id=model_id,
        task=manifest["task"],
        path=folder,
        languages=tuple(manifest.get("languages", ())),
        license=manifest.get("license", ""),
        size_bytes=sum(file["size"] for file in manifest.get("files", ())),
        parameters=manifest.get("parameters", {}),
    )


def installed_models(models_dir: Path, task: str) -> list[InstalledModel]:
    """Returns the installed models of a task ("stt", "llm", "embedding"), by id."""
    manifests = sorted(models_dir.glob(f"*/{MANIFEST}"))
    models = [find_model(models_dir, manifest.parent.name) for manifest in manifests]
    return [model for model in models if model.task == task]
