"""`recordroute list`, `show` and `rm`: the recordings."""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import Gateway

RecordingArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the recording, or its first 4 or more characters.")
]


def list_recordings(
    limit: Annotated[int, typer.Option(min=1, help="Recordings shown at most.")] = 50,
    json_output: JsonOption = False,
) -> None:
    """List the recordings, newest first, with the state of their work."""
    from recordroute_cli.client import connect
    from recordroute_cli.jsondoc import document
    from recordroute_cli.render import print_recordings

    with connect() as gateway:
        recordings = list(gateway.recordings(limit))
        wanted = {recording.latest_workflow_id for recording in recordings if recording.latest_workflow_id}
        workflows = {}
        for workflow in gateway.all_workflows() if wanted else ():
            if workflow.id in wanted:
                workflows[workflow.id] = workflow
            if len(workflows) == len(wanted):
                break
    if json_output:
        rows = []
        for recording in recordings:
            latest = workflows.get(recording.latest_workflow_id)
            rows.append({**document(recording), "latest_workflow": document(latest) if latest else None})
        terminal.write_json({"recordings": rows})
    elif recordings:
        print_recordings(terminal.out(), recordings, workflows)
    else:
        terminal.note("the library is empty; add a recording with: recordroute add FILE")


def show(
    recording: RecordingArgument,
    transcript: Annotated[bool, typer.Option("--transcript", help="Only the transcript.")] = False,
    minutes: Annotated[bool, typer.Option("--minutes", help="Only the minutes.")] = False,
    removed: Annotated[
        bool,
        typer.Option(
            "--removed", help="Also the text that was taken out of the transcript, with the reason."
        ),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Show a recording: what it is, its minutes and its transcript."""
    from recordroute_cli.client import connect

    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        if transcript or minutes:
            parts = _texts(gateway, recording_id, transcript=transcript, minutes=minutes, removed=removed)
            _show(parts, json_output)
            return
        found = gateway.recording(recording_id)
        from recordroute.gateway.v1 import library_pb2

        ready = {artifact.kind for artifact in found.artifacts}
        parts = {
            "recording": found,
            "workflow": gateway.workflow(found.latest_workflow_id) if found.latest_workflow_id else None,
            **_texts(
                gateway,
                recording_id,
                transcript=library_pb2.ARTIFACT_KIND_TRANSCRIPT in ready,
                minutes=library_pb2.ARTIFACT_KIND_MINUTES in ready,
                removed=removed,
            ),
        }
    _show(parts, json_output)


def remove(
    recordings: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="Ids of recordings, or their first 4 or more characters."),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Delete recordings with their files, texts and places in the search. This can't be undone."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect
    from recordroute_cli.render import short

    with connect() as gateway:
        found = [gateway.recording(gateway.recording_id(text)) for text in dict.fromkeys(recordings)]
        if not yes and not json_output and sys.stdin.isatty():
            _ask(found)
        for recording in found:
            request = library_pb2.DeleteRecordingRequest(
                request_id=str(uuid.uuid4()), recording_id=recording.id
            )
            gateway.call(gateway.library.DeleteRecording, request)
            if not json_output:
                terminal.out().print(f"{short(recording.id)} deleted")
    if json_output:
        terminal.write_json({"deleted": [recording.id for recording in found]})


def _ask(found: list[library_pb2.Recording]) -> None:
    names = ", ".join(plain(recording.title) for recording in found)
    if not typer.confirm(f"Delete {names} for good?", err=True):
        raise CommandError("nothing was deleted", ExitCode.FAILED)


def _texts(
    gateway: Gateway, recording_id: str, *, transcript: bool, minutes: bool, removed: bool
) -> dict[str, Any]:
    return {
        "minutes": gateway.minutes(recording_id).minutes if minutes else None,
        "transcript": gateway.transcript(recording_id, removed_text=removed) if transcript else None,
    }


def _show(parts: dict[str, Any], json_output: bool) -> None:
    from recordroute_cli.jsondoc import document
    from recordroute_cli.render import print_minutes, print_recording, print_transcript

    if json_output:
        documents = {name: document(part) if part is not None else None for name, part in parts.items()}
        if transcript := documents.get("transcript"):
            # Its pages have been joined.
            del transcript["next_page_token"]
        terminal.write_json(documents)
        return
    console = terminal.out()
    if "recording" in parts:
        print_recording(console, parts["recording"], parts["workflow"])
    if parts["minutes"] is not None:
        if "recording" in parts:
            console.print()
        print_minutes(console, parts["minutes"])
    if parts["transcript"] is not None:
        if "recording" in parts or parts["minutes"] is not None:
            console.print()
        print_transcript(console, parts["transcript"])
