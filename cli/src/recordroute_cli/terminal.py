"""Standard output and standard error: for people through rich, for programs as JSON."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

# Tables that go into a pipe are never folded: their columns stay as wide as their text.
PIPE_WIDTH = 4096

_json_mode = False


def _set_json(value: bool) -> bool:
    global _json_mode
    _json_mode = value
    return value


JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON for programs.", callback=_set_json, is_eager=True),
]


def json_mode() -> bool:
    """Whether the running command was asked for JSON."""
    return _json_mode


def reset() -> None:
    """Forgets what an earlier command of this process was asked for."""
    _set_json(False)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # Names and texts are other people's: brackets and colons in them mean nothing.
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=False,
        width=None if stream.isatty() else PIPE_WIDTH,
    )


def out() -> Console:
    """Returns the console of results."""
    return _console(stderr=False)


def err() -> Console:
    """Returns the console of progress and complaints."""
    return _console(stderr=True)


def command_name() -> str:
    """Returns what to type to run this program: its name where the shell finds it, else its path."""
    program = Path(sys.argv[0])
    found = shutil.which("recordroute")
    if program.name != "recordroute" or (found is not None and Path(found).resolve() == program.resolve()):
        return "recordroute"
    absolute, here = program.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def plain(text: str) -> str:
    """Returns `text` on one line and without control characters, which could drive the terminal."""
    return "".join(
        " " if character in "\n\r\t" else "\N{REPLACEMENT CHARACTER}" if _is_control(character) else character
        for character in text
    )


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character < "\xa0" or "\ud800" <= character <= "\udfff"


def write_json(document: Any) -> None:
    """Prints one indented JSON document."""
    print(json.dumps(document, ensure_ascii=False, indent=2), flush=True)


def write_json_line(document: Any) -> None:
    """Prints one line of JSON Lines."""
    print(json.dumps(document, ensure_ascii=False), flush=True)


def complain(message: str) -> None:
    """Prints one line about an error on standard error."""
    print(f"error: {plain(message)}", file=sys.stderr, flush=True)


def note(message: str) -> None:
    """Prints one line on standard error that is neither result nor error."""
    print(plain(message), file=sys.stderr, flush=True)
