"""`recordroute export-library` and `import`: whole libraries as archives."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain
from recordroute_cli.whole_file import write_whole

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer
    from recordroute.gateway.v1 import library_pb2

CHUNK_BYTES = 1 << 20
# What the first RecordRoute kept in its data folder; caches and vectors of other models stay behind.
LEGACY_NAMES = ("upload_history.json", "file_registry.json", "uploads", "whisper_output")


def export_library(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="ZIP archive to write.", dir_okay=False)],
    recordings: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Recordings; all of your own where none is given."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Write recordings with everything that belongs to them as one archive, for `import` elsewhere."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    with connect() as gateway:
        ids = [gateway.recording_id(recording) for recording in recordings or ()]

        def chunks() -> Iterator[bytes]:
            with gateway.translated():
                for response in gateway.library.ExportLibrary(
                    library_pb2.ExportLibraryRequest(recording_ids=ids)
                ):
                    yield response.chunk

        size = write_whole(output, chunks())
    if json_output:
        terminal.write_json({"output": str(output), "size_bytes": size})
    else:
        terminal.note(f"wrote {output}; take it in elsewhere with: {terminal.command_name()} import {output}")


def import_library(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            help="Archive of `export-library`, or the data folder of the first RecordRoute.",
        ),
    ],
    skip_index: Annotated[
        bool, typer.Option("--no-index", help="Leave out of search what comes without vectors.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Take in the recordings of an archive. Those that are there already stay as they are."""
    from recordroute.gateway.v1 import library_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect

    config = library_pb2.ImportConfig(request_id=str(uuid.uuid4()), skip_index=skip_index)
    chunks = _pack(source) if source.is_dir() else _read(source)
    failed = 0
    with connect() as gateway, gateway.translated():

        def messages() -> Iterator[library_pb2.ImportLibraryRequest]:
            yield library_pb2.ImportLibraryRequest(config=config)
            for chunk in chunks:
                yield library_pb2.ImportLibraryRequest(chunk=chunk)

        call = gateway.library.ImportLibrary(messages())
        try:
            for result in call:
                failed += result.outcome == library_pb2.IMPORT_OUTCOME_FAILED
                if json_output:
                    terminal.write_json_line({"result": document(result)})
                else:
                    _print(result)
        finally:
            # Nothing else stops the bytes when this is interrupted.
            call.cancel()
    return ExitCode.FAILED if failed else ExitCode.OK


def _print(result: library_pb2.ImportLibraryResponse) -> None:
    from recordroute_runtime.documents import enum_name

    from recordroute_cli.render import short

    outcome = enum_name(result, "outcome")
    what = plain(result.error.message) if outcome == "failed" else short(result.recording_id)
    terminal.out().print(
        f"{result.done_count}/{result.total_count}  {outcome:<8}  {what}  {plain(result.entry)}",
        soft_wrap=True,
        highlight=False,
    )


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise CommandError(f"can't read {path}: {(error.strerror or str(error)).lower()}") from error


class _Sink(io.RawIOBase):
    """A file for the ZIP writer that hands out what was written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        data, self._pieces = b"".join(self._pieces), []
        self.size = 0
        return data


def _pack(folder: Path) -> Iterator[bytes]:
    """Packs the data folder of the first RecordRoute while it is sent."""
    root = next((each for each in (folder, folder / "DB") if _is_legacy(each)), None)
    if root is None:
        raise CommandError(
            f"{folder} is not the data folder of the first RecordRoute: it has neither "
            "upload_history.json nor whisper_output",
            ExitCode.USAGE,
        )
    sink = _Sink()
    try:
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
            for name in LEGACY_NAMES:
                top = root / name
                for path in [top] if top.is_file() else sorted(top.rglob("*")):
                    if not path.is_file() or path.is_symlink():
                        continue
                    info = zipfile.ZipInfo.from_file(
                        path, str(path.relative_to(root)), strict_timestamps=False
                    )
                    with path.open("rb") as source, archive.open(info, "w") as target:
                        while chunk := source.read(CHUNK_BYTES):
                            target.write(chunk)
                            if sink.size >= CHUNK_BYTES:
                                yield from _pieces(sink.take())
        yield from _pieces(sink.take())
    except OSError as error:
        raise CommandError(f"can't read {folder}: {(error.strerror or str(error)).lower()}") from error


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def _is_legacy(folder: Path) -> bool:
    return (folder / "upload_history.json").is_file() or (folder / "whisper_output").is_dir()
