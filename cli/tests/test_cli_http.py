"""The HTTP port of `recordroute up`."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from recordroute_cli import supervisor
from recordroute_cli.errors import CommandError
from recordroute_cli.stop_signals import StopSignals

VARIABLE = "RECORDROUTE_GATEWAY_HTTP_LISTEN"


@pytest.mark.parametrize("listen", ["", "127.0.0.1:7180"])
def test_only_the_gateway_is_told_of_it(tmp_path: Path, listen: str) -> None:
    *others, gateway = supervisor.embedded_services(tmp_path, tmp_path, tmp_path, "127.0.0.1:7100", listen)
    # Also where the user's environment has another one: `--http-port 0` serves none.
    assert supervisor.child_environment(gateway, {VARIABLE: "127.0.0.1:1"})[VARIABLE] == listen
    assert all(VARIABLE not in spec.environment for spec in others)


def test_a_port_in_use_names_its_option(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        system = supervisor.embedded_system(
            tmp_path / "data", tmp_path, "127.0.0.1", 0, StopSignals(), http_port=port
        )
        with pytest.raises(CommandError, match="choose another with --http-port"), system:
            pytest.fail("it was started")


def test_up_serves_http_where_it_is_told(cli, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = cli("up", "--port", "0", "--http-port", port, "--data-dir", tmp_path / "data")
        assert f"port {port} on 127.0.0.1 is in use" in ran.err
        assert "--http-port" in ran.err
