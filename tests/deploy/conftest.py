"""The deployment files, parsed: what the tests of this folder look at."""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from deploy_files import IMAGES, KUSTOMIZATIONS, ROOT, SERVICES, Instruction, Manifest, parse_dockerfile, tool
from recordroute_runtime.settings import ServerSettings


@pytest.fixture(scope="session")
def settings_classes() -> Mapping[str, type[ServerSettings]]:
    """Each service's class of settings."""
    return {
        name: getattr(importlib.import_module(f"recordroute_{name}.settings"), f"{name.capitalize()}Settings")
        for name in SERVICES
    }


@pytest.fixture(scope="session")
def ports(settings_classes: Mapping[str, type[ServerSettings]]) -> Mapping[str, int]:
    """The port that each service listens on by default."""
    return {
        name: int(settings_class.model_fields["listen"].default.rpartition(":")[2])
        for name, settings_class in settings_classes.items()
    }


@pytest.fixture(scope="session")
def dockerfiles() -> Mapping[str, list[Instruction]]:
    """The instructions of each image's Dockerfile."""
    return {name: parse_dockerfile(path) for name, path in IMAGES.items()}


@pytest.fixture(scope="session")
def compose() -> Manifest:
    """docker-compose.yml."""
    parsed: Manifest = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Each kustomization as `kubectl kustomize` renders it."""
    folder = tmp_path_factory.mktemp("kustomize")
    files = {}
    for name in KUSTOMIZATIONS:
        built = subprocess.run(
            [tool("kubectl"), "kustomize", str(ROOT / "k8s" / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr
        files[name] = folder / f"{name.replace('/', '-')}.yaml"
        files[name].write_text(built.stdout)
    return files


@pytest.fixture(params=KUSTOMIZATIONS)
def manifests(request: pytest.FixtureRequest, rendered: Mapping[str, Path]) -> list[Manifest]:
    """The manifests of one kustomization after the other."""
    return [manifest for manifest in yaml.safe_load_all(rendered[request.param].read_text()) if manifest]
