"""Where the parts of an embedded index lie, and how they change without ever being half-changed.

index_dir/lock                 held by the service that has the index open, and by its workers
index_dir/current              the number of the generation in use; replaced by a rename
index_dir/generations/N/       a generation: an index whole in itself
    index.json                 format, model, dimensions
    shard/                     Qdrant Edge's files: the state of the last flush, or a later one
    journal                    the changes since
    erase                      since its time of change (mtime) deleted texts wait to be gone from the disk
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from recordroute_vector.index.frames import IndexTrouble, Trouble, os_trouble

FORMAT = 2
# The worker of a service that was killed sees that within milliseconds, but may be in the middle of a write.
LOCK_WAIT_SECONDS = 2.0


@dataclass(frozen=True)
class Manifest:
    """What a generation is made with: `model` the vectors, `analyzer` the words; `token_vectors` tells whether
    those are kept."""

    model: str
    dimensions: int
    analyzer: str
    token_vectors: bool
    format: int = FORMAT


class IndexFiles:
    """The folder of an index."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def lock(self) -> int:
        """Takes the folder and returns the lock's descriptor, for workers to inherit. Raises IndexTrouble."""
        try:
            (self.directory / "generations").mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise os_trouble(error, self.directory) from error
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    raise IndexTrouble(Trouble.IN_USE, "locked", directory=str(self.directory)) from error
                time.sleep(0.05)

    def generation(self, number: int) -> Path:
        return self.directory / "generations" / str(number)

    def draft(self, number: int) -> Path:
        """Returns the folder that a generation is made in before it is whole."""
        return self.directory / "generations" / f"{number}.draft"

    def current(self) -> int | None:
        """Returns the number of the generation in use; None where there is no index. Raises IndexTrouble."""
        try:
            return int((self.directory / "current").read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise IndexTrouble(
                Trouble.UNREADABLE, f"current: {error}", directory=str(self.directory)
            ) from error

    def finish(self, number: int) -> None:
        """Gives a draft its name, for good, in the place of one that was never published. Raises OSError."""
        sync_tree(self.draft(number))
        if self.generation(number).exists():
            shutil.rmtree(self.generation(number))
        self.draft(number).rename(self.generation(number))
        sync_folder(self.directory / "generations")

    def publish(self, number: int) -> None:
        """Makes a generation the one in use: before or after, whenever the power goes. Raises OSError."""
        write_durably(self.directory / "current", str(number))

    def sweep(self, keep: int | None) -> None:
        """Deletes all generations but one: drafts, retired ones, ones that were never published."""
        for path in (self.directory / "generations").iterdir():
            if keep is None or path.name != str(keep):
                shutil.rmtree(path)

    def size_bytes(self, number: int) -> int:
        """Returns the room that a generation takes on the disk."""
        return sum(
            path.stat().st_blocks * 512 for path in self.generation(number).rglob("*") if path.is_file()
        )


def write_manifest(path: Path, manifest: Manifest) -> None:
    write_durably(path / "index.json", json.dumps(asdict(manifest)))


def read_manifest(path: Path) -> Manifest:
    """Reads what a generation is made with. Raises IndexTrouble (UNREADABLE)."""
    try:
        values = json.loads((path / "index.json").read_text())
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']}, not {FORMAT}")
        return Manifest(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexTrouble(Trouble.UNREADABLE, f"index.json: {error}", directory=str(path)) from error


def has_room(path: Path, size_bytes: int) -> bool:
    """Tells whether that many bytes are free on the disk of a path, there or not yet there."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(there).free >= size_bytes


def write_durably(path: Path, text: str) -> None:
    """Replaces a small file at once. Raises OSError."""
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    for folder, _, names in os.walk(path):
        for name in names:
            sync_folder(Path(folder) / name)
        sync_folder(Path(folder))
