"""Reads the data folder of the first RecordRoute, packed as a ZIP archive.

    upload_history.json           list of records: id, timestamp, filename, folder_name, tags, title_summary, duration
    file_registry.json            files by id, each with its record and what it is
    uploads/<folder>/             the media
    whisper_output/<folder>/      *.md, lines of "[HH:MM:SS - HH:MM:SS] text", and *.summary.md
    vector_store/index.json       vectors of another model: the texts are embedded anew

Records that only have files in `whisper_output` are taken, too: the history was cut at a hundred.
"""

from __future__ import annotations

import json
import re
import uuid
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from recordroute_gateway.library.archive import bad_archive
from recordroute_gateway.library.records import Segment

HISTORY = "upload_history.json"
REGISTRY = "file_registry.json"
OUTPUT = "whisper_output"
UPLOADS = "uploads"
SUMMARY_SUFFIX = ".summary.md"
MAX_TEXT_BYTES = 64 << 20

_TIMED = re.compile(
    r"^\[(?P<start>\d{1,3}:\d{2}:\d{2}(?:[.,]\d+)?)\s*(?:-|–|~|-->)\s*(?P<end>\d{1,3}:\d{2}:\d{2}(?:[.,]\d+)?)\]"
    r"\s*(?P<text>.*)$"
)
_SPEAKER = re.compile(r"^(?P<speaker>(?:화자|참석자|SPEAKER|Speaker)[ _]?\w{1,8})\s*[:：]\s*(?P<text>.*)$")


@dataclass(frozen=True)
class LegacyRecord:
    """A record of the old library. `media` and `transcript` are names in the archive, empty where there is none."""

    id: str
    title: str
    file_name: str
    tags: tuple[str, ...]
    recorded_at: datetime | None
    is_deleted: bool
    media: str
    transcript: str
    summary: str


def is_legacy(archive: zipfile.ZipFile) -> bool:
    """Says whether an archive is a packed data folder of the first RecordRoute."""
    return _root(archive) is not None


def read_records(archive: zipfile.ZipFile) -> list[LegacyRecord]:
    """Returns the records, those of the history first. Raises InvalidInput (BAD_ARCHIVE)."""
    root = _root(archive)
    if root is None:
        raise bad_archive(f"there is neither {HISTORY} nor {OUTPUT} in it")
    folders = _files_by_folder(archive, root)
    registry = _load(archive, f"{root}{REGISTRY}", dict)
    files_of: dict[str, dict[str, str]] = defaultdict(dict)
    for info in registry.values():
        if isinstance(info, dict) and not info.get("deleted"):
            path = _inside(str(info.get("file_path", "")))
            files_of[str(info.get("record_id", ""))][str(info.get("task_type", ""))] = path
    records, taken = [], set()
    for entry in _load(archive, f"{root}{HISTORY}", list):
        if not isinstance(entry, dict):
            continue
        folder = str(entry.get("folder_name") or "")
        taken.add(folder)
        records.append(_record(entry, folder, folders.get(folder, {}), files_of[str(entry.get("id", ""))]))
    for folder, files in sorted(folders.items()):
        if folder not in taken and files.get("stt"):
            records.append(_record({}, folder, files, {}))
    return [record for record in records if record.media or record.transcript]


def parse_transcript(text: str) -> tuple[Segment, ...]:
    """Returns the segments of an old transcript. Lines without times go on with the line before, or stand for
    themselves where there are no times at all."""
    segments: list[Segment] = []
    for line in text.removeprefix("\ufeff").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        timed = _TIMED.match(line)
        content = timed["text"] if timed else line
        named = _SPEAKER.match(content)
        speaker, content = (named["speaker"], named["text"]) if named else ("", content)
        if not content:
            continue
        last = segments[-1] if segments else None
        if timed:
            start, end = _seconds(timed["start"]), _seconds(timed["end"])
            segments.append(Segment(len(segments), start, max(start, end), content, speaker))
        elif last is not None and last.end > 0:
            segments[-1] = Segment(last.index, last.start, last.end, f"{last.text} {content}", last.speaker)
        else:
            segments.append(Segment(len(segments), 0.0, 0.0, content, speaker))
    return tuple(segments)


def read_text(archive: zipfile.ZipFile, name: str) -> str:
    """Returns a text of the archive. Raises InvalidInput (BAD_ARCHIVE) where it is too large to be one."""
    info = archive.getinfo(name)
    if info.file_size > MAX_TEXT_BYTES:
        raise bad_archive(f"{name} is too large for a text")
    return archive.read(info).decode("utf-8", "replace")


def _root(archive: zipfile.ZipFile) -> str | None:
    """Returns what comes before the names of the data folder: "" or for instance "DB/"."""
    for name in sorted(archive.namelist(), key=len):
        parts = PurePosixPath(name).parts
        for place, part in enumerate(parts[:2]):
            if part == HISTORY or (part == OUTPUT and len(parts) > place + 1):
                return "".join(f"{parent}/" for parent in parts[:place])
    return None


def _files_by_folder(archive: zipfile.ZipFile, root: str) -> dict[str, dict[str, str]]:
    """Returns, by folder, the names of the media ("media"), the transcript ("stt") and the summary ("summary")."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name in archive.namelist():
        if not name.startswith(root) or name.endswith("/"):
            continue
        parts = PurePosixPath(name.removeprefix(root)).parts
        if len(parts) != 3:
            continue
        base, folder, file_name = parts
        if base == UPLOADS and not file_name.startswith("."):
            found[folder].setdefault("media", name)
        elif base == OUTPUT and file_name.endswith(SUMMARY_SUFFIX):
            found[folder].setdefault("summary", name)
        elif base == OUTPUT and file_name.endswith(".md"):
            # Corrected transcripts have longer names than what they were made of.
            known = found[folder].get("stt", "")
            if len(name) > len(known):
                found[folder]["stt"] = name
    return found


def _record(
    entry: dict[str, Any], folder: str, files: dict[str, str], registered: dict[str, str]
) -> LegacyRecord:
    in_folder = {PurePosixPath(name).name: name for name in files.values()}
    chosen = {
        task: in_folder.get(PurePosixPath(registered.get(task, "")).name) or files.get(task, "")
        for task in ("stt", "summary")
    }
    media, transcript = files.get("media", ""), chosen["stt"]
    stem = PurePosixPath(media or transcript).name
    file_name = str(entry.get("filename") or stem)
    tags = entry.get("tags") or []
    return LegacyRecord(
        id=str(entry.get("id") or folder),
        title=str(entry.get("title_summary") or "").strip() or PurePosixPath(file_name).stem,
        file_name=file_name,
        tags=tuple(dict.fromkeys(str(tag).strip() for tag in tags if str(tag).strip())),
        recorded_at=_time(entry.get("timestamp")),
        is_deleted=bool(entry.get("deleted")),
        media=media,
        transcript=transcript,
        summary=chosen["summary"],
    )


def record_uuid(record: LegacyRecord) -> str:
    """Returns the record's id as a UUID: its own, or one that is made of it."""
    try:
        return str(uuid.UUID(record.id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"recordroute:legacy:{record.id}"))


def _load(archive: zipfile.ZipFile, name: str, kind: type) -> Any:
    try:
        value = json.loads(read_text(archive, name))
    except KeyError:
        return kind()
    except ValueError as error:
        raise bad_archive(f"{name} is damaged: {error}") from error
    if not isinstance(value, kind):
        raise bad_archive(f"{name} is not what it should be")
    return value


def _inside(path: str) -> str:
    return path.replace("\\", "/").removeprefix("DB/")


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    # It wrote the time of its machine without a zone.
    return time.astimezone(UTC)
