"""`recordroute templates`: what minutes look like."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import template_pb2

app = typer.Typer(
    help="Templates of minutes: which sections they have, and what belongs there.", no_args_is_help=True
)
# A byte more than the contract allows is refused by the server, in its words.
LARGEST_FILE_BYTES = 64 * 1024

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the template.")]
LanguageOption = Annotated[
    str, typer.Option("--language", help="Language of the built-in templates, for instance ko; else English.")
]


@app.command("list", epilog="Example: recordroute templates list --language ko")
def list_templates(language: LanguageOption = "", json_output: JsonOption = False) -> None:
    """List the built-in templates and your own."""
    from recordroute_runtime.documents import document

    templates = _templates(language)
    if json_output:
        terminal.write_json({"templates": [document(template) for template in templates]})
        return
    for template in templates:
        kind = "built-in" if template.built_in else "own"
        terminal.out().print(f"{template.name:<16}  {kind:<8}  {plain(template.title)}", soft_wrap=True)


@app.command("show", epilog="Example: recordroute templates show meeting > weekly.md")
def show(name: NameArgument, language: LanguageOption = "", json_output: JsonOption = False) -> None:
    """Print a template in Markdown: a good beginning for one of your own."""
    from recordroute_runtime.documents import document

    found = [template for template in _templates(language) if template.name == name]
    if not found:
        raise CommandError(f"there is no template {plain(name)!r}", ExitCode.NOT_FOUND)
    if json_output:
        terminal.write_json(document(found[0]))
    else:
        print(found[0].markdown, end="" if found[0].markdown.endswith("\n") else "\n")


@app.command("put", epilog="Example: recordroute templates put weekly weekly.md")
def put(
    name: NameArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The template in Markdown; - reads it from stdin.")
    ],
    json_output: JsonOption = False,
) -> None:
    """Write a template of your own. It goes before a built-in one of the same name."""
    from recordroute.gateway.v1 import template_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect

    data = sys.stdin.buffer.read(LARGEST_FILE_BYTES) if str(file) == "-" else _read(file)
    try:
        markdown = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{file}: not a text in UTF-8", ExitCode.USAGE) from error
    request = template_pb2.PutTemplateRequest(request_id=str(uuid.uuid4()), name=name, markdown=markdown)
    with connect() as gateway:
        template = gateway.call(gateway.templates.PutTemplate, request).template
    if json_output:
        terminal.write_json(document(template))
    else:
        terminal.out().print(f"{template.name}  {plain(template.title)}", soft_wrap=True)


@app.command("rm", epilog="Example: recordroute templates rm weekly")
def remove(name: NameArgument, json_output: JsonOption = False) -> None:
    """Delete a template of your own."""
    from recordroute.gateway.v1 import template_pb2

    from recordroute_cli.client import connect

    request = template_pb2.DeleteTemplateRequest(request_id=str(uuid.uuid4()), name=name)
    with connect() as gateway:
        gateway.call(gateway.templates.DeleteTemplate, request)
    if json_output:
        terminal.write_json({"deleted": [name]})


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(LARGEST_FILE_BYTES)


def _templates(language: str) -> list[template_pb2.Template]:
    from recordroute.gateway.v1 import template_pb2

    from recordroute_cli.client import connect

    request = template_pb2.ListTemplatesRequest(language=language)
    with connect() as gateway:
        return list(gateway.call(gateway.templates.ListTemplates, request).templates)
