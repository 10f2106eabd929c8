"""`recordroute download`: a recording's files as they are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain
from recordroute_cli.whole_file import write_whole

if TYPE_CHECKING:
    from recordroute.gateway.v1 import library_pb2


class Kind(StrEnum):
    """Files that are kept of a recording."""

    MEDIA = "media"
    TRANSCRIPT = "transcript"
    MINUTES = "minutes"


def download(
    recording: RecordingArgument,
    artifact: Annotated[
        Kind,
        typer.Option(help="The file that was added, or, as JSON, the transcript or the minutes."),
    ] = Kind.MEDIA,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write, or a folder; the file's own name here if not given."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Download the file that a recording was made of, or its transcript or minutes as they are kept."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    with connect() as gateway:
        request = library_pb2.DownloadArtifactRequest(
            recording_id=gateway.recording_id(recording), kind=f"ARTIFACT_KIND_{artifact.name}"
        )
        with gateway.translated():
            responses = gateway.library.DownloadArtifact(request)
            info = next(responses).info
            path = _target(output, info.file_name)
            if path.exists() and not force:
                raise CommandError(f"{path} is there already; --force replaces it", ExitCode.USAGE)
            write_whole(path, _checked(responses, info))
    if json_output:
        terminal.write_json(
            {
                "recording_id": request.recording_id,
                "artifact": artifact.value,
                "output": str(path),
                "size_bytes": info.size_bytes,
                "sha256": info.sha256,
                "media_type": info.media_type,
            }
        )
    else:
        terminal.note(f"wrote {plain(str(path))}")


def _target(output: Path | None, file_name: str) -> Path:
    # The name is somebody else's: it says what, never where.
    name = Path(file_name).name.lstrip(".") or "recording"
    if output is None:
        return Path(name)
    return output / name if output.is_dir() else output


def _checked(
    responses: Iterator[library_pb2.DownloadArtifactResponse], info: library_pb2.ArtifactInfo
) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for response in responses:
        digest.update(response.chunk)
        yield response.chunk
    if digest.hexdigest() != info.sha256:
        raise CommandError("the file was changed on its way here; download it again")
