"""`recordroute export`: a recording's texts as a file."""

from __future__ import annotations

import codecs
import os
import sys
import tempfile
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.errors import CommandError
from recordroute_cli.terminal import JsonOption


class ExportFormat(StrEnum):
    """File formats that the gateway writes."""

    TXT = "txt"
    MD = "md"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"


def export(
    recording: RecordingArgument,
    file_format: Annotated[
        ExportFormat,
        typer.Option("--format", "-f", help="txt and md to read, srt and vtt for players, json for all."),
    ] = ExportFormat.TXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output if not given.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Write a recording's texts as text, Markdown, subtitles or JSON."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    wire_format: library_pb2.ExportFormat = getattr(library_pb2, f"EXPORT_FORMAT_{file_format.name}")
    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        chunks = gateway.export(recording_id, wire_format)
        document = {"recording_id": recording_id, "format": file_format.value}
        if output is not None:
            count = _write_file(output, chunks)
            if json_output:
                terminal.write_json({**document, "output": str(output), "size_bytes": count})
            else:
                terminal.note(f"wrote {output}")
        elif json_output:
            content = "".join(codecs.iterdecode(chunks, "utf-8"))
            terminal.write_json({**document, "content": content})
        else:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()


def _write_file(path: Path, chunks: Iterable[bytes]) -> int:
    """Writes the file as a whole or not at all."""
    count = 0
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:100]}.", delete=False
        ) as file:
            try:
                for chunk in chunks:
                    count += file.write(chunk)
                file.flush()
                umask = os.umask(0)
                os.umask(umask)
                os.fchmod(file.fileno(), 0o666 & ~umask)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CommandError(f"can't write {path}: {(error.strerror or str(error)).lower()}") from error
    return count
