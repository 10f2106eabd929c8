"""Files into the library and out of it: large uploads, duplicates, labels, downloads, documents."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from recordroute.gateway.v1 import upload_pb2
from recordroute_cli import resumable

CONTENT = os.urandom(10_500)


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is large enough to go in chunks."""
    monkeypatch.setattr(resumable, "RESUMABLE_BYTES", 5000)
    path = tmp_path / "large.wav"
    path.write_bytes(CONTENT)
    return path


def notes() -> list[Path]:
    folder = Path(os.environ["RECORDROUTE_DATA_DIR"]) / resumable.NOTES
    return list(folder.iterdir()) if folder.exists() else []


def test_large_files_go_in_chunks(cli, library, large: Path) -> None:
    assert cli("add", large, "--detach", "--tag", "a", "--tag", "b", "--folder", "x/y").code == 0
    assert library.uploads == {"large.wav": CONTENT}
    assert not [kind for kind in library.requests if isinstance(kind, upload_pb2.UploadConfig)]
    [recording] = library.recordings.values()
    assert (list(recording.tags), recording.folder) == (["a", "b"], "x/y")
    assert notes() == []


def test_broken_connection_is_waited_for(cli, library, large: Path) -> None:
    library.chunks_until_break = 4
    assert cli("add", large, "--detach").code == 0
    assert library.uploads == {"large.wav": CONTENT}
    offsets = [request.offset for request in library.of_type(upload_pb2.UploadChunkRequest)]
    # One chunk twice, and no other.
    assert len(offsets) == len(set(offsets)) + 1


def test_upload_that_was_ended_is_gone_on_with(
    cli, library, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.chunks_until_break = 6
    monkeypatch.setattr(resumable, "PATIENCE_SECONDS", -1.0)
    assert cli("add", large, "--detach").code != 0
    assert len(notes()) == 1
    before = len(library.of_type(upload_pb2.UploadChunkRequest))
    assert before < 11
    assert cli("add", large, "--detach").code == 0
    assert library.uploads == {"large.wav": CONTENT}
    sent_again = library.of_type(upload_pb2.UploadChunkRequest)[before:]
    assert len(sent_again) < 11
    assert notes() == []
    ids = {request.config.request_id for request in library.of_type(upload_pb2.CreateUploadRequest)}
    assert len(ids) == 1
    # Done: the same file again is another request.
    assert cli("add", large, "--detach", "--allow-duplicate").code == 0
    assert len(library.recordings) == 2


def test_duplicates_are_told_and_can_be_wanted(cli, library, tmp_path: Path) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"audio of the talk")
    assert cli("add", path, "--detach").code == 0
    [known] = library.recordings.values()
    again = cli("add", path, "--detach")
    assert again.code == 1
    assert "the library has this file already: About talk.mp3" in again.err
    assert known.id[:8] in again.err
    assert "--allow-duplicate" in again.err
    told = [json.loads(line) for line in cli("add", path, "--detach", "--json").out.splitlines()]
    [error] = [line["error"] for line in told if line["type"] == "error"]
    assert error["reason"] == "DUPLICATE_RECORDING"
    assert error["metadata"] == {"recording_id": known.id, "title": "About talk.mp3"}
    assert cli("add", path, "--detach", "--allow-duplicate", "--title", "Second").code == 0
    assert sorted(one.title for one in library.recordings.values()) == ["About talk.mp3", "Second"]


def test_title_is_for_one_file(cli, library, tmp_path: Path) -> None:
    for name in ("a.mp3", "b.mp3"):
        (tmp_path / name).write_bytes(name.encode())
    ran = cli("add", tmp_path, "--title", "Both")
    assert ran.code == 2
    assert "--title" in ran.err
    assert library.uploads == {}


def test_documents_are_added_by_name_or_pattern(cli, library, tmp_path: Path) -> None:
    # A folder of recordings is full of notes and licences that nobody means.
    for name in ("a.mp3", "b.PDF", "c.md", "d.txt"):
        (tmp_path / name).write_bytes(name.encode())
    assert cli("add", tmp_path, "--detach").code == 0
    assert sorted(library.uploads) == ["a.mp3"]
    assert cli("add", tmp_path / "*.PDF", tmp_path / "c.md", "--detach").code == 0
    assert sorted(library.uploads) == ["a.mp3", "b.PDF", "c.md"]


def test_download(cli, library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # A name that a server makes up says nothing of where.
    recording = library.add("../../.talk.mp3")
    assert cli("download", recording.id).code == 0
    assert (tmp_path / "talk.mp3").read_bytes() == b"bytes of ARTIFACT_KIND_MEDIA"
    again = cli("download", recording.id)
    assert again.code == 2
    assert "--force" in again.err
    (tmp_path / "talk.mp3").write_bytes(b"")
    assert cli("download", recording.id, "--force").code == 0
    assert (tmp_path / "talk.mp3").read_bytes() == b"bytes of ARTIFACT_KIND_MEDIA"
    (tmp_path / "sub").mkdir()
    ran = cli("download", recording.id[:8], "--artifact", "minutes", "-o", tmp_path / "sub", "--json")
    told = json.loads(ran.out)
    assert told["output"] == str(tmp_path / "sub/talk.mp3")
    assert (tmp_path / "sub/talk.mp3").read_bytes() == b"bytes of ARTIFACT_KIND_MINUTES"
    assert (told["artifact"], told["size_bytes"], told["media_type"]) == ("minutes", 30, "audio/mpeg")


def test_download_that_was_changed_on_its_way_is_not_kept(cli, library, tmp_path: Path) -> None:
    recording = library.add()
    library.changed_on_the_way = b"something else"
    target = tmp_path / "talk.mp3"
    ran = cli("download", recording.id, "-o", target)
    assert ran.code == 1
    assert "changed on its way" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_word_documents_go_into_files(cli, library, tmp_path: Path) -> None:
    recording = library.add()
    target = tmp_path / "talk.docx"
    assert cli("export", recording.id, "--format", "docx", "--output", target).code == 0
    assert target.read_bytes().startswith(b"format 6")
    assert cli("export", recording.id, "--format", "docx", "--json").code == 2


def test_watched_folder_has_to_be_there(cli, tmp_path: Path) -> None:
    ran = cli("up", "--watch-folder", tmp_path / "none")
    assert ran.code == 2
    assert "there is no folder" in ran.err
