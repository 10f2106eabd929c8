"""What every package's tests share: where the models and the sample data are."""

from __future__ import annotations

from pathlib import Path

import pytest
from recordroute_runtime.settings import CommonSettings, load_settings


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder of the installed models, which `make test` fills first."""
    return load_settings(CommonSettings).models_dir


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the sample recordings."""
    return Path(__file__).parent / "tests/data"
