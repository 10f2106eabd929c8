"""`recordroute minutes`: minutes with the numbers of their lines, and corrected by hand."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.etag_option import EtagOption, check_etag
from recordroute_cli.commands.library import RecordingArgument, read_minutes
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.option_values import parse_number, parse_numbers, parse_pair
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recordroute.common.v1 import minutes_pb2
    from recordroute.gateway.v1 import library_pb2

NUMBERS_EXAMPLE = "3,7-9"


def minutes(
    recording: RecordingArgument,
    rewrite: Annotated[
        list[str] | None,
        typer.Option("--rewrite", metavar="NUMBER=TEXT", help="Write a line anew; may be repeated."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="NUMBERS", help="Take lines out: 3,7-9; may be repeated."),
    ] = None,
    tick: Annotated[
        list[str] | None,
        typer.Option("--tick", metavar="NUMBERS", help="Tick action items off as done; may be repeated."),
    ] = None,
    untick: Annotated[
        list[str] | None,
        typer.Option("--untick", metavar="NUMBERS", help="Take the ticks away again; may be repeated."),
    ] = None,
    overview: Annotated[
        str | None,
        typer.Option("--overview", metavar="TEXT", help="Write the overview anew; '' takes it out."),
    ] = None,
    etag: EtagOption = "",
    json_output: JsonOption = False,
) -> None:
    """Correct minutes: all changes or none. Without changes: show the lines with their numbers.

    Numbers are those of before the command. There is no undo, and minutes that are made again have none of it.
    """
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    texts = [_text(option) for option in rewrite or ()]
    removed = _numbers(remove, "--remove")
    ticked, unticked = _numbers(tick, "--tick"), _numbers(untick, "--untick")
    _check_apart([number for number, _ in texts], removed, ticked, unticked)
    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        before = read_minutes(gateway, recording_id)
        check_etag(etag, before.etag, "the minutes have")
        if overview is None and not (texts or removed or ticked or unticked):
            _show(before, json_output)
            return
        lines = _Lines(before.minutes)
        edits = [
            library_pb2.MinutesEdit(rewrite_line=library_pb2.RewriteLine(line=lines.place(number), text=text))
            for number, text in texts
        ]
        edits += [library_pb2.MinutesEdit(remove_line=lines.place(number)) for number in removed]
        edits += [
            library_pb2.MinutesEdit(tick_line=library_pb2.TickLine(line=lines.place(number), done=done))
            for numbers, done in ((ticked, True), (unticked, False))
            for number in numbers
        ]
        if overview is not None:
            edits.append(library_pb2.MinutesEdit(overview=overview))
        request = library_pb2.EditMinutesRequest(
            request_id=str(uuid.uuid4()), recording_id=recording_id, etag=before.etag, edits=edits
        )
        after: library_pb2.EditMinutesResponse = gateway.call(gateway.library.EditMinutes, request)
    for number in removed:
        terminal.note(f"removed: {lines.text(number)}")
    _show(after, json_output)


class _Lines:
    """The lines of minutes by their numbers, which go through all sections from 1 on."""

    def __init__(self, minutes: minutes_pb2.Minutes) -> None:
        self._lines = [
            (section_index, item_index, item.text)
            for section_index, section in enumerate(minutes.sections)
            for item_index, item in enumerate(section.items)
        ]

    def place(self, number: int) -> library_pb2.MinutesLine:
        """Returns where a line is. Raises CommandError."""
        from recordroute.gateway.v1 import library_pb2

        if not 1 <= number <= len(self._lines):
            raise CommandError(f"there is no line {number}: the last is {len(self._lines)}", ExitCode.USAGE)
        section_index, item_index, _ = self._lines[number - 1]
        return library_pb2.MinutesLine(section_index=section_index, item_index=item_index)

    def text(self, number: int) -> str:
        return self._lines[number - 1][2]


def _show(
    answer: library_pb2.GetMinutesResponse | library_pb2.EditMinutesResponse, json_output: bool
) -> None:
    from recordroute_cli.render import print_minutes

    if json_output:
        terminal.write_json(_document(answer))
    else:
        print_minutes(terminal.out(), answer.minutes, numbered=True)


def _document(
    answer: library_pb2.GetMinutesResponse | library_pb2.EditMinutesResponse,
) -> dict[str, Any]:
    from recordroute_runtime.documents import document

    shown = document(answer)
    numbers = itertools.count(1)
    for section in shown["minutes"]["sections"]:
        section["items"] = [{"number": next(numbers), **item} for item in section["items"]]
    return shown


def _text(option: str) -> tuple[int, str]:
    example = "3='New text'"
    before, text = parse_pair(option, "--rewrite", example)
    number = parse_number(before, "--rewrite", example)
    if not text.strip():
        raise CommandError(
            f"--rewrite: {plain(option)!r} leaves nothing of the line; --remove {number} takes it out",
            ExitCode.USAGE,
        )
    return number, text


def _numbers(options: Sequence[str] | None, name: str) -> list[int]:
    return list(
        dict.fromkeys(
            number for option in options or () for number in parse_numbers(option, name, NUMBERS_EXAMPLE)
        )
    )


def _check_apart(
    rewritten: Sequence[int], removed: Sequence[int], ticked: Sequence[int], unticked: Sequence[int]
) -> None:
    """Refuses what can't be meant: two texts for a line, ticked and not, changed and gone."""
    twice = {number for number in rewritten if rewritten.count(number) > 1}
    gone = set(removed) & {*rewritten, *ticked, *unticked}
    for number in sorted(twice | gone | (set(ticked) & set(unticked))):
        raise CommandError(f"line {number} can't be changed in two ways by one command", ExitCode.USAGE)
