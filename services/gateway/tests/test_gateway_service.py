"""The gateway put together: what it says while its database is away."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from recordroute_gateway.service import GatewayService
from recordroute_gateway.settings import GatewaySettings
from recordroute_runtime.errors import UpstreamUnavailable
from recordroute_runtime.settings import CommonSettings


async def test_database_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql://nobody:secret@127.0.0.1:{unused.getsockname()[1]}/none"
        service = GatewayService(GatewaySettings(database_url=url), CommonSettings(data_dir=tmp_path))
        # A DomainError: the server stays NOT_SERVING and tries again.
        with pytest.raises(UpstreamUnavailable) as caught:
            await service.load()
    assert "secret" not in caught.value.message
    await service.close()
