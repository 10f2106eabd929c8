"""`recordroute up`: the embedded system in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.places import DEFAULT_HOST, DEFAULT_PORT, data_dir
from recordroute_cli.terminal import JsonOption


def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    folder: Annotated[
        Path | None, typer.Option("--data-dir", help="Folder of the library; else RECORDROUTE_DATA_DIR.")
    ] = None,
    allow_remote: Annotated[
        bool,
        typer.Option("--allow-remote", help="Listen on addresses that others reach, without authentication."),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Start RecordRoute and keep it running until Ctrl-C. Missing models are fetched first."""
    from recordroute_cli import embedded
    from recordroute_cli.supervisor import Event, embedded_system, stop_signals

    data = folder.absolute() if folder is not None else data_dir()
    with stop_signals(embedded.interrupt):
        models_dir = embedded.models_dir()
        with embedded_system(data, models_dir, host, port, allow_remote=allow_remote) as supervisor:
            embedded.ensure_models()
            with embedded.stop_event(supervisor):
                supervisor.start()
                if not json_output:
                    terminal.note("starting RecordRoute")
                if embedded.wait_ready(supervisor, embedded.show_event):
                    _announce(supervisor.address, data, json_output)
                    embedded.wait_stopped(supervisor, embedded.show_event)
            if json_output:
                embedded.show_event(Event("stopping"))
            else:
                terminal.note("stopping; Ctrl-C again ends it at once")
    if json_output:
        embedded.show_event(Event("stopped"))


def _announce(address: str, data: Path, json_output: bool) -> None:
    if json_output:
        terminal.write_json_line({"event": "serving", "address": address, "data_dir": str(data)})
        return
    console = terminal.out()
    console.print(f"RecordRoute is ready at {address}", style="bold green")
    console.print(f"  library  {terminal.plain(str(data))}", soft_wrap=True)
    console.print(f"  logs     {terminal.plain(str(data / 'logs'))}", soft_wrap=True)
    console.print(f"  add a recording with: {terminal.command_name()} add FILE")
    console.print("  stop with Ctrl-C")
