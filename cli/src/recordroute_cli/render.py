"""Recordings, transcripts, minutes and hits as text for people."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from recordroute_runtime.documents import enum_name

from recordroute_cli import terminal
from recordroute_cli.terminal import plain

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp
    from recordroute.common.v1 import minutes_pb2, transcript_pb2
    from recordroute.gateway.v1 import library_pb2, search_pb2, workflow_pb2
    from rich.console import Console
    from rich.text import Text

SHORT_ID = 8
# Number of ARTIFACT_STATE_STALE: the stubs are imported when a command needs them only.
STALE = 2
STATE_STYLES = {
    "succeeded": "green",
    "failed": "red",
    "cancelled": "yellow",
    "running": "cyan",
    "skipped": "dim",
}
SECTION_TITLES = {
    "topics": "Topics",
    "key_points": "Key points",
    "decisions": "Decisions",
    "action_items": "Action items",
    "risks": "Risks and issues",
    "next_steps": "Next steps",
    "custom": "More",
}


def clock(seconds: float) -> str:
    """Returns a length of time as m:ss or h:mm:ss."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def size(count: float) -> str:
    """Returns bytes with a decimal unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.5 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def short(identifier: str) -> str:
    """Returns the beginning of an id: enough to name it on a command line."""
    return identifier[:SHORT_ID]


def seconds(duration: Duration) -> float:
    """Returns a Duration in seconds."""
    return duration.ToNanoseconds() / 1e9


def moment(timestamp: Timestamp) -> str:
    """Returns a Timestamp in the local time zone, to the minute."""
    from datetime import UTC

    return f"{timestamp.ToDatetime(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M}"


def state_text(state: str) -> Text:
    """Returns a state in its colour."""
    from rich.text import Text

    return Text(state, style=STATE_STYLES.get(state, ""))


def print_recordings(
    console: Console, recordings: Iterable[library_pb2.Recording], *, in_bin: bool = False
) -> None:
    """Prints a table, a row a recording."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("ID", no_wrap=True)
    table.add_column("Title", overflow="ellipsis", ratio=None)
    table.add_column("Length", justify="right", no_wrap=True)
    table.add_column("Language", no_wrap=True)
    table.add_column("Recorded", no_wrap=True)
    table.add_column("Workflow", no_wrap=True)
    table.add_column("Purged" if in_bin else "State", no_wrap=True)
    for recording in recordings:
        table.add_row(
            short(recording.id),
            plain(recording.title),
            clock(seconds(recording.duration)) if recording.HasField("duration") else "",
            recording.language,
            moment(recording.recorded_at),
            short(recording.latest_workflow_id),
            moment(recording.purge_at)
            if in_bin
            else state_text(enum_name(recording, "latest_workflow_state")),
        )
    console.print(table)


def print_recording(
    console: Console, recording: library_pb2.Recording, workflow: workflow_pb2.Workflow | None
) -> None:
    """Prints everything about a recording but its texts."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text(plain(recording.title), style="bold"))
    table = Table.grid(padding=(0, 2))
    table.add_row("Recording", recording.id)
    table.add_row("File", f"{plain(recording.file_name)} ({size(recording.size_bytes)})")
    if recording.HasField("duration"):
        table.add_row("Length", clock(seconds(recording.duration)))
    if recording.language:
        table.add_row("Language", recording.language)
    table.add_row("Recorded", moment(recording.recorded_at))
    if recording.page_count:
        table.add_row("Pages", str(recording.page_count))
    if recording.folder:
        table.add_row("Folder", plain(recording.folder))
    if recording.tags:
        table.add_row("Tags", ", ".join(map(plain, recording.tags)))
    if speakers := [speaker.name or speaker.label for speaker in recording.speakers]:
        table.add_row("Speakers", ", ".join(map(plain, speakers)))
    for number, mark in enumerate(recording.bookmarks):
        place = f"{clock(seconds(mark.position))}  {plain(mark.label)}"
        table.add_row("" if number else "Bookmarks", place)
    if enum_name(recording, "access") in ("read", "write"):
        table.add_row("Owner", f"{plain(recording.owner)} (you may {enum_name(recording, 'access')})")
    if recording.HasField("purge_at"):
        table.add_row("In the bin", f"until {moment(recording.purge_at)}")
    if workflow is not None:
        table.add_row("Workflow", workflow.id)
        table.add_row("State", state_text(enum_name(workflow, "state")))
        if workflow.HasField("error"):
            table.add_row("Error", f"{plain(workflow.error.message)} ({workflow.error.reason})")
    if stale := [enum_name(artifact, "kind") for artifact in recording.artifacts if artifact.state == STALE]:
        table.add_row("Out of date", ", ".join(stale))
    models = {artifact.model: None for artifact in recording.artifacts if artifact.model}
    if models:
        table.add_row("Models", ", ".join(models))
    console.print(table)


def print_transcript(console: Console, transcript: library_pb2.GetTranscriptResponse) -> None:
    """Prints a line a segment with its time, and its speaker where that is known; then the text that was taken out,
    and the warnings."""
    from rich.text import Text

    names = {speaker.label: speaker.name for speaker in transcript.speakers if speaker.name}
    for segment in transcript.segments:
        _print_segment(console, segment, names.get(segment.speaker, segment.speaker))
    if not transcript.segments:
        console.print(Text("nothing was said", style="dim"))
    if transcript.removed:
        console.print()
        console.print(Text("Taken out", style="bold"))
        for removed in transcript.removed:
            _print_segment(
                console, removed.segment, enum_name(removed, "reason").replace("_", " "), style="dim"
            )
            _print_hanging(console, Text(" " * 10), Text(plain(removed.detail), style="dim"))
    for warning in transcript.warnings:
        terminal.note(f"warning: {warning}")


def _print_segment(
    console: Console, segment: transcript_pb2.Segment, heading: str, *, style: str = ""
) -> None:
    from rich.text import Text

    line = Text(style=style)
    if heading:
        line.append(f"{plain(heading)}: ", style="bold")
    line.append(plain(segment.text))
    _print_hanging(console, Text(f"{place_of(segment, segment.start):>8}  ", style="cyan"), line)


def print_minutes(console: Console, minutes: minutes_pb2.Minutes, *, numbered: bool = False) -> None:
    """Prints the overview and the sections, each line with the place that it rests on, `numbered` with its number."""
    from rich.text import Text

    numbers = itertools.count(1)
    if minutes.overview:
        console.print(Text(plain(minutes.overview)), soft_wrap=not console.is_terminal)
    for section in minutes.sections:
        kind = enum_name(section, "kind")
        console.print()
        # Minutes of before templates have no headings of their own.
        console.print(Text(plain(section.title) or SECTION_TITLES.get(kind, kind), style="bold"))
        for item in section.items:
            margin = f"{next(numbers):>5}  " if numbered else "  • "
            line = Text()
            if item.done or kind == "action_items":
                line.append("[x] " if item.done else "[ ] ")
            line.append(plain(item.text))
            if item.evidence:
                line.append(f"  {place_of(item.evidence[0], item.evidence[0].start)}", style="cyan")
            if item.edited:
                line.append("  (edited)", style="dim")
            _print_hanging(console, Text(margin), line)
            for field in item.fields:
                part = Text(f"{plain(field.name)}: ", style="dim")
                part.append(plain(field.value), style="not dim")
                _print_hanging(console, Text(" " * len(margin)), part)


def print_hit(console: Console, hit: search_pb2.SearchHit) -> None:
    """Prints a hit: where it is, of which day, and its snippet with the query's words marked."""
    from rich.text import Text

    head = Text(short(hit.recording_id), style="dim")
    head.append(f"  {plain(hit.recording_title)}", style="bold")
    head.append(f"  {place_of(hit, hit.snippet_start)}", style="cyan")
    if hit.HasField("recorded_at"):
        head.append(f"  {moment(hit.recorded_at)}", style="dim")
    console.print(head, soft_wrap=True)
    # `plain` replaces characters one by one, so the ranges still fit.
    snippet = Text(plain(hit.snippet))
    for highlight in hit.highlights:
        snippet.stylize("bold yellow", highlight.start, highlight.end)
    _print_hanging(console, Text("  "), snippet)


def place_of(
    part: search_pb2.SearchHit | minutes_pb2.Evidence | transcript_pb2.Segment, start: Duration
) -> str:
    """Returns where a part of a recording is that begins at `start`: its time, or the page or line of a document."""
    if part.HasField("page"):
        return f"page {part.page}"
    if part.HasField("line"):
        return f"line {part.line}"
    return clock(seconds(start))


def _print_hanging(console: Console, margin: Text, line: Text) -> None:
    """Prints a line that, on a terminal, goes on below its beginning and not below its margin."""
    from rich.table import Table

    if not console.is_terminal:
        console.print(margin + line, soft_wrap=True)
        return
    grid = Table.grid()
    grid.add_column(width=margin.cell_len)
    grid.add_column()
    grid.add_row(margin, line)
    console.print(grid)
