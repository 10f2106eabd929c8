"""`recordroute search`: finds what was said."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands import search_conditions as conditions
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption


class Mode(StrEnum):
    """How to look."""

    HYBRID = "hybrid"
    MEANING = "meaning"
    WORDS = "words"


_MODES = {
    Mode.HYBRID: "SEARCH_MODE_HYBRID",
    Mode.MEANING: "SEARCH_MODE_DENSE",
    Mode.WORDS: "SEARCH_MODE_LEXICAL",
}


def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="Words, a phrase or a question.")],
    recorded_from: conditions.From = None,
    recorded_to: conditions.To = None,
    recording: conditions.Recordings = None,
    tag: conditions.Tags = None,
    folder: conditions.Folder = "",
    speaker: conditions.Speakers = None,
    language: conditions.Languages = None,
    mode: Annotated[Mode, typer.Option("--by", help="Look by words, by meaning, or by both.")] = Mode.HYBRID,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Places shown at most.")] = 10,
    json_output: JsonOption = False,
) -> None:
    """Find the places where something was said, by its words and by its meaning."""
    from recordroute.gateway.v1 import search_pb2

    request = search_pb2.SearchRequest(query=" ".join(query), limit=limit, mode=_MODES[mode])
    if not request.query.strip():
        raise CommandError("the query is empty", ExitCode.USAGE)
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import print_hit

    with connect() as gateway:
        conditions.apply(
            gateway,
            request,
            recorded_from=recorded_from,
            recorded_to=recorded_to,
            recordings=recording,
            tags=tag,
            folder=folder,
            speakers=speaker,
            languages=language,
        )
        response = gateway.call(gateway.search.Search, request)
    if json_output:
        terminal.write_json(document(response))
        return
    console = terminal.out()
    for hit in response.hits:
        print_hit(console, hit)
    if not response.hits:
        terminal.note("nothing found")
    elif mode is not Mode.WORDS and not any(hit.highlights for hit in response.hits):
        terminal.note("none of these places has a word of the query: they come nearest in meaning")
