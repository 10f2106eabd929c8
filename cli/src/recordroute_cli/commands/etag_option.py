"""`--etag`: a change is made only to the state of a text that whoever makes it has seen."""

from __future__ import annotations

from typing import Annotated

import typer

from recordroute_cli.errors import CommandError
from recordroute_cli.terminal import plain

EtagOption = Annotated[
    str,
    typer.Option(
        "--etag",
        metavar="ETAG",
        help="Only if nobody has changed it since --json showed this etag.",
        show_default=False,
    ),
]


def check_etag(wanted: str, there: str, text: str) -> None:
    """Raises CommandError where somebody has changed the text since `wanted` was its etag; an empty one asks for
    nothing.

    The numbers of a command are those that its user has seen, so that they are not even looked up in another state.
    What changes after this the server notices.
    """
    if wanted and wanted != there:
        raise CommandError(
            f"{text} changed since the etag was {plain(wanted)}: look again (ETAG_MISMATCH)",
            status="ABORTED",
            reason="ETAG_MISMATCH",
        )
