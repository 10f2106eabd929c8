"""`recordroute search`: finds what was said."""

from __future__ import annotations

from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.dates import parse_moment
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption


def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="Words, a phrase or a question.")],
    recorded_from: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Only recordings of this day or time and later."),
    ] = None,
    recorded_to: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Only recordings up to this day (all of it) or time."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Places shown at most.")] = 10,
    json_output: JsonOption = False,
) -> None:
    """Find the places where something was said, by its words and by its meaning."""
    from recordroute.gateway.v1 import search_pb2

    request = search_pb2.SearchRequest(query=" ".join(query), limit=limit)
    if not request.query.strip():
        raise CommandError("the query is empty", ExitCode.USAGE)
    if recorded_from:
        request.recorded_from.FromDatetime(parse_moment(recorded_from, "--from"))
    if recorded_to:
        request.recorded_before.FromDatetime(parse_moment(recorded_to, "--to", end_of_day=True))
    from recordroute_cli.client import connect
    from recordroute_cli.jsondoc import document
    from recordroute_cli.render import print_hit

    with connect() as gateway:
        response = gateway.call(gateway.search.Search, request)
    if json_output:
        terminal.write_json(document(response))
        return
    console = terminal.out()
    for hit in response.hits:
        print_hit(console, hit)
    if not response.hits:
        terminal.note("nothing found")
