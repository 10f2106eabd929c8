"""The gateway's tests run on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from recordroute_gateway.database import library_url
from recordroute_gateway.settings import GatewaySettings
from recordroute_runtime.settings import CommonSettings


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    url = request.getfixturevalue("new_postgresql")() if request.param == "postgresql" else ""
    return library_url(GatewaySettings(database_url=url), CommonSettings(data_dir=tmp_path))
