"""The watched folder: each file once, when it is finished, also after a restart."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from recordroute_gateway.library import watch_folder as module
from recordroute_gateway.library.watch_folder import WatchFolder
from recordroute_gateway.tables import recordings, watched_files
from recordroute_runtime.errors import StorageFull
from sqlalchemy import select
from structlog.testing import capture_logs

SPEECH = b"The council decided to build the library.\n"


class Watched:
    """A folder with what watches it; `started` lists the work that was begun."""

    def __init__(self, folder: Path, files: Any) -> None:
        self.folder = folder
        self.files = files
        self.started: list[str] = []
        self.watcher = self.make()

    def make(self, settle_seconds: float = 0.0) -> WatchFolder:
        async def start(owner: str, recording_id: str, request_id: str) -> None:
            assert owner == "local"
            self.started.append(recording_id)

        return WatchFolder(
            self.folder,
            "local",
            self.files.database,
            self.files.intake,
            start,
            poll_seconds=0.02,
            settle_seconds=settle_seconds,
        )

    async def look(self, times: int = 2) -> list[str]:
        """Looks so often, and returns the names of the recordings."""
        for _ in range(times):
            await self.watcher.look()
        return await self.names()

    async def names(self) -> list[str]:
        async with self.files.database.read() as connection:
            query = select(recordings.c.file_name).order_by(recordings.c.created_at)
            return list((await connection.execute(query)).scalars())

    async def known(self) -> dict[str, str]:
        async with self.files.database.read() as connection:
            query = select(watched_files.c.path, watched_files.c.error_reason)
            return {row.path: row.error_reason for row in await connection.execute(query)}


@pytest.fixture
async def watched(tmp_path: Path, files: Any) -> Watched:
    folder = tmp_path / "in"
    folder.mkdir()
    return Watched(folder, files)


async def test_files_are_taken_in_once(watched: Watched) -> None:
    (watched.folder / "Meetings/2026").mkdir(parents=True)
    (watched.folder / "a.txt").write_bytes(SPEECH)
    (watched.folder / "Meetings/2026/회의.md").write_bytes(b"# " + SPEECH)
    assert sorted(await watched.look()) == ["a.txt", "회의.md"]
    assert len(watched.started) == 2
    assert len(await watched.look(3)) == 2
    assert len(watched.started) == 2
    folders = {
        recording.file_name: recording.folder
        for recording in [await watched.files.library.get("local", one) for one in watched.started]
    }
    assert folders == {"a.txt": "", "회의.md": "Meetings/2026"}
    # Another process.
    watched.watcher = watched.make()
    assert len(await watched.look(3)) == 2


async def test_file_that_grows_is_waited_for(watched: Watched) -> None:
    path = watched.folder / "a.txt"
    for number in range(3):
        with path.open("ab") as file:
            file.write(SPEECH * (number + 1))
        assert await watched.look(1) == []
    assert await watched.look(2) == ["a.txt"]
    watched.watcher = watched.make(settle_seconds=3600.0)
    path.write_bytes(SPEECH * 9)
    assert await watched.look(3) == ["a.txt"]


async def test_file_that_changes_while_it_is_read_is_left_for_later(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = watched.folder / "a.txt"
    path.write_bytes(SPEECH)
    read = os.read

    def slow_read(file: int, size: int) -> bytes:
        data = read(file, size)
        if not data and path.stat().st_size == len(SPEECH):
            path.write_bytes(SPEECH * 2)
        return data

    monkeypatch.setattr(module.os, "read", slow_read)
    assert await watched.look() == []
    assert await watched.known() == {}
    assert await watched.look() == ["a.txt"]


async def test_what_is_there_already_makes_no_second_recording(watched: Watched) -> None:
    (watched.folder / "a.txt").write_bytes(SPEECH)
    await watched.look()
    (watched.folder / "copy.txt").write_bytes(SPEECH)
    (watched.folder / "a.txt").rename(watched.folder / "moved.txt")
    with capture_logs() as logs:
        assert await watched.look(3) == ["a.txt"]
    assert {line["file"] for line in logs if line["event"] == "in the library already"} == {
        "copy.txt",
        "moved.txt",
    }
    assert len(watched.started) == 1
    # The same name with other content is another recording.
    (watched.folder / "moved.txt").write_bytes(SPEECH * 3)
    assert await watched.look() == ["a.txt", "moved.txt"]


async def test_what_can_not_be_taken_is_told_once(watched: Watched) -> None:
    (watched.folder / "broken.mp3").write_bytes(b"no sound at all")
    with capture_logs() as logs:
        assert await watched.look(5) == []
    told = [line for line in logs if line["event"] == "not taken in"]
    assert [(line["file"], line["reason"]) for line in told] == [("broken.mp3", "MEDIA_UNREADABLE")]
    assert await watched.known() == {"broken.mp3": "MEDIA_UNREADABLE"}
    # Mended.
    (watched.folder / "broken.mp3").unlink()
    (watched.folder / "mended.txt").write_bytes(SPEECH)
    assert await watched.look() == ["mended.txt"]


async def test_what_may_pass_is_tried_again_with_pauses(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watched.folder / "a.txt").write_bytes(SPEECH)
    receive, tries = module.receive, 0

    async def full(*arguments: Any) -> Any:
        nonlocal tries
        tries += 1
        raise StorageFull("full")

    monkeypatch.setattr(module, "receive", full)
    assert await watched.look(6) == []
    assert tries == 1
    assert await watched.known() == {}
    for retry in watched.watcher._retries.values():
        retry.not_before = 0.0
    monkeypatch.setattr(module, "receive", receive)
    assert await watched.look(1) == ["a.txt"]


async def test_crash_before_the_note_makes_no_second_recording(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watched.folder / "a.txt").write_bytes(SPEECH)

    async def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watched.watcher, "_remember", die)
    with pytest.raises(KeyboardInterrupt):
        await watched.look()
    watched.watcher = watched.make()
    assert await watched.look() == ["a.txt"]
    # The work is begun again under the same request, which changes nothing where it was.
    assert len(set(watched.started)) == 1
    assert list(await watched.known()) == ["a.txt"]


async def test_what_is_no_recording_is_left_alone(watched: Watched, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(SPEECH)
    (watched.folder / "link.txt").symlink_to(secret)
    (watched.folder / "folder_link").symlink_to(tmp_path)
    os.mkfifo(watched.folder / "pipe.wav")
    for name in (".hidden.txt", "~$open.txt", "talk.mp3.part", "program.exe", "empty.txt"):
        (watched.folder / name).write_bytes(b"" if name.startswith("empty") else SPEECH)
    Path(os.fsdecode(os.fsencode(watched.folder) + b"/\xff.txt")).write_bytes(SPEECH)
    assert await watched.look(3) == []


async def test_folder_may_go_and_come_back(watched: Watched) -> None:
    watched.folder.rmdir()
    with capture_logs() as logs:
        await watched.look(3)
    assert [line["event"] for line in logs] == ["watched folder can't be read"]
    watched.folder.mkdir()
    (watched.folder / "a.txt").write_bytes(SPEECH)
    assert await watched.look() == ["a.txt"]


async def test_it_watches_by_itself(watched: Watched) -> None:
    watched.watcher.start()
    (watched.folder / "a.txt").write_bytes(SPEECH)
    async with asyncio.timeout(60):
        while not watched.started:  # noqa: ASYNC110 - the folder is looked at, and tells of nothing
            await asyncio.sleep(0.02)
    await watched.watcher.close()
    assert await watched.names() == ["a.txt"]


async def test_service_watches_the_folder_of_its_settings(tmp_path: Path) -> None:
    from recordroute_gateway.service import GatewayService
    from recordroute_gateway.settings import GatewaySettings
    from recordroute_runtime.settings import CommonSettings

    settings = GatewaySettings(watch_folder=tmp_path / "in")
    service = GatewayService(settings, CommonSettings(data_dir=tmp_path / "data"))
    assert service._watch_folder is not None
    await service.close()
