"""`recordroute export`: a recording's texts as a file."""

from __future__ import annotations

import codecs
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption
from recordroute_cli.whole_file import write_whole


class ExportFormat(StrEnum):
    """File formats that the gateway writes."""

    TXT = "txt"
    MD = "md"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"
    DOCX = "docx"


def export(
    recording: RecordingArgument,
    file_format: Annotated[
        ExportFormat,
        typer.Option(
            "--format", "-f", help="txt, md and docx to read, srt and vtt for players, json for all."
        ),
    ] = ExportFormat.TXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output if not given.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Write a recording's texts as text, Markdown, Word document, subtitles or JSON."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    if file_format is ExportFormat.DOCX and output is None and (json_output or sys.stdout.isatty()):
        raise CommandError("docx is not text: give a file with --output", ExitCode.USAGE)
    wire_format: library_pb2.ExportFormat = getattr(library_pb2, f"EXPORT_FORMAT_{file_format.name}")
    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        chunks = gateway.export(recording_id, wire_format)
        document = {"recording_id": recording_id, "format": file_format.value}
        if output is not None:
            count = write_whole(output, chunks)
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
