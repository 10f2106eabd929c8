"""`recordroute list`, `show` and `rm`: the recordings."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recordroute_cli import terminal
from recordroute_cli.dates import parse_moment
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import Gateway

RecordingArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the recording, or its first 4 or more characters.")
]


RecordingsArgument = Annotated[
    list[str], typer.Argument(metavar="ID", help="Ids of recordings, or their first 4 or more characters.")
]


class WorkState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Kind(StrEnum):
    MEDIA = "media"
    DOCUMENT = "document"


class Sort(StrEnum):
    ADDED = "added"
    RECORDED = "recorded"
    TITLE = "title"
    LENGTH = "length"
    SIZE = "size"


def list_recordings(
    text: Annotated[
        str, typer.Option("--text", help="Only where title, file name, tags or speakers contain these words.")
    ] = "",
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="Only with this tag; repeated: with all of them."),
    ] = None,
    folder: Annotated[
        str, typer.Option("--folder", metavar="FOLDER", help="Only in this folder or below it.")
    ] = "",
    recorded_from: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Only recorded on this day or time and later."),
    ] = None,
    recorded_to: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Only recorded up to this day (all of it) or time."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", metavar="CODE", help="Only in this language; repeated: in one of them."),
    ] = None,
    speaker: Annotated[
        list[str] | None,
        typer.Option(
            "--speaker", metavar="NAME", help="Only where this person speaks; repeated: any of them."
        ),
    ] = None,
    state: Annotated[
        list[WorkState] | None,
        typer.Option(
            "--state", help="Only where the newest work is in this state; repeated: in one of them."
        ),
    ] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only recordings, or only texts.")] = None,
    in_bin: Annotated[bool, typer.Option("--bin", help="What is in the bin instead.")] = False,
    sort: Annotated[
        Sort, typer.Option("--sort", help="What to sort by, the newest or largest first.")
    ] = Sort.ADDED,
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Turn the order around; titles go from Z to A then.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Recordings shown at most.")] = 50,
    json_output: JsonOption = False,
) -> None:
    """List the recordings, newest first, with the state of their work."""
    from recordroute.gateway.v1 import library_pb2

    order = {
        Sort.ADDED: library_pb2.RECORDING_ORDER_CREATED_AT,
        Sort.RECORDED: library_pb2.RECORDING_ORDER_RECORDED_AT,
        Sort.TITLE: library_pb2.RECORDING_ORDER_TITLE,
        Sort.LENGTH: library_pb2.RECORDING_ORDER_DURATION,
        Sort.SIZE: library_pb2.RECORDING_ORDER_SIZE,
    }
    wanted = library_pb2.ListRecordingsRequest(
        text=text,
        tags=tag,
        folder=folder,
        languages=language,
        speakers=speaker,
        workflow_states=[f"WORKFLOW_STATE_{name.name}" for name in state or ()],
        kinds=[f"RECORDING_KIND_{kind.name}"] if kind else (),
        in_bin=in_bin,
        order_by=order[sort],
        # Titles from A to Z is what everybody means.
        ascending=(sort is Sort.TITLE) != reverse,
    )
    if recorded_from:
        wanted.recorded_from.FromDatetime(parse_moment(recorded_from, "--from"))
    if recorded_to:
        wanted.recorded_before.FromDatetime(parse_moment(recorded_to, "--to", end_of_day=True))
    show_list(wanted, limit, json_output)


def show_list(wanted: library_pb2.ListRecordingsRequest, limit: int, json_output: bool) -> None:
    """Prints the recordings that are wanted."""
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import print_recordings

    with connect() as gateway:
        recordings = list(gateway.recordings(limit, wanted))
    if json_output:
        terminal.write_json({"recordings": [document(recording) for recording in recordings]})
    elif recordings:
        print_recordings(terminal.out(), recordings, in_bin=wanted.in_bin)
    elif wanted.in_bin:
        terminal.note("the bin is empty")
    elif any(field.name not in ("order_by", "ascending") for field, _ in wanted.ListFields()):
        terminal.note("nothing in the library is like that")
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
    recordings: RecordingsArgument,
    purge: Annotated[
        bool,
        typer.Option(
            "--purge",
            help="For good and at once, with files, texts and vectors. On a terminal it asks first.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json_output: JsonOption = False,
) -> int:
    """Put recordings into the bin, where nothing finds them; 'undelete' takes them out again."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment, short

    with connect() as gateway:
        found = [gateway.recording(gateway.recording_id(text)) for text in dict.fromkeys(recordings)]
        if purge and not yes and not json_output and sys.stdin.isatty():
            _ask(found)
        ids = list(dict.fromkeys(recording.id for recording in found))
        results = gateway.bulk_edit(ids, delete=library_pb2.BulkDelete(purge=purge))
    deleted = [result for result in results if not result.HasField("error")]
    for result in results:
        if result.HasField("error"):
            terminal.complain(f"{result.recording_id}: {result.error.message} ({result.error.reason})")
    if json_output:
        terminal.write_json({"deleted": [result.recording_id for result in deleted]})
        return ExitCode.OK if len(deleted) == len(results) else ExitCode.FAILED
    for result in deleted:
        if result.recording.HasField("purge_at"):
            until = moment(result.recording.purge_at)
            terminal.out().print(f"{short(result.recording_id)} is in the bin until {until}")
        else:
            terminal.out().print(f"{short(result.recording_id)} deleted for good")
    return ExitCode.OK if len(deleted) == len(results) else ExitCode.FAILED


def _ask(found: list[library_pb2.Recording]) -> None:
    names = ", ".join(plain(recording.title) for recording in found)
    if not typer.confirm(f"Delete {names} for good?", err=True):
        raise CommandError("nothing was deleted", ExitCode.FAILED)


def _texts(
    gateway: Gateway, recording_id: str, *, transcript: bool, minutes: bool, removed: bool
) -> dict[str, Any]:
    return {
        "minutes": read_minutes(gateway, recording_id).minutes if minutes else None,
        "transcript": gateway.transcript(recording_id, removed_text=removed) if transcript else None,
    }


def read_minutes(gateway: Gateway, recording_id: str) -> library_pb2.GetMinutesResponse:
    """Returns the minutes, and notes where they are older than their transcript."""
    from recordroute_cli.render import short

    answer = gateway.minutes(recording_id)
    if answer.stale:
        terminal.note(
            "the transcript has changed since the minutes were made; make them again with: "
            f"recordroute redo {short(recording_id)} --from summarise"
        )
    return answer


def _show(parts: dict[str, Any], json_output: bool) -> None:
    from recordroute_runtime.documents import document

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
