"""`recordroute up`: the embedded system in the foreground."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.places import (
    DATA_DIR_VARIABLE,
    DEFAULT_HOST,
    DEFAULT_HTTP_PORT,
    DEFAULT_PORT,
    data_dir,
    join_address,
)
from recordroute_cli.terminal import JsonOption

if TYPE_CHECKING:
    from recordroute_gateway.settings import GatewaySettings


def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    http_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help=f"Port of HTTP, for browsers and scripts; 0 serves none. Default: {DEFAULT_HTTP_PORT}, and none with "
            "--port 0.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--data-dir", help="Folder of the library; else RECORDROUTE_DATA_DIR.")
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(help="PEM file of a certificate; needed for addresses that others reach."),
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of the certificate's key.")] = None,
    watch_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder whose files are taken in, once each, also those that come later."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Start RecordRoute and keep it running until Ctrl-C. Missing models are fetched first."""
    from recordroute_cli import embedded
    from recordroute_cli.stop_signals import stop_signals
    from recordroute_cli.supervisor import Event, embedded_system

    data = folder.absolute() if folder is not None else data_dir()
    if http_port is None:
        http_port = DEFAULT_HTTP_PORT if port else 0
    if watch_folder is not None:
        if not watch_folder.is_dir():
            raise CommandError(f"there is no folder {watch_folder}", ExitCode.USAGE)
        os.environ["RECORDROUTE_GATEWAY_WATCH_FOLDER"] = str(watch_folder.absolute())
    settings = _gateway_settings(tls_cert, tls_key)
    has_tls = settings.tls_cert is not None
    # Nobody calls a server by the address that means all of a machine's.
    name = "localhost" if host in ("0.0.0.0", "::") else host
    http_address = f"http{'s' if has_tls else ''}://{join_address(name, http_port)}" if http_port else ""
    remote_address = f"https://{join_address(name, port)}" if has_tls and port else ""
    with stop_signals() as stops:
        models_dir = embedded.models_dir()
        with embedded_system(
            data, models_dir, host, port, stops, http_port=http_port, has_tls=has_tls
        ) as supervisor:
            embedded.ensure_models(stops)
            with embedded.stop_event(stops, supervisor):
                supervisor.start()
                if not json_output:
                    terminal.note("starting RecordRoute")
                if embedded.wait_ready(supervisor, embedded.show_event):
                    address = remote_address or supervisor.address
                    _announce(address, http_address, data, _token(settings, data), json_output)
                    embedded.wait_stopped(supervisor, embedded.show_event)
            if json_output:
                embedded.show_event(Event("stopping"))
            else:
                terminal.note("stopping; Ctrl-C again ends it at once")
    if json_output:
        embedded.show_event(Event("stopped"))


def _gateway_settings(tls_cert: Path | None, tls_key: Path | None) -> GatewaySettings:
    """Returns what the gateway is going to read. The certificate of the options reaches it by the environment."""
    from recordroute_gateway.settings import GatewaySettings
    from recordroute_runtime.settings import load_settings

    for name, path in (("CERT", tls_cert), ("KEY", tls_key)):
        if path is not None:
            os.environ[f"RECORDROUTE_GATEWAY_TLS_{name}"] = str(path.absolute())
    return load_settings(GatewaySettings)


def _token(settings: GatewaySettings, data: Path) -> str:
    """Returns the token that the gateway takes: its setting, or the one in the data folder. Empty: it takes everybody.

    Raises CommandError.
    """
    from recordroute_runtime.tokens import TOKEN_FILE, TokenUnusable, ensure_token

    if settings.auth == "none":
        return ""
    try:
        return settings.token.get_secret_value() or ensure_token(data / TOKEN_FILE)
    except TokenUnusable as error:
        raise CommandError(str(error)) from error


def _announce(address: str, http_address: str, data: Path, token: str, json_output: bool) -> None:
    if json_output:
        addresses = {"address": address, **({"http_address": http_address} if http_address else {})}
        terminal.write_json_line({"event": "serving", **addresses, "data_dir": str(data)})
        return
    console = terminal.out()
    console.print(f"RecordRoute is ready at {address}", style="bold green")
    if http_address:
        # A fragment stays in the browser: no server and no log has it.
        fragment = f"/#token={token}" if token else ""
        console.print(f"  browser  {http_address}{fragment}", soft_wrap=True, highlight=False)
        console.print(f"  API      {http_address}/docs", soft_wrap=True, highlight=False)
    console.print(f"  library  {terminal.plain(str(data))}", soft_wrap=True)
    console.print(f"  logs     {terminal.plain(str(data / 'logs'))}", soft_wrap=True)
    # Other commands look for the server and its token in the data folder that they take for theirs.
    place = "" if data == data_dir() else f"{DATA_DIR_VARIABLE}={shlex.quote(terminal.plain(str(data)))} "
    console.print(f"  add a recording with: {place}{terminal.command_name()} add FILE", soft_wrap=True)
    console.print("  stop with Ctrl-C")
