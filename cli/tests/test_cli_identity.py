"""`whoami`, `keys`, `share`, `audit` and tokens, with a real gateway in a process of its own: TLS for others, a unix
socket for this machine."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.places import access_token


@dataclass(frozen=True)
class Server:
    """The gateway: where it is, and what it trusts."""

    data_dir: Path
    local: str
    remote: str
    url: str
    ca: Path


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, gateway_process) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("g")
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    port, http_port = free_port(), free_port()
    made = Server(
        data_dir=folder / "data",
        local=f"unix:{folder}/gateway.sock",
        remote=f"https://localhost:{port}",
        url=f"https://localhost:{http_port}",
        ca=folder / "ca.pem",
    )
    variables = {
        "RECORDROUTE_DATA_DIR": str(made.data_dir),
        "RECORDROUTE_GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "RECORDROUTE_GATEWAY_HTTP_LISTEN": f"127.0.0.1:{http_port}",
        "RECORDROUTE_GATEWAY_LOCAL_LISTEN": made.local,
        "RECORDROUTE_GATEWAY_TLS_CERT": str(folder / "cert.pem"),
        "RECORDROUTE_GATEWAY_TLS_KEY": str(folder / "key.pem"),
        "RECORDROUTE_GATEWAY_MAX_STORAGE_BYTES_PER_USER": "2000000",
    }
    with gateway_process(folder, made.local, variables):
        yield made


@pytest.fixture
def operator(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """As somebody on the server's machine: the token is in the data folder."""
    monkeypatch.setenv("RECORDROUTE_DATA_DIR", str(server.data_dir))
    monkeypatch.setenv("RECORDROUTE_GATEWAY", server.local)
    return server


@pytest.fixture
def away(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """As somebody elsewhere."""
    monkeypatch.setenv("RECORDROUTE_GATEWAY", server.remote)
    monkeypatch.setenv("RECORDROUTE_TLS_CA", str(server.ca))
    return server


def test_token_of_the_data_folder_is_the_operators(cli, operator: Server) -> None:
    ran = cli("whoami")
    assert ran.code == ExitCode.OK
    assert ran.out.startswith("local, with the system's own token\n  may      read, write, admin\n")
    assert "of 2.0 MB" in ran.out or "of 1.9 MiB" in ran.out
    caller = json.loads(cli("whoami", "--json").out)["caller"]
    assert (caller["user"], caller["is_operator"], caller["api_key_id"]) == ("local", True, "")


def test_without_a_token_the_way_to_one_is_told(cli, away: Server) -> None:
    ran = cli("whoami")
    assert ran.code == ExitCode.FAILED
    assert "put it into RECORDROUTE_TOKEN (TOKEN_MISSING)" in ran.err
    assert json.loads(cli("list", "--json").out)["error"]["reason"] == "TOKEN_MISSING"


def test_token_of_this_machine_goes_nowhere_else(operator: Server) -> None:
    assert access_token(operator.local) == access_token("127.0.0.1:7100") != ""
    assert access_token("192.0.2.1:7100") == access_token("https://example.org:443") == ""


def test_certificate_of_a_stranger_is_not_trusted(cli, away: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECORDROUTE_TLS_CA")
    assert cli("whoami").code == ExitCode.UNREACHABLE


def test_http_is_https(server: Server) -> None:
    import ssl

    context = ssl.create_default_context(cafile=str(server.ca))
    with httpx.Client(verify=context, trust_env=False) as client:
        assert client.get(f"{server.url}/healthz").status_code == 200
        assert client.get(f"{server.url}/history").status_code == 401
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(f"{server.url}/healthz")


def test_life_of_a_key(cli, operator: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("keys", "create", "anna's laptop", "--user", "anna", "--expires", "2999-01-01")
    assert ran.code == ExitCode.OK
    secret = ran.out.strip()
    key_id = secret.partition(".")[0]
    assert key_id.startswith("rrk_")
    assert secret not in ran.err
    made = json.loads(cli("keys", "create", "script", "--scope", "read", "--json").out)
    assert (made["api_key"]["scopes"], made["api_key"]["user"]) == (["read"], "local")
    listed = cli("keys", "list", "--all-users").out
    assert f"{key_id}  anna  anna's laptop  read,write  last used never  expires " in listed
    assert "script" in listed
    assert secret.partition(".")[2] not in listed
    # Elsewhere, with the key.
    monkeypatch.setenv("RECORDROUTE_GATEWAY", operator.remote)
    monkeypatch.setenv("RECORDROUTE_TLS_CA", str(operator.ca))
    monkeypatch.setenv("RECORDROUTE_TOKEN", secret)
    assert cli("whoami").out.startswith(
        f"anna (anna's laptop)\n  may      read, write\n  key      {key_id}\n"
    )
    refused = cli("keys", "create", "more", "--scope", "admin")
    assert (refused.code, "SCOPE_MISSING" in refused.err) == (ExitCode.FAILED, True)
    assert cli("keys", "revoke", "no such name").code == ExitCode.NOT_FOUND
    assert cli("keys", "revoke", secret).code == ExitCode.USAGE
    assert cli("keys", "revoke", "anna's laptop").out == f"{key_id} is revoked\n"
    ran = cli("whoami", "--json")
    assert json.loads(ran.out)["error"]["reason"] == "TOKEN_REVOKED"
    monkeypatch.delenv("RECORDROUTE_TOKEN")
    monkeypatch.setenv("RECORDROUTE_GATEWAY", operator.local)
    assert "revoked" in cli("keys", "list", "--all-users").out
    assert json.loads(cli("keys", "revoke", made["api_key"]["id"], "--json").out) == {
        "revoked": [made["api_key"]["id"]]
    }


def test_sharing_and_what_was_done(
    cli, operator: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n\nThe budget is three million.\n")
    assert cli("add", tmp_path / "notes.md", "--detach").code == ExitCode.OK
    (recording,) = json.loads(cli("list", "--json").out)["recordings"]
    short = recording["id"][:8]
    assert "nobody else sees it" in cli("shares", short).err
    assert cli("share", short, "minji").out == "minji may read it\n"
    assert json.loads(cli("share", short, "minji", "--write", "--json").out)["share"]["access"] == "write"
    assert cli("shares", short).out.startswith("minji  write  since ")
    secret = cli("keys", "create", "minji's", "--user", "minji").out.strip()
    monkeypatch.setenv("RECORDROUTE_TOKEN", secret)
    assert short in cli("list").out
    refused = cli("shares", short)
    assert "NOT_OWNER" in refused.err
    assert cli("share", "nope", "x").code == ExitCode.USAGE
    monkeypatch.delenv("RECORDROUTE_TOKEN")
    assert cli("unshare", short, "minji").out == "minji sees it no more\n"
    assert json.loads(cli("shares", short, "--json").out) == {"shares": []}
    events = json.loads(cli("audit", short, "--json").out)["events"]
    assert [event["action"] for event in events] == [
        "LibraryService/UnshareRecording",
        "LibraryService/ShareRecording",
        "LibraryService/ShareRecording",
        "WorkflowService/StartWorkflow",
        "UploadService/UploadRecording",
    ]
    assert {(event["outcome"], event["user"]) for event in events} == {("OK", "local")}
    shown = cli("audit", "--limit", "1", short).out
    assert f"local  UnshareRecording  {short}  OK" in shown
    assert shown.count("\n") == 1
    assert "CreateApiKey" in cli("audit", "--all-users").out


@pytest.mark.parametrize(
    "command", [("whoami",), ("keys",), ("keys", "create"), ("keys", "list"), ("keys", "revoke"), ("audit",),
                ("share",), ("unshare",), ("shares",)],
)  # fmt: skip
def test_help(cli, command: tuple[str, ...]) -> None:
    ran = cli(*command, "--help")
    assert ran.code == ExitCode.OK
    assert "Usage: recordroute" in ran.out
