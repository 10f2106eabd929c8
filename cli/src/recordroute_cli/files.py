"""Finds the files that the arguments of `add` mean."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# What a folder's files must be named like to be taken from it; a file that is named itself may be anything.
MEDIA_SUFFIXES = tuple(
    f".{name}"
    for name in (
        *("aac", "ac3", "aif", "aiff", "amr", "au", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "oga"),
        *("ogg", "opus", "wav", "weba", "wma", "wv"),
        *(
            "3gp",
            "avi",
            "flv",
            "m4v",
            "mkv",
            "mov",
            "mp4",
            "mpeg",
            "mpg",
            "mts",
            "ogv",
            "ts",
            "vob",
            "webm",
            "wmv",
        ),
    )
)


@dataclass(frozen=True)
class Unusable:
    """An argument, or a file of it, that can't be uploaded, and why."""

    name: str
    reason: str


def find_files(arguments: Iterable[str]) -> list[Path | Unusable]:
    """Returns the files in the order of the arguments, each once.

    An argument is a file, a folder (searched to the bottom for media by their suffix, hidden ones left out), or a
    pattern with `*`, `?`, `[...]` or `**` that the shell has left alone. What exists under a name with such
    characters is taken as it is.
    """
    found: dict[Path | Unusable, None] = {}
    for argument in arguments:
        for entry in _expand(argument):
            found[entry] = None
    return list(found)


def _expand(argument: str) -> Iterator[Path | Unusable]:
    path = Path(argument)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        if not glob.has_magic(argument):
            yield Unusable(argument, _reason(error))
            return
        # Path.glob knows neither absolute patterns nor where a pattern's fixed part ends.
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207
        if not matches:
            yield Unusable(argument, "nothing matches this pattern")
        for match in matches:
            yield from _expand(match)
        return
    except ValueError as error:
        yield Unusable(argument, str(error))
        return
    if not is_folder:
        yield _checked(path)
        return
    media = list(_media_in(path))
    yield from (_checked(file) for file in media)
    if not media:
        yield Unusable(argument, "no audio or video files in this folder")


def _media_in(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in MEDIA_SUFFIXES:
                yield Path(parent, name)


def _checked(path: Path) -> Path | Unusable:
    """Opens the file, so that what can't be read is known before anything is sent."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Unusable(str(path), "not a regular file")
        if status.st_size == 0:
            return Unusable(str(path), "the file is empty")
        with path.open("rb"):
            return path
    except OSError as error:
        return Unusable(str(path), _reason(error))


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
