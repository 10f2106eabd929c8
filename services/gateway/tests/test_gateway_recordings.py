"""Recordings on both databases: lists, labels, titles, artifacts, shares, the bin."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database
from recordroute_gateway.library.artifact_json import transcript_bytes
from recordroute_gateway.library.bin import Bin
from recordroute_gateway.library.edits import RecordingChanges, RecordingEditor
from recordroute_gateway.library.facets import read_facets
from recordroute_gateway.library.index_tasks import IndexTaskStore
from recordroute_gateway.library.labels import comparable, title_key
from recordroute_gateway.library.listing import ListQuery, Order
from recordroute_gateway.library.records import (
    Access,
    Artifact,
    ArtifactKind,
    Bookmark,
    Recording,
    RecordingKind,
    Speaker,
    Transcript,
)
from recordroute_gateway.library.sharing import ShareStore
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.tables import recordings
from recordroute_gateway.workflow.records import Failure, Options, Stage, State
from recordroute_gateway.workflow.store import WorkflowStore
from recordroute_runtime.errors import (
    DomainError,
    InvalidInput,
    NotFound,
    Outdated,
    PermissionDenied,
    PreconditionFailed,
)
from sqlalchemy import update

ANNA, BEN = "anna", "ben"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Rig:
    """The stores over one database, and recordings to fill them with."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self.database = database
        self.library = LibraryStore(database, blobs)
        self.editor = RecordingEditor(database, self.library)
        self.bin = Bin(database, self.library, retention=timedelta(days=30))
        self.shares = ShareStore(database, self.library)
        self.tasks = IndexTaskStore(database)
        self.workflows = WorkflowStore(database)
        self._count = 0

    async def add(
        self, title: str = "", *, owner: str = ANNA, content: bytes = b"", **values: object
    ) -> Recording:
        self._count += 1
        content = content or f"sound {self._count}".encode()
        sha256 = await self.library.blobs.put(content)
        now = START + timedelta(minutes=self._count)
        recording = Recording(
            str(uuid.uuid4()), owner, title or f"Talk {self._count}", "talk.mp3", 60.0, "en", now, now
        )
        media = Artifact(ArtifactKind.MEDIA, sha256, len(content), "", "", now)
        return await self.library.create(replace(recording, **values), str(uuid.uuid4()), media)

    async def titles(self, user: str = ANNA, **query: object) -> list[str]:
        page, token = await self.library.list_page(user, 100, "", ListQuery(**query))
        assert token == ""
        return [recording.title for recording in page]

    async def update(self, recording: Recording, user: str = ANNA, **changes: object) -> Recording:
        return await self.editor.update(user, str(uuid.uuid4()), recording.id, RecordingChanges(**changes))


@pytest.fixture
async def rig(tmp_path: Path, database_url: str) -> AsyncIterator[Rig]:
    database = Database(database_url)
    await database.migrate()
    blobs = BlobStore(tmp_path, "")
    blobs.open()
    yield Rig(database, blobs)
    await database.close()


def spoken(*speakers: Speaker) -> bytes:
    return transcript_bytes(Transcript("ko", 1.0, 60.0, "m", (), speakers=speakers))


def files(rig: Rig) -> list[str]:
    return sorted(
        path.name for path in (rig.library.blobs.incoming.parent / "blobs").rglob("*") if path.is_file()
    )


async def test_text_is_found_in_any_case_and_composition(rig: Rig) -> None:
    await rig.add("Straßenfest in İstanbul")
    await rig.add("주간 회의록", tags=("예산",))
    await rig.add("Budget", file_name=unicodedata.normalize("NFD", "회의 녹음.m4a"))
    await rig.add("100% sure_thing")
    assert await rig.titles(text="STRASSENFEST") == ["Straßenfest in İstanbul"]
    assert await rig.titles(text="i̇stanbul STRASSE") == ["Straßenfest in İstanbul"]
    assert set(await rig.titles(text="회의")) == {"주간 회의록", "Budget"}
    assert await rig.titles(text=unicodedata.normalize("NFD", "회의록 예산")) == ["주간 회의록"]
    assert await rig.titles(text="0%") == ["100% sure_thing"]
    assert await rig.titles(text="e_t") == ["100% sure_thing"]
    assert await rig.titles(text="%") == ["100% sure_thing"]
    assert await rig.titles(text="nothing\0of it") == []


async def test_filters_hold_together(rig: Rig) -> None:
    a = await rig.add("a", tags=("x", "y"), folder="work", language="ko", kind=RecordingKind.DOCUMENT)
    b = await rig.add("b", tags=("x",), folder="work/2026", language="en-US")
    c = await rig.add("c", folder="workshop", recorded_at=START - timedelta(days=9))
    assert await rig.titles(tags=("x",)) == ["b", "a"]
    assert await rig.titles(tags=("x", "y")) == ["a"]
    assert await rig.titles(folder="work") == ["b", "a"]
    assert await rig.titles(folder="work/") == ["b", "a"]
    assert await rig.titles(folder="work/2026") == ["b"]
    assert await rig.titles(languages=("en",)) == ["c", "b"]
    assert await rig.titles(kinds=("document",)) == ["a"]
    assert await rig.titles(recorded_before=START) == ["c"]
    assert await rig.titles(recorded_from=b.recorded_at, recorded_before=b.recorded_at + timedelta(1)) == [
        "b"
    ]
    assert await rig.titles(tags=("x",), kinds=("media",)) == ["b"]
    workflow = await rig.workflows.create(ANNA, a.id, str(uuid.uuid4()), Options())
    await rig.workflows.record(workflow.id, None, State.FAILED, failure=Failure("X", "x"))
    await rig.workflows.create(ANNA, c.id, str(uuid.uuid4()), Options())
    assert await rig.titles(workflow_states=("failed",)) == ["a"]
    await rig.workflows.create(ANNA, a.id, str(uuid.uuid4()), Options())
    assert await rig.titles(workflow_states=("failed",)) == []
    assert await rig.titles(workflow_states=("queued", "failed")) == ["c", "a"]
    listed = await rig.library.get(ANNA, a.id)
    assert (listed.latest_workflow_state, listed.tags) == ("queued", ("x", "y"))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.TITLE, ["Äpfel 2", "apfel 10", "Talk 9", "talk 10", "가", "각", "나"]),
        (Order.DURATION, ["나", "Talk 9", "talk 10", "Äpfel 2", "apfel 10", "가", "각"]),
        (Order.SIZE, ["talk 10", "Talk 9", "Äpfel 2", "apfel 10", "가", "각", "나"]),
        (Order.RECORDED_AT, ["나", "각", "가", "apfel 10", "Äpfel 2", "Talk 9", "talk 10"]),
        (Order.CREATED_AT, ["talk 10", "Talk 9", "Äpfel 2", "apfel 10", "가", "각", "나"]),
    ],
)
async def test_orders_page_by_page_in_both_directions(rig: Rig, order: Order, expected: list[str]) -> None:
    for number, title in enumerate(("talk 10", "Talk 9", "Äpfel 2", "apfel 10", "가", "각", "나")):
        await rig.add(
            title,
            content=b"x" * (number + 1),
            duration_seconds=None if title == "나" else 10.0 + {"Talk 9": 0, "talk 10": 1}.get(title, number),
            recorded_at=START - timedelta(days=number),
        )
    for ascending, wanted in ((True, expected), (False, expected[::-1])):
        query, token, found = ListQuery(order=order, ascending=ascending), "", []
        while True:
            page, token = await rig.library.list_page(ANNA, 2, token, query)
            found += [recording.title for recording in page]
            if not token:
                break
        assert found == wanted


async def test_pages_survive_inserts_and_tokens_hold_for_their_list_only(rig: Rig) -> None:
    for title in "bdfh":
        await rig.add(title)
    query = ListQuery(order=Order.TITLE, ascending=True)
    page, token = await rig.library.list_page(ANNA, 2, "", query)
    assert [recording.title for recording in page] == ["b", "d"]
    await rig.add("a")
    await rig.add("c")
    page, _ = await rig.library.list_page(ANNA, 9, token, query)
    assert [recording.title for recording in page] == ["f", "h"]
    for user, other in (
        (ANNA, ListQuery(order=Order.TITLE)),
        (ANNA, replace(query, text="b")),
        (ANNA, replace(query, in_bin=True)),
        (BEN, query),
    ):
        with pytest.raises(InvalidInput, match="this very list"):
            await rig.library.list_page(user, 2, token, other)
    for bad in ("nonsense", "가", "W10=", token[:-4]):
        with pytest.raises(InvalidInput):
            await rig.library.list_page(ANNA, 2, bad, query)


def test_titles_sort_as_people_do() -> None:
    titles = ["Zoo", "talk 010", "Talk 9", "éclair", "Eclair 1", "talk ２", "1" * 5000, ""]
    assert sorted(titles, key=title_key)[:3] == ["", "1" * 5000, "éclair"]
    assert title_key("Talk 9") < title_key("talk 010") < title_key("Zoo")
    assert title_key("talk ２") < title_key("Talk 9")
    assert comparable("ﬁle") == "file"


async def test_titles_of_people_stay_and_can_be_given_back(rig: Rig) -> None:
    recording = await rig.add("talk")

    async def made(title: str) -> Recording:
        await rig.library.put_artifact(
            recording.id,
            ArtifactKind.MINUTES,
            title.encode(),
            model="m",
            workflow_id="w",
            recording_values={"title": title},
        )
        return await rig.library.get(ANNA, recording.id)

    assert (await made("By the model")).title == "By the model"
    mine = await rig.update(recording, title="  Mine\n \x07 ")
    assert (mine.title, mine.title_is_set) == ("Mine", True)
    assert (await made("By the model again")).title == "Mine"
    back = await rig.update(recording, title="")
    assert (back.title, back.title_is_set) == ("By the model again", False)
    assert (await made("Third")).title == "Third"
    assert await rig.titles(text="third") == ["Third"]


async def test_updates_are_based_on_an_etag_and_done_once(rig: Rig) -> None:
    recording = await rig.add("talk")
    request, changes = str(uuid.uuid4()), RecordingChanges(folder="work", tags=["b", " a ", "b"])
    first = await rig.editor.update(ANNA, request, recording.id, changes, etag=recording.etag)
    assert (first.folder, first.tags) == ("work", ("a", "b"))
    assert first.etag != recording.etag
    other = await rig.update(recording, folder="home")
    # The answer was lost, and the client asks again: nothing is undone, and nothing is refused.
    again = await rig.editor.update(ANNA, request, recording.id, changes, etag=recording.etag)
    assert again == other
    with pytest.raises(Outdated) as caught:
        await rig.editor.update(ANNA, str(uuid.uuid4()), recording.id, changes, etag=first.etag)
    assert caught.value.reason == "ETAG_MISMATCH"
    same = await rig.update(recording, folder="home")
    assert same.etag == other.etag
    marks = [Bookmark(9.5, "end"), Bookmark(1.0, "be\ngin")]
    marked = await rig.update(recording, bookmarks=marks, recorded_at=START)
    assert marked.bookmarks == (Bookmark(1.0, "be gin"), Bookmark(9.5, "end"))
    assert marked.recorded_at == START


@pytest.mark.parametrize(
    "changes", [{"tags": ["\x07"]}, {"folder": "a/ /b"}, {"tags": [str(i) for i in range(65)]}]
)
async def test_labels_of_nothing_are_refused(rig: Rig, changes: dict[str, list[str]]) -> None:
    recording = await rig.add("talk")
    with pytest.raises(InvalidInput) as caught:
        await rig.update(recording, **changes)
    assert caught.value.reason == "BAD_LABEL"
    assert await rig.library.get(ANNA, recording.id) == recording


async def test_facets_count_what_the_user_sees(rig: Rig) -> None:
    first = await rig.add("a", tags=("Talk 10", "Talk 9"), folder="work/2026", language="ko")
    await rig.add("b", tags=("Talk 9",), folder="work")
    theirs = await rig.add("c", owner=BEN, tags=("theirs",), language="de-AT")
    gone = await rig.add("d", tags=("gone",))
    await rig.bin.put(ANNA, str(uuid.uuid4()), gone.id)
    facets = await read_facets(rig.database, ANNA)
    assert list(facets.tags.items()) == [("Talk 9", 2), ("Talk 10", 1)]
    assert facets.folders == {"work": 2, "work/2026": 1}
    assert (facets.languages, facets.bin_count) == ({"en": 1, "ko": 1}, 1)
    await rig.shares.share(BEN, str(uuid.uuid4()), theirs.id, ANNA, Access.READ)
    await rig.update(first, folder="")
    facets = await read_facets(rig.database, ANNA)
    assert (facets.tags["theirs"], facets.languages["de"], facets.folders) == (1, 1, {"work": 1})


async def test_speakers_are_found_by_name_and_counted_once(rig: Rig) -> None:
    anna, berta = Speaker("S1", 9.0, "Anna O'Neil"), Speaker("S2", 4.0, "김민지")
    both = await rig.add("both", speakers=(anna, berta, Speaker("S3", 1.0, "Anna O'Neil")))
    await rig.add("berta", speakers=(replace(berta, label="S1"),))
    # Whoever has no name is nobody's filter.
    await rig.add("unnamed", speakers=(Speaker("S1", 9.0),))
    await rig.add("nobody", kind=RecordingKind.DOCUMENT)
    async with rig.database.write() as connection:
        # As an earlier version left it.
        await connection.execute(
            update(recordings).where(recordings.c.title == "nobody").values(speakers=None)
        )
    gone = await rig.add("gone", speakers=(anna,))
    await rig.bin.put(ANNA, str(uuid.uuid4()), gone.id)
    theirs = await rig.add("theirs", owner=BEN, speakers=(replace(anna, name="Carl"), berta))
    assert await rig.titles(speakers=("Anna O'Neil",)) == ["both"]
    assert await rig.titles(speakers=("김민지",)) == ["berta", "both"]
    assert await rig.titles(speakers=(unicodedata.normalize("NFD", "김민지"), "Carl")) == ["berta", "both"]
    assert await rig.titles(speakers=("Anna",)) == await rig.titles(speakers=("S1",)) == []
    assert await rig.titles(speakers=("Anna O'Neil",), in_bin=True) == ["gone"]
    assert await rig.library.count(ANNA, ListQuery(speakers=("Anna O'Neil", "김민지"))) == 2
    facets = await read_facets(rig.database, ANNA)
    assert list(facets.speakers.items()) == [("Anna O'Neil", 1), ("김민지", 2)]
    assert (await read_facets(rig.database, "carl")).speakers == {}
    await rig.shares.share(BEN, str(uuid.uuid4()), theirs.id, ANNA, Access.READ)
    facets = await read_facets(rig.database, ANNA)
    assert facets.speakers == {"Anna O'Neil": 1, "Carl": 1, "김민지": 3}
    assert await rig.titles(speakers=("Carl",)) == ["theirs"]
    assert await rig.titles(BEN, speakers=("Anna O'Neil",)) == []
    assert (await read_facets(rig.database, BEN)).speakers == {"Carl": 1, "김민지": 1}
    await rig.bin.put(ANNA, str(uuid.uuid4()), both.id)
    assert "Anna O'Neil" not in (await read_facets(rig.database, ANNA)).speakers


async def test_count_is_that_of_all_pages(rig: Rig) -> None:
    for number in range(5):
        await rig.add(f"talk {number}", tags=("odd",) if number % 2 else ())
    await rig.add("theirs", owner=BEN, tags=("odd",))
    assert await rig.library.count(ANNA) == 5
    assert await rig.library.count(ANNA, ListQuery(tags=("odd",))) == 2
    assert await rig.library.count(ANNA, ListQuery(text="nothing")) == 0
    assert await rig.library.count(ANNA, ListQuery(in_bin=True)) == 0


async def test_artifacts_tell_whether_they_are_stale_or_why_they_failed(rig: Rig) -> None:
    recording = await rig.add("talk")
    named = spoken(Speaker("S1", 2.5, "김민지"))

    async def put(kind: ArtifactKind, data: bytes | None) -> None:
        await rig.library.put_artifact(recording.id, kind, data, model="m", workflow_id="w")

    async def stale() -> dict[str, bool]:
        return {item.kind.value: item.stale for item in (await rig.library.get(ANNA, recording.id)).artifacts}

    await put(ArtifactKind.TRANSCRIPT, named)
    await put(ArtifactKind.MINUTES, b"minutes")
    await put(ArtifactKind.EMBEDDINGS, b"vectors")
    await put(ArtifactKind.INDEX, None)
    assert not any((await stale()).values())
    # Made again, and the same: nothing is stale.
    await put(ArtifactKind.TRANSCRIPT, named)
    assert not any((await stale()).values())
    await put(ArtifactKind.TRANSCRIPT, spoken())
    assert [kind for kind, is_stale in (await stale()).items() if is_stale] == [
        "minutes",
        "embeddings",
        "index",
    ]
    await put(ArtifactKind.EMBEDDINGS, b"new vectors")
    await put(ArtifactKind.INDEX, None)
    assert [kind for kind, is_stale in (await stale()).items() if is_stale] == ["minutes"]
    await put(ArtifactKind.MINUTES, b"new minutes")
    await rig.library.mark_stale(recording.id, [ArtifactKind.MINUTES])
    assert (await stale())["minutes"]
    await put(ArtifactKind.TRANSCRIPT, named)
    assert [speaker.name for speaker in (await rig.library.get(ANNA, recording.id)).speakers] == ["김민지"]
    assert await rig.titles(text="민지") == ["talk"]


async def test_failures_are_those_of_the_newest_workflow(rig: Rig) -> None:
    recording = await rig.add("talk")
    workflow = await rig.workflows.create(ANNA, recording.id, str(uuid.uuid4()), Options())
    await rig.workflows.record(workflow.id, Stage.TRANSCRIBE, State.RUNNING)
    await rig.workflows.record(
        workflow.id, Stage.TRANSCRIBE, State.FAILED, failure=Failure("BAD", "it broke")
    )
    await rig.workflows.record(workflow.id, None, State.FAILED, failure=Failure("BAD", "it broke"))
    (failed,) = (await rig.library.get(ANNA, recording.id)).failed_artifacts
    assert (failed.kind, failed.reason, failed.message) == (ArtifactKind.TRANSCRIPT, "BAD", "it broke")
    await rig.workflows.retry(ANNA, workflow.id, str(uuid.uuid4()))
    assert (await rig.library.get(ANNA, recording.id)).failed_artifacts == ()


async def test_shared_recordings_are_seen_and_changed_as_far_as_given(rig: Rig) -> None:
    recording = await rig.add("talk")
    with pytest.raises(NotFound):
        await rig.library.get(BEN, recording.id)
    with pytest.raises(InvalidInput, match="own"):
        await rig.shares.share(ANNA, str(uuid.uuid4()), recording.id, ANNA, Access.READ)
    await rig.shares.share(ANNA, str(uuid.uuid4()), recording.id, BEN, Access.READ)
    seen = await rig.library.get(BEN, recording.id)
    assert (seen.access, seen.owner, await rig.titles(BEN)) == (Access.READ, ANNA, ["talk"])
    for call, reason in (
        (rig.library.get(BEN, recording.id, Access.WRITE), "READ_ONLY"),
        (rig.update(recording, BEN, title="mine"), "READ_ONLY"),
        (rig.library.get(BEN, recording.id, Access.OWNER), "NOT_OWNER"),
        (rig.bin.put(BEN, str(uuid.uuid4()), recording.id), "NOT_OWNER"),
        (rig.shares.share(BEN, str(uuid.uuid4()), recording.id, "carl", Access.READ), "NOT_OWNER"),
        (rig.shares.shares(BEN, recording.id), "NOT_OWNER"),
        (rig.shares.unshare(BEN, str(uuid.uuid4()), recording.id, "carl"), "NOT_OWNER"),
    ):
        with pytest.raises(PermissionDenied) as caught:
            await call
        assert caught.value.reason == reason
    await rig.shares.share(ANNA, str(uuid.uuid4()), recording.id, BEN, Access.WRITE)
    assert (await rig.update(recording, BEN, title="Ours")).access is Access.WRITE
    assert [(share.user, share.access) for share in await rig.shares.shares(ANNA, recording.id)] == [
        (BEN, Access.WRITE)
    ]
    # In the owner's bin nobody else sees it.
    await rig.bin.put(ANNA, str(uuid.uuid4()), recording.id)
    assert (await rig.titles(BEN), await rig.titles(BEN, in_bin=True)) == ([], [])
    with pytest.raises(NotFound):
        await rig.library.get(BEN, recording.id)
    await rig.bin.restore(ANNA, str(uuid.uuid4()), recording.id)
    await rig.shares.unshare(BEN, str(uuid.uuid4()), recording.id, BEN)
    assert (await rig.titles(BEN), await rig.shares.shares(ANNA, recording.id)) == ([], [])


async def test_the_bin_hides_and_restores(rig: Rig) -> None:
    recording = await rig.add("talk")
    other = await rig.add("other")
    request = str(uuid.uuid4())
    binned = await rig.bin.put(ANNA, request, recording.id)
    assert binned is not None
    assert binned.deleted_at is not None
    assert binned.purge_at == binned.deleted_at + timedelta(days=30)
    assert (await rig.titles(), await rig.titles(in_bin=True)) == (["other"], ["talk"])
    assert list(await rig.library.get_many(ANNA, [recording.id, other.id])) == [other.id]
    assert (await rig.library.get(ANNA, recording.id)).deleted_at is not None
    for call in (rig.library.get(ANNA, recording.id, Access.WRITE), rig.update(recording, title="x")):
        with pytest.raises(PreconditionFailed) as caught:
            await call
        assert caught.value.reason == "RECORDING_IN_BIN"
    assert await rig.bin.put(ANNA, str(uuid.uuid4()), recording.id) == binned
    restored = await rig.bin.restore(ANNA, str(uuid.uuid4()), recording.id)
    assert (restored.deleted_at, restored.purge_at) == (None, None)
    assert await rig.titles() == ["other", "talk"]
    # A retry of the first delete comes late: what was done since stays.
    late = await rig.bin.put(ANNA, request, recording.id)
    assert late is not None
    assert late.deleted_at is None
    assert await rig.bin.put(ANNA, str(uuid.uuid4()), str(uuid.uuid4())) is None
    with pytest.raises(NotFound):
        await rig.bin.restore(BEN, str(uuid.uuid4()), recording.id)


async def test_purging_leaves_nothing_but_what_others_share(rig: Rig) -> None:
    first = await rig.add("first", content=b"the same")
    second = await rig.add("second", content=b"the same", tags=("x",))
    for recording in (first, second):
        await rig.library.put_artifact(
            recording.id, ArtifactKind.TRANSCRIPT, spoken(), model="m", workflow_id="w"
        )
    await rig.library.put_artifact(
        second.id, ArtifactKind.EMBEDDINGS, b"of the second", model="m", workflow_id="w"
    )
    await rig.workflows.create(ANNA, second.id, str(uuid.uuid4()), Options())
    kept = {artifact.sha256 for artifact in (await rig.library.get(ANNA, first.id)).artifacts}
    await rig.bin.put(ANNA, str(uuid.uuid4()), second.id, due=True)
    assert [recording.id for recording in await rig.bin.due()] == [second.id]
    await rig.library.delete(second.id)
    await rig.library.delete(second.id)
    assert files(rig) == sorted(kept)
    with pytest.raises(NotFound):
        await rig.library.get(ANNA, second.id)
    assert await rig.workflows.list_page(ANNA, "", 10, "") == ([], "")
    assert await rig.bin.due() == []
    # Its vectors are somebody's to take away even now.
    task = await rig.tasks.find(second.id)
    assert task is not None
    assert task.owner == ANNA
    await rig.library.delete(first.id)
    assert files(rig) == []


async def test_blobs_of_a_dead_purge_are_swept(rig: Rig) -> None:
    recording = await rig.add("talk", content=b"sound")
    real, rig.library.blobs = rig.library.blobs, BlobStore(rig.library.blobs.incoming / "missing", "")

    async def broken(_: str) -> None:
        raise OSError("the object store is away")

    rig.library.blobs.delete = broken  # type: ignore[method-assign]
    await rig.library.delete(recording.id)
    rig.library.blobs = real
    assert len(files(rig)) == 1
    await rig.library.delete_all_orphans()
    assert files(rig) == []


async def test_same_bytes_are_recognised(rig: Rig) -> None:
    first = await rig.add("first", content=b"the same")
    await rig.add("second", content=b"the same")
    await rig.add("theirs", owner=BEN, content=b"theirs")
    media = first.artifact(ArtifactKind.MEDIA)
    assert media is not None
    found = await rig.library.find_by_sha256(ANNA, media.sha256)
    assert found == first
    assert await rig.library.find_by_sha256(BEN, media.sha256) is None
    await rig.bin.put(ANNA, str(uuid.uuid4()), first.id)
    found = await rig.library.find_by_sha256(ANNA, media.sha256)
    assert found is not None
    assert found.title == "second"


async def test_labels_reach_the_index_by_a_task_only_where_it_holds_the_recording(rig: Rig) -> None:
    recording = await rig.add("talk")
    await rig.update(recording, tags=["a"])
    assert await rig.tasks.find(recording.id) is None
    version = (await rig.library.get(ANNA, recording.id)).version
    # Labelled while it was being indexed: what the index was told is old.
    await rig.update(recording, tags=["b"])
    await rig.library.put_artifact(
        recording.id, ArtifactKind.INDEX, None, model="m", workflow_id="w", indexed_version=version
    )
    task = await rig.tasks.find(recording.id)
    assert task is not None
    assert await rig.tasks.claim(task)
    assert not await rig.tasks.claim(task)
    assert await rig.tasks.due(10) == []
    # Asked for again while it is being done: it is done once more.
    await rig.update(recording, folder="x")
    await rig.tasks.done(task)
    again = await rig.tasks.find(recording.id)
    assert again is not None
    await rig.tasks.done(again)
    assert await rig.tasks.find(recording.id) is None
    await rig.update(recording, title="only a title")
    assert await rig.tasks.find(recording.id) is None


async def test_speakers_of_old_recordings_are_read_from_their_transcripts(rig: Rig) -> None:
    from recordroute_gateway.tables import recordings
    from sqlalchemy import update

    recording = await rig.add("talk")
    await rig.add("silent")
    transcript = spoken(Speaker("S1", 1.0, "Ada"))
    await rig.library.put_artifact(
        recording.id, ArtifactKind.TRANSCRIPT, transcript, model="m", workflow_id="w"
    )
    async with rig.database.write() as connection:
        await connection.execute(update(recordings).values(speakers=None, search_text=""))
    await rig.library.read_old_speakers()
    assert [speaker.name for speaker in (await rig.library.get(ANNA, recording.id)).speakers] == ["Ada"]
    assert await rig.titles(text="ada") == ["talk"]
    async with rig.database.read() as connection:
        from sqlalchemy import func, select

        query = select(func.count()).where(recordings.c.speakers.is_(None))
        assert (await connection.execute(query)).scalar_one() == 0


async def test_bulk_labels_are_added_and_taken_away(rig: Rig) -> None:
    recording = await rig.add("talk", tags=("a", "b"), folder="x")
    request = str(uuid.uuid4())
    changed = await rig.editor.label(ANNA, request, recording.id, add_tags=["c"], remove_tags=["a", "z"])
    assert (changed.tags, changed.folder) == (("b", "c"), "x")
    await rig.update(recording, tags=[])
    assert (await rig.editor.label(ANNA, request, recording.id, add_tags=["c"])).tags == ()
    assert (await rig.editor.label(ANNA, str(uuid.uuid4()), recording.id, folder="")).folder == ""
    with pytest.raises(DomainError):
        await rig.editor.label(BEN, str(uuid.uuid4()), recording.id, folder="")
