"""`recordroute backup` and `restore`: everything that the system keeps, as one file."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.places import data_dir
from recordroute_cli.terminal import JsonOption
from recordroute_cli.whole_file import draft_of, write_whole

FORMAT = 1
MANIFEST = "recordroute-backup.json"


def backup(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="TAR archive to write.", dir_okay=False)],
    json_output: JsonOption = False,
) -> None:
    """Back up database and files while the server runs. It needs an API key, or token, with the scope admin."""
    from recordroute.gateway.v1 import system_pb2

    from recordroute_cli.client import connect

    with connect() as gateway:

        def chunks() -> Iterator[bytes]:
            with gateway.translated():
                for response in gateway.system.Backup(system_pb2.BackupRequest()):
                    yield response.chunk

        size = write_whole(output, chunks())
    if json_output:
        terminal.write_json({"output": str(output), "size_bytes": size})
    else:
        terminal.note(f"wrote {output}; put it back with: {terminal.command_name()} restore {output}")


def restore(
    archive: Annotated[
        Path, typer.Argument(metavar="FILE", help="Archive that `backup` wrote.", exists=True, dir_okay=False)
    ],
    folder: Annotated[
        Path | None,
        typer.Option("--data-dir", help="New or empty folder to restore to; else RECORDROUTE_DATA_DIR."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Put a backup back into an empty data folder, while no server uses it."""
    target = folder.absolute() if folder is not None else data_dir()
    if target.exists() and any(target.iterdir()):
        raise CommandError(
            f"{target} is not empty: restore into another folder with --data-dir, nothing was changed",
            ExitCode.USAGE,
        )
    draft = draft_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        created_at = _extract(archive, draft)
        if target.exists():
            target.rmdir()
        draft.replace(target)
    except OSError as error:
        raise CommandError(f"can't restore to {target}: {(error.strerror or str(error)).lower()}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    if json_output:
        terminal.write_json({"data_dir": str(target), "created_at": created_at})
    else:
        terminal.note(
            f"restored the library of {created_at} to {target}; the search index is made anew when it is served: "
            f"{terminal.command_name()} up --data-dir {target}"
        )


def _extract(archive: Path, target: Path) -> str:
    """Extracts a backup and returns when it was made."""
    target.mkdir(mode=0o700)
    try:
        with tarfile.open(archive, mode="r|") as members:
            for member in members:
                # Refuses paths that lead out of the folder, links and devices.
                members.extract(member, target, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise CommandError(f"{archive} is damaged or not a backup: {error}") from error
    manifest = target / MANIFEST
    try:
        found = json.loads(manifest.read_text())
        version, created_at = int(found["format"]), str(found["created_at"])
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{archive} is not a backup of RecordRoute") from error
    if version > FORMAT:
        raise CommandError(f"{archive} was made by a newer RecordRoute: update this one first")
    for name in ("library.sqlite", "workflows.sqlite"):
        if not (target / name).is_file():
            raise CommandError(f"{archive} is incomplete: {name} is missing")
    shutil.move(manifest, target / "restored-from.json")
    return created_at
