"""`recordroute vocabulary`: names and terms that new transcriptions look out for."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recordroute.gateway.v1 import vocabulary_pb2

app = typer.Typer(
    help="Names and terms that new transcriptions look out for; corrections teach them, too.",
    no_args_is_help=True,
)
PAGE_SIZE = 1000

TermsArgument = Annotated[list[str], typer.Argument(metavar="TERM", help="Names and terms.")]


@app.command("list", epilog="Example: recordroute vocabulary list --json")
def list_terms(json_output: JsonOption = False) -> None:
    """List the vocabulary."""
    from recordroute.gateway.v1 import vocabulary_pb2

    from recordroute_cli.client import connect

    request = vocabulary_pb2.ListTermsRequest(page_size=PAGE_SIZE)
    terms: list[vocabulary_pb2.VocabularyTerm] = []
    with connect() as gateway:
        while True:
            page = gateway.call(gateway.vocabulary.ListTerms, request)
            terms += page.terms
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    if not terms and not json_output:
        terminal.note("the vocabulary is empty; add to it with: recordroute vocabulary add TERM")
    _show(terms, json_output)


@app.command("add", epilog="Example: recordroute vocabulary add ComfyUI 'Kim Minji'")
def add(terms: TermsArgument, json_output: JsonOption = False) -> None:
    """Add terms. Those that are there already stay as they are."""
    from recordroute.gateway.v1 import vocabulary_pb2

    from recordroute_cli.client import connect

    request = vocabulary_pb2.AddTermsRequest(request_id=str(uuid.uuid4()), texts=terms)
    with connect() as gateway:
        _show(gateway.call(gateway.vocabulary.AddTerms, request).terms, json_output)


@app.command("rm", epilog="Example: recordroute vocabulary rm ComfyUI")
def remove(terms: TermsArgument, json_output: JsonOption = False) -> None:
    """Remove terms. What is corrected again later is learned again."""
    from recordroute.gateway.v1 import vocabulary_pb2

    from recordroute_cli.client import connect

    request = vocabulary_pb2.RemoveTermsRequest(request_id=str(uuid.uuid4()), texts=terms)
    with connect() as gateway:
        gateway.call(gateway.vocabulary.RemoveTerms, request)
    if json_output:
        terminal.write_json({"removed": terms})


def _show(terms: Iterable[vocabulary_pb2.VocabularyTerm], json_output: bool) -> None:
    from recordroute_runtime.documents import document

    if json_output:
        terminal.write_json({"terms": [document(term) for term in terms]})
        return
    for term in terms:
        notes = [f"corrected {term.correction_count}×"] if term.correction_count else []
        if term.heard_as:
            notes.append("heard as " + ", ".join(f"“{plain(heard)}”" for heard in term.heard_as))
        line = f"{plain(term.text)}  ({'; '.join(notes)})" if notes else plain(term.text)
        terminal.out().print(line, soft_wrap=True)
