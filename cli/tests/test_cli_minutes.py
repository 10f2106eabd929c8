"""`minutes`: lines shown with their numbers and corrected, with a real gateway in a process of its own."""

from __future__ import annotations

import hashlib
import json
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from recordroute_cli.client import connect
from recordroute_cli.exit_codes import ExitCode
from recordroute_gateway.library.archive import (
    FILE_NAMES,
    MANIFEST,
    ArchivedFile,
    ArchivedRecording,
    Manifest,
)
from recordroute_gateway.library.artifact_json import minutes_bytes, transcript_bytes
from recordroute_gateway.library.records import (
    ArtifactKind,
    Evidence,
    Minutes,
    MinutesField,
    MinutesItem,
    MinutesSection,
    Recording,
    Segment,
    Transcript,
)

CREATED = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def item(text: str, start: float, *fields: MinutesField) -> MinutesItem:
    return MinutesItem(text, (Evidence(0, start, start + 5, "S1", text),), fields)


MINUTES = Minutes(
    language="en",
    overview="They plan the [library].",
    model="m",
    sections=(
        MinutesSection("decisions", (item("The library opens in May.", 65.0),), "Decisions"),
        MinutesSection(
            "action_items",
            (
                item("Anna calls the printer.", 120.0, MinutesField("owner", "Anna")),
                item("김민지가 초대장을 보낸다.", 3725.0),
            ),
            "Action items",
        ),
    ),
)
TRANSCRIPT = Transcript("en", 1.0, 3730.0, "m", (Segment(0, 0.0, 5.0, "Good morning.", "S1"),))
SHOWN = """\
They plan the [library].

Decisions
    1  The library opens in May.  1:05

Action items
    2  [ ] Anna calls the printer.  2:00
       owner: Anna
    3  [ ] 김민지가 초대장을 보낸다.  1:02:05
"""


@pytest.fixture(scope="module")
def gateway_address(tmp_path_factory: pytest.TempPathFactory, gateway_process) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("g")
    address = f"unix:{folder}/gateway.sock"
    variables = {
        "RECORDROUTE_DATA_DIR": str(folder / "data"),
        "RECORDROUTE_GATEWAY_LISTEN": address,
        "RECORDROUTE_GATEWAY_AUTH": "none",
    }
    with gateway_process(folder, address, variables):
        yield address


@pytest.fixture
def talk(cli, gateway_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Id of a recording with minutes, taken in from an archive."""
    monkeypatch.setenv("RECORDROUTE_GATEWAY", gateway_address)
    recording_id = str(uuid.uuid4())
    cli_import(cli, tmp_path, recording_id, with_minutes=True)
    return recording_id


def cli_import(cli, folder: Path, recording_id: str, *, with_minutes: bool) -> None:
    contents = {
        ArtifactKind.MEDIA: recording_id.encode(),
        ArtifactKind.TRANSCRIPT: transcript_bytes(TRANSCRIPT),
    }
    if with_minutes:
        contents[ArtifactKind.MINUTES] = minutes_bytes(MINUTES)
    recording = Recording(
        id=recording_id,
        owner="local",
        title="Talk",
        file_name="talk.mp3",
        created_at=CREATED,
        recorded_at=CREATED,
        duration_seconds=3730.0,
        language="en",
    )
    files = []
    with zipfile.ZipFile(folder / "talk.zip", "w") as archive:
        for kind, content in contents.items():
            path = f"recordings/{recording_id}/{FILE_NAMES.get(kind, 'media/talk.mp3')}"
            archive.writestr(path, content)
            files.append(
                ArchivedFile(kind.value, path, hashlib.sha256(content).hexdigest(), len(content), "m")
            )
        entry = ArchivedRecording.of(recording, files, [])
        manifest = Manifest(1, "0.1.0", CREATED.isoformat(), (entry,))
        archive.writestr(MANIFEST, manifest.to_json())
    ran = cli("import", folder / "talk.zip", "--no-index")
    assert ran.code == ExitCode.OK, ran


def lines_of(answer: dict[str, Any]) -> list[tuple[int, str, bool, bool]]:
    return [
        (line["number"], line["text"], line["done"], line["edited"])
        for section in answer["minutes"]["sections"]
        for line in section["items"]
    ]


def test_lines_are_shown_with_their_numbers(cli, talk: str) -> None:
    ran = cli("minutes", talk[:8])
    assert (ran.code, ran.out, ran.err) == (ExitCode.OK, SHOWN, "")
    answer = json.loads(cli("minutes", talk, "--json").out)
    assert (answer["stale"], bool(answer["etag"])) == (False, True)
    assert [number for number, *_ in lines_of(answer)] == [1, 2, 3]
    assert answer["minutes"]["sections"][1]["items"][0]["fields"] == [{"name": "owner", "value": "Anna"}]


def test_all_changes_of_a_command_are_made(cli, talk: str) -> None:
    ran = cli(
        "minutes", talk, "--rewrite", "2=Anna calls = the printer [today].", "--tick", "2,3",
        "--remove", "1", "--overview", "A plan.",
    )  # fmt: skip
    assert (ran.code, ran.err) == (ExitCode.OK, "removed: The library opens in May.\n")
    assert ran.out.splitlines() == [
        "A plan.",
        "",
        "Action items",
        "    1  [x] Anna calls = the printer [today].  2:00  (edited)",
        "       owner: Anna",
        "    2  [x] 김민지가 초대장을 보낸다.  1:02:05",
    ]
    shown = cli("show", talk, "--minutes").out.splitlines()
    assert shown[3] == "  • [x] Anna calls = the printer [today].  2:00  (edited)"
    before = json.loads(cli("minutes", talk, "--json").out)
    after = json.loads(cli("minutes", talk, "--untick", "1-2", "--overview", "", "--json").out)
    assert lines_of(after) == [
        (1, "Anna calls = the printer [today].", False, True),
        (2, "김민지가 초대장을 보낸다.", False, False),
    ]
    assert (after["minutes"]["overview"], after["minutes"]["overview_edited"]) == ("", True)
    assert after["etag"] != before["etag"]
    assert json.loads(cli("minutes", talk, "--json").out) == {**after, "stale": False}


def test_a_removed_line_is_no_plaything_of_the_terminal(cli, talk: str) -> None:
    assert cli("minutes", talk, "--rewrite", "1=Red \x1b[31m alert").code == ExitCode.OK
    assert cli("minutes", talk, "--remove", "1").err == "removed: Red \N{REPLACEMENT CHARACTER}[31m alert\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rewrite", "2"), "--rewrite: '2' is not like 3='New text'"),
        (("--rewrite", "x=y"), "--rewrite: 'x' is not a number as in 3='New text'"),
        (("--rewrite", "2= "), "--rewrite: '2= ' leaves nothing of the line; --remove 2 takes it out"),
        (("--rewrite", "4=y"), "there is no line 4: the last is 3"),
        (("--remove", "0"), "there is no line 0: the last is 3"),
        (("--tick", "3-2"), "--tick: '3-2' is not a number as in 3,7-9"),
        (("--untick", "1-"), "--untick: '1-' is not a number as in 3,7-9"),
        (("--tick", "1,2", "--untick", "2"), "line 2 can't be changed in two ways by one command"),
        (("--remove", "1", "--tick", "1"), "line 1 can't be changed in two ways by one command"),
        (("--rewrite", "1=a", "--rewrite", "1=b"), "line 1 can't be changed in two ways by one command"),
    ],
)
def test_changes_that_can_t_be_meant(cli, talk: str, options: tuple[str, ...], said: str) -> None:
    ran = cli("minutes", talk, *options)
    assert (ran.code, ran.out, ran.err) == (ExitCode.USAGE, "", f"error: {said}\n")
    assert cli("minutes", talk).out == SHOWN


def test_the_slower_of_two_is_told_and_changes_nothing(
    cli, talk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect() as gateway:
        seen = gateway.minutes(talk)
    assert cli("minutes", talk, "--overview", "Mine.").code == ExitCode.OK
    # What the command has read before somebody else was faster.
    monkeypatch.setattr("recordroute_cli.commands.minutes.read_minutes", lambda *_: seen)
    ran = cli("minutes", talk, "--remove", "1")
    assert (ran.code, ran.out) == (ExitCode.FAILED, "")
    assert ran.err == (
        "error: the minutes have changed meanwhile: read them again, then edit them (ETAG_MISMATCH)\n"
    )
    error = json.loads(cli("minutes", talk, "--remove", "1", "--json").out)["error"]
    assert (error["status"], error["reason"]) == ("ABORTED", "ETAG_MISMATCH")
    with connect() as gateway:
        now = gateway.minutes(talk).minutes
    assert (now.overview, len(now.sections)) == ("Mine.", 2)


def test_changes_are_made_only_to_what_was_seen(cli, talk: str) -> None:
    seen = json.loads(cli("minutes", talk, "--json").out)["etag"]
    after = json.loads(cli("minutes", talk, "--etag", seen, "--remove", "3", "--json").out)
    assert len(lines_of(after)) == 2
    ran = cli("minutes", talk, "--etag", seen, "--remove", "3")
    assert (ran.code, ran.out) == (ExitCode.FAILED, "")
    # Not that there is no line 3: there was one when the caller looked.
    assert ran.err == (
        f"error: the minutes have changed since the etag was {seen}: look again (ETAG_MISMATCH)\n"
    )
    error = json.loads(cli("minutes", talk, "--etag", seen, "--tick", "2", "--json").out)["error"]
    assert (error["status"], error["reason"]) == ("ABORTED", "ETAG_MISMATCH")
    assert lines_of(json.loads(cli("minutes", talk, "--json").out)) == lines_of(after)
    assert cli("minutes", talk, "--etag", after["etag"], "--tick", "2").code == ExitCode.OK


def test_minutes_that_are_older_than_the_transcript_say_so(cli, talk: str) -> None:
    assert cli("edit", talk, "--replace", "morning", "evening").code == ExitCode.OK
    ran = cli("minutes", talk, "--tick", "2")
    assert (ran.code, f"recordroute redo {talk[:8]} --from summarise" in ran.err) == (ExitCode.OK, True)


def test_a_recording_without_minutes_is_not_found(
    cli, talk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = str(uuid.uuid4())
    cli_import(cli, tmp_path, other, with_minutes=False)
    ran = cli("minutes", other, "--overview", "x")
    assert (ran.code, ran.err.count("\n")) == (ExitCode.NOT_FOUND, 1)
    assert "(ARTIFACT_NOT_READY)" in ran.err


def test_help(cli) -> None:
    ran = cli("minutes", "--help")
    assert ran.code == ExitCode.OK
    for part in ("Usage: recordroute minutes", "--rewrite", "--tick", "--overview", "There is no undo"):
        assert part in ran.out
