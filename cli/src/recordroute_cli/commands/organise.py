"""`recordroute rename`, `redate`, `tag`, `move`, `bookmark`, `labels`, `undelete` and `bin`: order in the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.library import RecordingArgument, RecordingsArgument, show_list
from recordroute_cli.dates import parse_moment
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import library_pb2


def rename(
    recording: RecordingArgument,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="The new title.")] = "",
    automatic: Annotated[
        bool, typer.Option("--automatic", help="Give the title back to the language model.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Give a recording a title. The language model leaves it alone from then on."""
    if bool(title.strip()) == automatic:
        raise CommandError("give either a title or --automatic", ExitCode.USAGE)
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        changed = gateway.update(library_pb2.Recording(id=recording_id, title=title), "title")
    _show_changed([changed], json_output)


def redate(
    recording: RecordingArgument,
    time: Annotated[
        str, typer.Argument(metavar="TIME", help="When it was recorded: 2026-01-31 or 2026-01-31T09:30.")
    ],
    json_output: JsonOption = False,
) -> None:
    """Say when a recording was recorded: what lists and the search filter by."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    moment = parse_moment(time, "TIME")
    with connect() as gateway:
        wanted = library_pb2.Recording(id=gateway.recording_id(recording))
        wanted.recorded_at.FromDatetime(moment)
        changed = gateway.update(wanted, "recorded_at")
    _show_changed([changed], json_output)


def bookmark(
    recording: RecordingArgument,
    position: Annotated[str, typer.Argument(metavar="POSITION", help="Where: 12:30 or 1:02:03 or seconds.")],
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What for.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the bookmark there away.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Mark a place in a recording, or give its mark another label."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect
    from recordroute_cli.render import seconds

    place = _parse_position(position)
    with connect() as gateway:
        found = gateway.recording(gateway.recording_id(recording))
        kept = [mark for mark in found.bookmarks if abs(seconds(mark.position) - place) >= 0.5]
        if remove and len(kept) == len(found.bookmarks):
            raise CommandError(f"there is no bookmark at {position}", ExitCode.NOT_FOUND)
        wanted = library_pb2.Recording(id=found.id, bookmarks=kept)
        if not remove:
            mark = wanted.bookmarks.add(label=label)
            mark.position.FromNanoseconds(round(place * 1e9))
        changed = gateway.update(wanted, "bookmarks")
    _show_changed([changed], json_output)


def tag(
    recordings: RecordingsArgument,
    add: Annotated[
        list[str] | None, typer.Option("--add", "-a", metavar="TAG", help="Tag to add; may be repeated.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", "-r", metavar="TAG", help="Tag to take away; may be repeated."),
    ] = None,
    json_output: JsonOption = False,
) -> int:
    """Add tags to recordings, or take them away."""
    if not add and not remove:
        raise CommandError("say which tag to --add or to --remove", ExitCode.USAGE)
    from recordroute.gateway.v1 import library_pb2

    labels = library_pb2.BulkLabels(add_tags=add or (), remove_tags=remove or ())
    return _edit(recordings, json_output, labels=labels)


def move(
    recordings: RecordingsArgument,
    folder: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FOLDER",
            help="Folder, for instance work/2026; '' takes them out of every folder.",
        ),
    ],
    json_output: JsonOption = False,
) -> int:
    """Move recordings to a folder."""
    from recordroute.gateway.v1 import library_pb2

    return _edit(recordings, json_output, labels=library_pb2.BulkLabels(folder=folder.strip("/")))


def undelete(recordings: RecordingsArgument, json_output: JsonOption = False) -> int:
    """Take recordings out of the bin."""
    from recordroute.gateway.v1 import library_pb2

    return _edit(recordings, json_output, restore=library_pb2.BulkRestore())


def list_bin(
    limit: Annotated[int, typer.Option(min=1, help="Recordings shown at most.")] = 50,
    json_output: JsonOption = False,
) -> None:
    """List what is in the bin, and when it is going to be purged."""
    from recordroute.gateway.v1 import library_pb2

    show_list(library_pb2.ListRecordingsRequest(in_bin=True), limit, json_output)


def labels(json_output: JsonOption = False) -> None:
    """List the tags, folders, languages and speakers in use, with the number of their recordings."""
    from recordroute.gateway.v1 import library_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect

    with connect() as gateway:
        facets = gateway.call(gateway.library.ListFacets, library_pb2.ListFacetsRequest())
    if json_output:
        terminal.write_json(document(facets))
        return
    console = terminal.out()
    for name, values in (
        ("Tags", facets.tags),
        ("Folders", facets.folders),
        ("Languages", facets.languages),
        ("Speakers", facets.speakers),
    ):
        if values:
            console.print(f"{name}:")
        for facet in values:
            console.print(f"{facet.recording_count:>6}  {plain(facet.value)}", soft_wrap=True)
    if facets.bin_count:
        console.print(f"In the bin: {facets.bin_count}")
    elif not (facets.tags or facets.folders or facets.languages or facets.speakers):
        terminal.note("no recording has a tag, a folder, a language or a speaker yet")


def _edit(
    recordings: Sequence[str],
    json_output: bool,
    *,
    labels: library_pb2.BulkLabels | None = None,
    restore: library_pb2.BulkRestore | None = None,
) -> int:
    from recordroute_cli.client import connect

    with connect() as gateway:
        ids = list(dict.fromkeys(gateway.recording_id(text) for text in recordings))
        results = gateway.bulk_edit(ids, labels=labels, restore=restore)
    changed = [result.recording for result in results if result.HasField("recording")]
    failed = [result for result in results if result.HasField("error")]
    for result in failed:
        terminal.complain(f"{result.recording_id}: {result.error.message} ({result.error.reason})")
    _show_changed(changed, json_output, failed)
    return ExitCode.FAILED if failed else ExitCode.OK


def _show_changed(
    changed: Sequence[library_pb2.Recording],
    json_output: bool,
    failed: Sequence[library_pb2.BulkEditResult] = (),
) -> None:
    from recordroute_runtime.documents import document

    from recordroute_cli.render import clock, moment, seconds, short

    if json_output:
        answer = {"recordings": [document(recording) for recording in changed]}
        if failed:
            answer["failed"] = [
                {"recording_id": result.recording_id, "error": document(result.error)} for result in failed
            ]
        terminal.write_json(answer)
        return
    for recording in changed:
        parts = [short(recording.id), plain(recording.title), moment(recording.recorded_at)]
        if recording.folder:
            parts.append(plain(recording.folder))
        if recording.tags:
            parts.append(", ".join(map(plain, recording.tags)))
        terminal.out().print("  ".join(parts), soft_wrap=True)
        for mark in recording.bookmarks:
            terminal.out().print(f"  {clock(seconds(mark.position)):>8}  {plain(mark.label)}", soft_wrap=True)


def _parse_position(text: str) -> float:
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or any(part < 0 for part in parts):
        raise CommandError(f"{plain(text)!r} is not a position such as 12:30, 1:02:03 or 90", ExitCode.USAGE)
    total = 0.0
    for part in parts:
        total = total * 60 + part
    return total
