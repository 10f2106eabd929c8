"""Where the data is, and where the server is that serves it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from recordroute_cli.errors import CommandError
from recordroute_cli.whole_file import replacing

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7100
DEFAULT_HTTP_PORT = 7180
GATEWAY_VARIABLE = "RECORDROUTE_GATEWAY"
TOKEN_VARIABLE = "RECORDROUTE_TOKEN"
TLS_CA_VARIABLE = "RECORDROUTE_TLS_CA"
DATA_DIR_VARIABLE = "RECORDROUTE_DATA_DIR"
CONFIG_VARIABLE = "RECORDROUTE_CONFIG"
SERVER_FILE = "server.json"


def data_dir() -> Path:
    """Returns the data folder as every service would: RECORDROUTE_DATA_DIR, the settings file, the default.

    Only the settings file needs the settings library, which takes longer to import than most commands run.
    """
    if os.environ.get(DATA_DIR_VARIABLE):
        return Path(os.environ[DATA_DIR_VARIABLE]).absolute()
    if os.environ.get(CONFIG_VARIABLE):
        from recordroute_runtime.settings import CommonSettings, load_settings

        return load_settings(CommonSettings).data_dir.absolute()
    import platformdirs

    return platformdirs.user_data_path("recordroute") / "data"


@dataclass(frozen=True)
class ServerInfo:
    """What a running `recordroute up` leaves in its data folder for the other commands."""

    address: str
    pid: int
    run_dir: str
    version: str

    @property
    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def write(self, folder: Path) -> None:
        """Replaces the file in one step: readers see the old one or the new one."""
        with replacing(folder / SERVER_FILE) as file:
            file.write(json.dumps(asdict(self)).encode())


def read_server(folder: Path) -> ServerInfo | None:
    """Returns what the last server of this folder wrote; it may be dead."""
    try:
        values = json.loads((folder / SERVER_FILE).read_text())
        return ServerInfo(
            address=str(values["address"]),
            pid=int(values["pid"]),
            run_dir=str(values["run_dir"]),
            version=str(values["version"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def join_address(host: str, port: int) -> str:
    """Returns `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def gateway_address() -> str:
    """Returns the gateway's address: RECORDROUTE_GATEWAY, that of the running `up`, or the default.

    `https://host:port` is one that is spoken to over TLS.
    """
    if address := os.environ.get(GATEWAY_VARIABLE):
        return address
    server = read_server(data_dir())
    if server is not None and server.alive:
        return server.address
    return join_address(DEFAULT_HOST, DEFAULT_PORT)


def access_token(address: str) -> str:
    """Returns the token for the gateway at `address`: RECORDROUTE_TOKEN, else, for a server of this machine, the one
    that `up` has put into the data folder. Empty where there is none. Raises CommandError for one that can't be used.
    """
    if token := os.environ.get(TOKEN_VARIABLE):
        return token
    from recordroute_runtime.addresses import is_local
    from recordroute_runtime.tokens import TOKEN_FILE, TokenUnusable, read_token

    # Another machine's server is none of those that this token is for.
    if not is_local(address.removeprefix("https://")):
        return ""
    try:
        return read_token(data_dir() / TOKEN_FILE) or ""
    except TokenUnusable as error:
        raise CommandError(str(error)) from error


def tls_authorities() -> bytes | None:
    """Returns the PEM of the authorities that RECORDROUTE_TLS_CA names; None: those of the system count."""
    path = os.environ.get(TLS_CA_VARIABLE)
    return Path(path).read_bytes() if path else None
