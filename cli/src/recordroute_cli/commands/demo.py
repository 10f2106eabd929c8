"""`recordroute demo`: the whole way of one recording, shown on a sample."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.files import MEDIA_SUFFIXES
from recordroute_cli.places import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    GATEWAY_VARIABLE,
    data_dir,
    gateway_address,
    read_server,
)
from recordroute_cli.terminal import JsonOption

if TYPE_CHECKING:
    from recordroute.common.v1 import minutes_pb2
    from recordroute.gateway.v1 import library_pb2, search_pb2, workflow_pb2

    from recordroute_cli.client import Gateway
    from recordroute_cli.progress import Display, Item
    from recordroute_cli.stop_signals import StopSignals
    from recordroute_cli.supervisor import Supervisor

QUERY = "why did the times not match"
# Ids made of the sample's content: a second run is answered with the first one's results.
NAMESPACE = uuid.UUID("6a0f6d0e-4a3b-5d44-9a67-52c1b2f0a9d3")
OTHER_SERVER_SECONDS = 120.0


def demo(
    keep: Annotated[
        bool | None,
        typer.Option(
            "--keep/--no-keep", help="Stay up afterwards; by default only on a terminal.", show_default=False
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Put a sample recording through everything and show what comes out.

    Starts RecordRoute if it does not run yet, and fetches missing models.
    """
    from recordroute_cli import embedded
    from recordroute_cli.stop_signals import stop_signals

    stay = sys.stdout.isatty() and not json_output if keep is None else keep
    with stop_signals() as stops, _server(stops) as (address, supervisor):
        with stops.interrupting():
            results = _process(address)
            if json_output:
                _write_json(address, results)
            else:
                _print(results)
                _print_next(results)
                if supervisor is None:
                    terminal.out().print(f"RecordRoute goes on running at {address}.")
                elif stay:
                    terminal.out().print(f"RecordRoute is ready at {address}; Ctrl-C ends it.")
                else:
                    terminal.out().print(f"Start RecordRoute first: {terminal.command_name()} up")
        if stay and supervisor is not None:
            with embedded.stop_event(stops, supervisor):
                embedded.wait_stopped(
                    supervisor, lambda event: terminal.note(f"{event.service}: {event.message}")
                )


def sample() -> Path:
    """Returns the sample recording that comes with this package."""
    for path in (Path(__file__).parent.parent / "data").glob("sample.*"):
        if path.suffix in MEDIA_SUFFIXES:
            return path
    raise CommandError("the sample recording is missing from this installation")


@contextmanager
def _server(stops: StopSignals) -> Iterator[tuple[str, Supervisor | None]]:
    """Yields the address of a server that is ready, and its supervisor if it had to be started."""
    from recordroute_cli import embedded
    from recordroute_cli.client import serving
    from recordroute_cli.supervisor import check_port, embedded_system

    named = GATEWAY_VARIABLE in os.environ
    running = read_server(data_dir())
    if named or (running is not None and running.alive):
        address = gateway_address()
        deadline = time.monotonic() + OTHER_SERVER_SECONDS
        with stops.interrupting():
            while not serving(address):
                starting = not named and running is not None and running.alive
                if not starting or time.monotonic() > deadline:
                    raise CommandError(f"no RecordRoute server is ready at {address}", ExitCode.UNREACHABLE)
                time.sleep(0.2)
        yield address, None
        return
    port = DEFAULT_PORT
    try:
        check_port(DEFAULT_HOST, port)
    except CommandError as error:
        terminal.note(f"{error.message.partition(';')[0]}: taking a free one")
        port = 0
    with embedded_system(data_dir(), embedded.models_dir(), DEFAULT_HOST, port, stops) as supervisor:
        embedded.ensure_models(stops)
        terminal.note("starting RecordRoute")
        supervisor.start()
        with stops.interrupting():
            embedded.wait_ready(supervisor, _show_start)
        yield supervisor.address, supervisor


def _show_start(event: Any) -> None:
    if event.kind == "ready":
        terminal.note(f"  {event.service:<8} ready after {event.seconds:.1f} s")
    elif event.kind == "exited":
        terminal.note(f"  {event.service:<8} {event.message}")


def _process(address: str) -> dict[str, Any]:
    from recordroute.gateway.v1 import search_pb2

    from recordroute_cli.client import connect
    from recordroute_cli.follow import follow
    from recordroute_cli.progress import LineDisplay, make_display

    path = sample()
    with connect(address) as gateway:
        with LineDisplay() if terminal.json_mode() else make_display() as display:
            item = display.add(path.name, upload=True)
            recording, workflow, seen = _begin(gateway, display, item, path)
            ended = follow(gateway, display, item, workflow.id, seen)
        if ended.HasField("error"):
            raise CommandError(f"{path.name}: {ended.error.message} ({ended.error.reason})")
        if item.state == "cancelled":
            raise CommandError(f"{path.name}: cancelled", ExitCode.CANCELLED)
        request = search_pb2.SearchRequest(query=QUERY, limit=1, recording_ids=[recording.id])
        hits = gateway.call(gateway.search.Search, request).hits
        return {
            "recording": gateway.recording(recording.id),
            "workflow": ended,
            "minutes": gateway.minutes(recording.id).minutes,
            "transcript": gateway.transcript(recording.id),
            "hit": hits[0] if hits else None,
        }


def _begin(
    gateway: Gateway, display: Display, item: Item, path: Path
) -> tuple[library_pb2.Recording, workflow_pb2.Workflow, int]:
    """Uploads the sample and starts the work, or finds both; returns the event to watch from, too."""
    from recordroute.gateway.v1 import workflow_pb2

    content = hashlib.sha256(path.read_bytes()).hexdigest()
    ids = [str(uuid.uuid5(NAMESPACE, f"{step} {content}")) for step in ("upload", "workflow")]
    try:
        recording, workflow = _upload_and_start(gateway, display, item, path, ids)
    except CommandError as error:
        if error.exit_code is not ExitCode.NOT_FOUND:
            raise
        # The first run's recording was deleted since: begin anew.
        recording, workflow = _upload_and_start(
            gateway, display, item, path, [str(uuid.uuid4()) for _ in ids]
        )
    seen = 0
    if workflow.state in (workflow_pb2.WORKFLOW_STATE_FAILED, workflow_pb2.WORKFLOW_STATE_CANCELLED):
        seen = workflow.last_sequence
        workflow = gateway.retry(workflow.id)
    display.uploaded(item, workflow.id)
    return recording, workflow, seen


def _upload_and_start(
    gateway: Gateway, display: Display, item: Item, path: Path, request_ids: list[str]
) -> tuple[library_pb2.Recording, workflow_pb2.Workflow]:
    from recordroute.gateway.v1 import upload_pb2, workflow_pb2

    recording = gateway.upload(
        path,
        request_id=request_ids[0],
        about=upload_pb2.UploadConfig(allow_duplicate=True),
        on_sent=lambda sent, size: display.sent(item, sent, size),
    )
    return recording, gateway.start(recording.id, workflow_pb2.WorkflowOptions(), request_ids[1])


def _write_json(address: str, results: dict[str, Any]) -> None:
    from recordroute_runtime.documents import document

    documents = {
        name: document(message) if message is not None else None for name, message in results.items()
    }
    terminal.write_json({"address": address, **documents})


def _print(results: dict[str, Any]) -> None:
    from recordroute_cli.render import print_hit, print_minutes, print_recording, print_transcript

    console = terminal.out()
    recording: library_pb2.Recording = results["recording"]
    minutes: minutes_pb2.Minutes = results["minutes"]
    hit: search_pb2.SearchHit | None = results["hit"]
    console.print()
    print_recording(console, recording, results["workflow"])
    console.print("\nTranscript", style="bold underline")
    print_transcript(console, results["transcript"])
    console.print("\nMinutes", style="bold underline")
    print_minutes(console, minutes)
    console.print(f"\nSearch for “{QUERY}”", style="bold underline")
    if hit is not None:
        print_hit(console, hit)


def _print_next(results: dict[str, Any]) -> None:
    from recordroute_cli.render import clock, seconds, short

    console = terminal.out()
    recording: library_pb2.Recording = results["recording"]
    workflow: workflow_pb2.Workflow = results["workflow"]
    took = (
        sum(stage.ended_at.ToNanoseconds() - stage.started_at.ToNanoseconds() for stage in workflow.stages)
        / 1e9
    )
    console.print(
        f"\n{clock(seconds(recording.duration))} of speech took {took:.1f} s. Go on with:", style="bold green"
    )
    for command in (
        "add FILE...",
        "list",
        "search 'what somebody said'",
        f"export {short(recording.id)} --format srt",
        "--help",
    ):
        console.print(f"  {terminal.command_name()} {command}")
