"""`recordroute edit`, `history` and `undo`: transcripts corrected by hand."""

from __future__ import annotations

import itertools
import re
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.etag_option import EtagOption, check_etag
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.option_values import parse_number, parse_numbers, parse_pair, parse_range
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import Gateway

_PLACE = re.compile(r"(\d{1,9}):(\d{1,9})")
HISTORY_PAGE = 500


def edit(
    recording: RecordingArgument,
    replace: Annotated[
        tuple[str, str],
        typer.Option(
            "--replace", metavar="OLD NEW", help="Write NEW wherever OLD stands.", show_default=False
        ),
    ] = ("", ""),
    match_case: Annotated[
        bool, typer.Option("--match-case", help="With --replace: upper and lower case differ.")
    ] = False,
    whole_words: Annotated[
        bool, typer.Option("--whole-words", help="With --replace: only whole words are found.")
    ] = False,
    speaker: Annotated[
        list[str] | None,
        typer.Option("--speaker", metavar="LABEL=NAME", help="Name a speaker: S1=Anna; may be repeated."),
    ] = None,
    assign: Annotated[
        list[str] | None,
        typer.Option(
            "--assign", metavar="NUMBERS=LABEL", help="Say who speaks in segments: 3,7-9=S2; may be repeated."
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            "--text",
            metavar="NUMBER=TEXT",
            help="Write a segment anew; without TEXT it goes; may be repeated.",
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split", metavar="NUMBER:POSITION", help="Split a segment before a character; may be repeated."
        ),
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option("--merge", metavar="FIRST-LAST", help="Join segments; may be repeated."),
    ] = None,
    no_learn: Annotated[
        bool, typer.Option("--no-learn", help="Leave what is corrected out of the vocabulary.")
    ] = False,
    etag: EtagOption = "",
    json_output: JsonOption = False,
) -> None:
    """Correct a transcript: all changes or none. Without changes: show the segments with their numbers.

    Numbers are those of the transcript before the command.
    """
    from recordroute.gateway.v1 import library_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect

    replacement = _replacement(replace, match_case=match_case, whole_words=whole_words)
    speakers = [*map(_renaming, speaker or ()), *map(_assignment, assign or ())]
    shaping = [*map(_text, text or ()), *map(_split, split or ()), *map(_merge, merge or ())]
    _check_apart(shaping)
    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        transcript = gateway.transcript(recording_id)
        check_etag(etag, transcript.etag, "the transcript has")
        if not (replacement or speakers or shaping):
            _show_segments(transcript, json_output)
            return
        request = library_pb2.EditTranscriptRequest(
            request_id=str(uuid.uuid4()),
            recording_id=recording_id,
            etag=transcript.etag,
            # Numbers stay true: what changes none comes first, then from the back to the front what does.
            edits=[
                *speakers,
                *(_to_end(change, transcript) for _, _, change in sorted(shaping, key=lambda item: -item[0])),
                *replacement,
            ],
            skip_vocabulary=no_learn,
        )
        answer: library_pb2.EditTranscriptResponse = gateway.call(gateway.library.EditTranscript, request)
    if json_output:
        terminal.write_json(document(answer))
        return
    console = terminal.out()
    console.print(f"revision {answer.revision.revision}: {plain(answer.revision.summary)}", soft_wrap=True)
    if replacement and not any(answer.replaced_counts):
        terminal.note(f"{replace[0]!r} stands nowhere")


def history(recording: RecordingArgument, json_output: JsonOption = False) -> None:
    """List what was changed in a transcript, when and by whom, newest first."""
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment

    with connect() as gateway:
        revisions = _revisions(gateway, gateway.recording_id(recording))
    if json_output:
        terminal.write_json({"revisions": [document(revision) for revision in revisions]})
        return
    console = terminal.out()
    for revision in revisions:
        author = plain(revision.author) or "-"
        console.print(
            f"{revision.revision:>4}  {moment(revision.created_at)}  {author}  {plain(revision.summary)}",
            soft_wrap=True,
        )


def undo(
    recording: RecordingArgument,
    to: Annotated[
        int | None,
        typer.Option("--to", min=1, metavar="REVISION", help="Go back to this revision, or forth to it."),
    ] = None,
    etag: EtagOption = "",
    json_output: JsonOption = False,
) -> None:
    """Undo the last change of a transcript; again: the one before it. The history keeps everything."""
    from recordroute.gateway.v1 import library_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect

    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        revisions = _revisions(gateway, recording_id)
        check_etag(etag, revisions[0].etag, "the transcript has")
        request = library_pb2.RevertTranscriptRequest(
            request_id=str(uuid.uuid4()),
            recording_id=recording_id,
            etag=revisions[0].etag,
            revision=to if to is not None else _before(revisions),
        )
        answer = gateway.call(gateway.library.RevertTranscript, request)
    if json_output:
        terminal.write_json(document(answer))
    else:
        revision = answer.revision
        terminal.out().print(f"revision {revision.revision}: {plain(revision.summary)}", soft_wrap=True)


def _revisions(gateway: Gateway, recording_id: str) -> list[library_pb2.TranscriptRevision]:
    from recordroute.gateway.v1 import library_pb2

    request = library_pb2.ListTranscriptRevisionsRequest(recording_id=recording_id, page_size=HISTORY_PAGE)
    revisions: list[library_pb2.TranscriptRevision] = []
    while True:
        page = gateway.call(gateway.library.ListTranscriptRevisions, request)
        revisions += page.revisions
        if not page.next_page_token:
            return revisions
        request.page_token = page.next_page_token


def _before(revisions: list[library_pb2.TranscriptRevision]) -> int:
    """Returns the revision before the one that the newest is, or has gone back to."""
    known = {revision.revision: revision for revision in revisions}
    newest = revisions[0]
    while newest.HasField("reverted_to"):
        newest = known[newest.reverted_to]
    if newest.revision == 1:
        raise CommandError("there is nothing to undo: this is what was transcribed", ExitCode.FAILED)
    return newest.revision - 1


def _show_segments(transcript: library_pb2.GetTranscriptResponse, json_output: bool) -> None:
    from recordroute_runtime.documents import document

    from recordroute_cli.render import place_of

    if json_output:
        shown = document(transcript)
        # Its pages have been joined.
        del shown["next_page_token"]
        terminal.write_json(shown)
        return
    names = {speaker.label: speaker.name for speaker in transcript.speakers if speaker.name}
    for segment in transcript.segments:
        said_by = segment.speaker
        if said_by in names:
            said_by = f"{said_by} ({names[said_by]})"
        said_by = f"{plain(said_by)}: " if said_by else ""
        terminal.out().print(
            f"{segment.index:>5}  {place_of(segment, segment.start):>8}  {said_by}{plain(segment.text)}",
            soft_wrap=True,
        )


def _replacement(replace: tuple[str, str], *, match_case: bool, whole_words: bool) -> list[Any]:
    from recordroute.gateway.v1 import library_pb2

    find, replacement = replace
    if not find:
        if replacement or match_case or whole_words:
            raise CommandError("--replace takes what to find, and what to write instead", ExitCode.USAGE)
        return []
    change = library_pb2.FindAndReplace(
        find=find, replacement=replacement, match_case=match_case, whole_words=whole_words
    )
    return [library_pb2.TranscriptEdit(find_and_replace=change)]


def _renaming(option: str) -> library_pb2.TranscriptEdit:
    from recordroute.gateway.v1 import library_pb2

    label, name = parse_pair(option, "--speaker", "S1=Anna")
    return library_pb2.TranscriptEdit(rename_speaker=library_pb2.RenameSpeaker(label=label, name=name))


def _assignment(option: str) -> library_pb2.TranscriptEdit:
    from recordroute.gateway.v1 import library_pb2

    numbers, label = parse_pair(option, "--assign", "3,7-9=S2")
    indices = parse_numbers(numbers, "--assign", "3,7-9=S2")
    change = library_pb2.AssignSpeaker(segment_indices=indices, label=label)
    return library_pb2.TranscriptEdit(assign_speaker=change)


# The first and the last segment that the change touches, and the change.
_Shaping = tuple[int, int, "library_pb2.TranscriptEdit"]


def _text(option: str) -> _Shaping:
    from recordroute.gateway.v1 import library_pb2

    number, text = parse_pair(option, "--text", "12='New text'")
    index = parse_number(number, "--text", "12='New text'")
    change = library_pb2.ReplaceText(segment_index=index, text=text)
    return index, index, library_pb2.TranscriptEdit(replace_text=change)


def _split(option: str) -> _Shaping:
    from recordroute.gateway.v1 import library_pb2

    match = _PLACE.fullmatch(option)
    if match is None:
        raise CommandError(f"--split: {option!r} is not like 12:34", ExitCode.USAGE)
    change = library_pb2.SplitSegment(segment_index=int(match[1]), position=int(match[2]))
    return int(match[1]), int(match[1]), library_pb2.TranscriptEdit(split_segment=change)


def _merge(option: str) -> _Shaping:
    from recordroute.gateway.v1 import library_pb2

    ends = parse_range(option)
    if ends is None:
        raise CommandError(f"--merge: {option!r} is not like 3-5", ExitCode.USAGE)
    first, last = ends
    change = library_pb2.MergeSegments(first_segment_index=first, last_segment_index=last)
    return first, last, library_pb2.TranscriptEdit(merge_segments=change)


def _to_end(
    change: library_pb2.TranscriptEdit, transcript: library_pb2.GetTranscriptResponse
) -> library_pb2.TranscriptEdit:
    """Returns a new text for a whole segment as the contract has it, with the place where the old one ends."""
    if change.HasField("replace_text"):
        index = change.replace_text.segment_index
        if index >= len(transcript.segments):
            raise CommandError(f"there is no segment {index}", ExitCode.USAGE)
        change.replace_text.end = len(transcript.segments[index].text)
    return change


def _check_apart(shaping: list[_Shaping]) -> None:
    """Refuses changes of the same segment: the second would be told in numbers that the first has changed."""
    ordered = sorted(shaping, key=lambda item: item[:2])
    for before, after in itertools.pairwise(ordered):
        if after[0] <= before[1]:
            raise CommandError(
                f"segment {after[0]} can be changed in one way only by one command", ExitCode.USAGE
            )
