"""What `recordroute search` and `ask` look in: the conditions alike for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli.dates import parse_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recordroute.gateway.v1 import search_pb2

    from recordroute_cli.client import Gateway

From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Only recordings of this day or time and later."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="Only recordings up to this day (all of it) or time."),
]
Recordings = Annotated[
    list[str] | None,
    typer.Option("--in", metavar="ID", help="Only this recording; repeated: any of them."),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Only with this tag; repeated: with all of them."),
]
Folder = Annotated[str, typer.Option("--folder", metavar="FOLDER", help="Only in this folder or below it.")]
Speakers = Annotated[
    list[str] | None,
    typer.Option("--speaker", metavar="NAME", help="Only where this person speaks; repeated: any of them."),
]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="CODE", help="Only in this language, as en; repeated: any of them."),
]


def apply(
    gateway: Gateway,
    request: search_pb2.SearchRequest | search_pb2.AskRequest,
    *,
    recorded_from: str | None,
    recorded_to: str | None,
    recordings: Sequence[str] | None,
    tags: Sequence[str] | None,
    folder: str,
    speakers: Sequence[str] | None,
    languages: Sequence[str] | None,
) -> None:
    """Puts the conditions into a request. Raises CommandError where one can't be read."""
    if recorded_from:
        request.recorded_from.FromDatetime(parse_moment(recorded_from, "--from"))
    if recorded_to:
        request.recorded_before.FromDatetime(parse_moment(recorded_to, "--to", end_of_day=True))
    request.recording_ids.extend(gateway.recording_id(text) for text in recordings or ())
    request.tags.extend(tags or ())
    request.folder = folder
    request.speakers.extend(speakers or ())
    request.languages.extend(languages or ())
