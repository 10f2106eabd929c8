"""The whole gateway over the wire, with an index that can be away: what is deleted is found no more, now or later."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from recordroute.gateway.v1 import (
    library_pb2,
    library_pb2_grpc,
    watch_pb2,
    watch_pb2_grpc,
    workflow_pb2,
    workflow_pb2_grpc,
)
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc, index_pb2, index_pb2_grpc
from recordroute_gateway import answer_keeper, index_keeper
from recordroute_gateway import service as gateway_service
from recordroute_gateway.blobs import BlobStore
from recordroute_gateway.database import Database, library_url
from recordroute_gateway.library import index_tasks
from recordroute_gateway.library.artifact_json import transcript_bytes
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording, Segment, Transcript
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.service import GatewayService
from recordroute_gateway.settings import GatewaySettings
from recordroute_gateway.workflow import engine
from recordroute_runtime.channels import open_channel
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.interceptors import server_interceptors
from recordroute_runtime.remote import RemoteError, read_error
from recordroute_runtime.server import RunningServer
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.wire import to_datetime, to_duration, to_timestamp

USER = "local"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PATIENCE = 60.0


class Index(
    index_pb2_grpc.IndexServiceServicer,
    embedding_pb2_grpc.EmbeddingServiceServicer,
    llm_pb2_grpc.LlmServiceServicer,
):
    """The wire of the vector service, and of the llm service as far as it forgets; both can be away."""

    def __init__(self) -> None:
        self.documents: dict[str, index_pb2.UpsertConfig] = {}
        self.vectors: list[list[float]] = []
        self.model = "m"
        self.away = False
        self.forgotten: list[str] = []

    async def Upsert(self, requests: Any, context: Any) -> index_pb2.UpsertResponse:
        await self._answer(context)
        config = None
        async for request in requests:
            config = config or request.config
            self.vectors += [list(item.vector) for item in request.batch.passages]
        assert config is not None
        if config.model != self.model:
            raise InvalidInput("MODEL_MISMATCH", "the index is made with another model")
        self.documents[config.document_id] = config
        return index_pb2.UpsertResponse(passage_count=1)

    async def Delete(self, request: Any, context: Any) -> index_pb2.DeleteResponse:
        await self._answer(context)
        self.documents.pop(request.document_id, None)
        return index_pb2.DeleteResponse()

    async def SplitPassages(self, request: Any, context: Any) -> embedding_pb2.SplitPassagesResponse:
        passage = embedding_pb2.Passage(
            text=request.segments[0].text, start=to_duration(0), end=to_duration(1), content_hash="a" * 32
        )
        return embedding_pb2.SplitPassagesResponse(passages=[passage], model=self.model)

    async def Embed(self, request: Any, context: Any) -> embedding_pb2.EmbedResponse:
        embeddings = [embedding_pb2.Embedding(values=[1.0, 0.0]) for _ in request.texts]
        return embedding_pb2.EmbedResponse(embeddings=embeddings, model=self.model)

    async def ForgetAnswers(self, request: Any, context: Any) -> llm_pb2.ForgetAnswersResponse:
        await self._answer(context)
        self.forgotten.append(request.owner)
        return llm_pb2.ForgetAnswersResponse()

    async def _answer(self, context: Any) -> None:
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the index is away")


@dataclass
class Gateway:
    """A gateway that serves, and the stores of a replica beside it."""

    index: Index
    data_dir: Path
    stores: LibraryStore
    library: Any
    workflows: Any
    watch: Any
    count: int = field(default=0)

    async def add(self, title: str = "talk", *, indexed: bool = True) -> Recording:
        self.count += 1
        now = NOW + timedelta(minutes=self.count)
        media = Artifact(ArtifactKind.MEDIA, await self.stores.blobs.put(title.encode()), 5, "", "", now)
        new = Recording(str(uuid.uuid4()), USER, title, "talk.mp3", 1.0, "en", now, now)
        recording = await self.stores.create(new, str(uuid.uuid4()), media)
        if indexed:
            passage = embedding_pb2.Passage(text="Hello.", start=to_duration(0), end=to_duration(1))
            item = index_pb2.EmbeddedPassage(passage=passage, vector=[0.6, 0.8])
            data = index_pb2.EmbeddedPassages(passages=[item]).SerializeToString()
            for kind, content in ((ArtifactKind.EMBEDDINGS, data), (ArtifactKind.INDEX, None)):
                await self.stores.put_artifact(recording.id, kind, content, model="m", workflow_id="w")
            self.index.documents[recording.id] = index_pb2.UpsertConfig(owner=USER, document_id=recording.id)
        return recording

    async def delete(self, recording_id: str, *, purge: bool = False) -> library_pb2.DeleteRecordingResponse:
        request = library_pb2.DeleteRecordingRequest(
            request_id=str(uuid.uuid4()), recording_id=recording_id, purge=purge
        )
        return await self.library.DeleteRecording(request, timeout=PATIENCE)

    async def get(self, recording_id: str) -> library_pb2.Recording:
        request = library_pb2.GetRecordingRequest(recording_id=recording_id)
        return (await self.library.GetRecording(request, timeout=PATIENCE)).recording

    async def bulk(self, ids: list[str], **action: Any) -> list[library_pb2.BulkEditResult]:
        request = library_pb2.BulkEditRequest(request_id=str(uuid.uuid4()), recording_ids=ids, **action)
        return list((await self.library.BulkEdit(request, timeout=PATIENCE)).results)

    async def update(self, paths: list[str], etag: str = "", **values: Any) -> library_pb2.Recording:
        request = library_pb2.UpdateRecordingRequest(
            request_id=str(uuid.uuid4()),
            recording=library_pb2.Recording(**values),
            update_mask=FieldMask(paths=paths),
            etag=etag,
        )
        return (await self.library.UpdateRecording(request, timeout=PATIENCE)).recording


@pytest.fixture
async def gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_library: Callable[[Path], str]
) -> AsyncIterator[Gateway]:
    new_library(tmp_path)
    monkeypatch.setattr(index_tasks, "FIRST_PAUSE", timedelta(seconds=0.1))
    monkeypatch.setattr(gateway_service, "INDEX_TASK_SECONDS", 0.1)
    # By the time of an answer the index and the answers are settled, on a slow machine as well.
    monkeypatch.setattr(index_keeper, "SETTLE_SECONDS", PATIENCE)
    monkeypatch.setattr(answer_keeper, "SETTLE_SECONDS", PATIENCE)
    # What closing waits for.
    monkeypatch.setattr(engine, "NOTIFICATION_POLL_SECONDS", 0.05)
    index = Index()
    vector = grpc.aio.server(options=[("grpc.so_reuseport", 0)], interceptors=server_interceptors())
    index_pb2_grpc.add_IndexServiceServicer_to_server(index, vector)
    embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(index, vector)
    llm_pb2_grpc.add_LlmServiceServicer_to_server(index, vector)
    target = f"127.0.0.1:{vector.add_insecure_port('127.0.0.1:0')}"
    await vector.start()
    settings = GatewaySettings(
        listen="127.0.0.1:0",
        vector_target=target,
        llm_target=target,
        auth="none",
        drain_grace_seconds=0.0,
        sweep_seconds=0.1,
    )
    common = CommonSettings(data_dir=tmp_path)
    server = RunningServer(GatewayService(settings, common), settings)
    await server.start()
    await server.loaded()
    database = Database(library_url(settings, common))
    async with open_channel(f"127.0.0.1:{server.port}") as channel:
        yield Gateway(
            index,
            tmp_path,
            LibraryStore(database, BlobStore(tmp_path, "")),
            library_pb2_grpc.LibraryServiceStub(channel),
            workflow_pb2_grpc.WorkflowServiceStub(channel),
            watch_pb2_grpc.WatchServiceStub(channel),
        )
    await database.close()
    await server.stop()
    await vector.stop(None)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - another process's database tells nobody
            await asyncio.sleep(0.02)


def refused(error: grpc.aio.AioRpcError) -> tuple[str, str]:
    remote: RemoteError = read_error(error)
    return remote.code.name, remote.reason


async def test_the_bin_over_the_wire(gateway: Gateway) -> None:
    recording = await gateway.add()
    before = datetime.now(UTC)
    answer = await gateway.delete(recording.id)
    assert before <= to_datetime(answer.purge_at) - timedelta(days=30) <= datetime.now(UTC)
    # By the time of the answer it is out of the index, and its vectors are kept beside it.
    assert gateway.index.documents == {}
    binned = await gateway.get(recording.id)
    assert binned.HasField("deleted_at")
    assert {artifact.kind for artifact in binned.artifacts} == {1, 4}
    request = workflow_pb2.StartWorkflowRequest(request_id=str(uuid.uuid4()), recording_id=recording.id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.workflows.StartWorkflow(request, timeout=PATIENCE)
    assert refused(caught.value) == ("FAILED_PRECONDITION", "RECORDING_IN_BIN")
    restore = library_pb2.RestoreRecordingRequest(request_id=str(uuid.uuid4()), recording_id=recording.id)
    restored = (await gateway.library.RestoreRecording(restore, timeout=PATIENCE)).recording
    assert list(gateway.index.documents) == [recording.id]
    assert gateway.index.vectors == [[pytest.approx(0.6), pytest.approx(0.8)]]
    assert {artifact.kind for artifact in restored.artifacts} == {1, 4, 5}
    assert gateway.index.forgotten == []
    await gateway.delete(recording.id, purge=True)
    await gateway.delete(recording.id, purge=True)
    assert gateway.index.documents == {}
    # Twice is as good as once: the sweeper may be at it as well.
    assert set(gateway.index.forgotten) == {USER}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.get(recording.id)
    assert refused(caught.value) == ("NOT_FOUND", "RECORDING_NOT_FOUND")
    assert [path for path in (gateway.data_dir / "blobs").rglob("*") if path.is_file()] == []


async def test_a_delete_while_the_index_is_away_is_completed_later(gateway: Gateway) -> None:
    binned, purged = await gateway.add("binned"), await gateway.add("purged")
    gateway.index.away = True
    await gateway.delete(binned.id)
    await gateway.delete(purged.id, purge=True)
    assert set(gateway.index.documents) == {binned.id, purged.id}
    assert await gateway.stores.get_many(USER, [binned.id, purged.id]) == {}
    gateway.index.away = False

    async def nothing_is_left() -> bool:
        return gateway.index.documents == {} and USER in gateway.index.forgotten

    await until(nothing_is_left)


async def test_vectors_of_another_model_are_made_anew(gateway: Gateway) -> None:
    recording = await gateway.add()
    transcript = Transcript("en", 1.0, 1.0, "stt", (Segment(0, 0.0, 1.0, "Hello."),))
    data = transcript_bytes(transcript)
    await gateway.stores.put_artifact(recording.id, ArtifactKind.TRANSCRIPT, data, model="m", workflow_id="w")
    await gateway.delete(recording.id)
    gateway.index.model = "another"
    request = library_pb2.RestoreRecordingRequest(request_id=str(uuid.uuid4()), recording_id=recording.id)
    await gateway.library.RestoreRecording(request, timeout=PATIENCE)

    async def is_indexed() -> bool:
        return recording.id in gateway.index.documents

    await until(is_indexed)
    assert gateway.index.vectors[-1] == [1.0, 0.0]
    found = await gateway.stores.get(USER, recording.id)
    embeddings = found.artifact(ArtifactKind.EMBEDDINGS)
    assert embeddings is not None
    assert (embeddings.model, embeddings.stale) == ("another", False)


async def test_what_is_due_is_purged_with_its_work(gateway: Gateway) -> None:
    recording = await gateway.add(indexed=False)
    start = workflow_pb2.StartWorkflowRequest(request_id=str(uuid.uuid4()), recording_id=recording.id)
    workflow = (await gateway.workflows.StartWorkflow(start, timeout=PATIENCE)).workflow
    from recordroute_gateway.tables import live_sessions, recordings, uploads
    from sqlalchemy import insert, select, update

    database = Database(f"sqlite+aiosqlite:///{gateway.data_dir / 'library.sqlite'}")
    another = str(uuid.uuid4())
    async with database.write() as connection:
        for recording_id in (recording.id, another):
            common = {"owner": USER, "request_id": str(uuid.uuid4()), "recording_id": recording_id}
            common |= {"config": {"title": "The secret plan"}, "created_at": NOW}
            upload = {
                "id": str(uuid.uuid4()),
                "size_bytes": 1,
                "received": b"",
                "expires_at": NOW + timedelta(9999),
            }
            await connection.execute(insert(uploads).values(**common, **upload))
            session = {
                "id": str(uuid.uuid4()),
                "state": "ended",
                "title": "The secret plan",
                "end_reason": "",
            }
            session |= {
                "next_sequence": 1,
                "audio_seconds": 1.0,
                "workflow_id": "",
                "ended_at": datetime.now(UTC),
            }
            await connection.execute(insert(live_sessions).values(**common, **session))
    await gateway.delete(recording.id)
    stopped = workflow_pb2.GetWorkflowRequest(workflow_id=workflow.id)
    state = (await gateway.workflows.GetWorkflow(stopped, timeout=PATIENCE)).workflow.state
    assert state == workflow_pb2.WORKFLOW_STATE_CANCELLED
    async with database.write() as connection:
        await connection.execute(update(recordings).values(purge_at=datetime.now(UTC)))

    async def is_gone() -> bool:
        return await gateway.stores.find(recording.id) is None

    await until(is_gone)
    # Nor is there a trace of how it came in; those of others are.
    async with database.read() as connection:
        for table in (uploads, live_sessions):
            left = select(table.c.recording_id)
            assert (await connection.execute(left)).scalars().all() == [another]
    await database.close()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.workflows.GetWorkflow(stopped, timeout=PATIENCE)
    assert refused(caught.value) == ("NOT_FOUND", "WORKFLOW_NOT_FOUND")


async def test_labels_reach_the_index(gateway: Gateway) -> None:
    recording = await gateway.add()
    changed = await gateway.update(
        ["tags", "folder", "recorded_at"],
        id=recording.id,
        tags=["b", "a"],
        folder="work",
        recorded_at=to_timestamp(NOW),
    )
    assert (changed.tags, changed.folder) == (["a", "b"], "work")
    config = gateway.index.documents[recording.id]
    assert (config.tags, config.folder, config.recorded_at) == (["a", "b"], "work", to_timestamp(NOW))


@pytest.mark.parametrize(
    ("paths", "values", "etag", "expected"),
    [
        ([], {"title": "x"}, "", ("INVALID_ARGUMENT", "FIELD_MASK")),
        (["title", "owner"], {"title": "x"}, "", ("INVALID_ARGUMENT", "FIELD_MASK")),
        (["recorded_at"], {}, "", ("INVALID_ARGUMENT", "FIELD_MASK")),
        (["folder"], {"folder": "/x"}, "", ("INVALID_ARGUMENT", "INVALID_FIELDS")),
        (["folder"], {"folder": " "}, "", ("INVALID_ARGUMENT", "BAD_LABEL")),
        (["title"], {"title": "x" * 2000}, "", ("INVALID_ARGUMENT", "INVALID_FIELDS")),
        (["title"], {"title": "x"}, "77", ("ABORTED", "ETAG_MISMATCH")),
        (
            ["bookmarks"],
            {"bookmarks": [library_pb2.Bookmark(position=to_duration(-1))]},
            "",
            ("INVALID_ARGUMENT", "INVALID_FIELDS"),
        ),
    ],
)
async def test_wrong_updates_are_refused(
    gateway: Gateway, paths: list[str], values: dict[str, Any], etag: str, expected: tuple[str, str]
) -> None:
    recording = await gateway.add(indexed=False)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.update(paths, etag, id=recording.id, **values)
    assert refused(caught.value) == expected
    assert await gateway.stores.get(USER, recording.id) == recording


async def test_bulk_edits_tell_each_result(gateway: Gateway) -> None:
    first, second = await gateway.add("first"), await gateway.add("second")
    nobody = str(uuid.uuid4())
    ids = [first.id, nobody, second.id]
    results = await gateway.bulk(ids, labels=library_pb2.BulkLabels(add_tags=["x"], folder="f"))
    assert [(result.recording_id, list(result.recording.tags)) for result in results] == [
        (first.id, ["x"]),
        (nobody, []),
        (second.id, ["x"]),
    ]
    assert [result.error.reason for result in results] == ["", "RECORDING_NOT_FOUND", ""]
    assert {config.folder for config in gateway.index.documents.values()} == {"f"}
    results = await gateway.bulk(ids, delete=library_pb2.BulkDelete())
    assert [result.recording.HasField("deleted_at") for result in results] == [True, False, True]
    assert gateway.index.documents == {}
    results = await gateway.bulk(ids, labels=library_pb2.BulkLabels(add_tags=["y"]))
    assert {result.error.reason for result in results} == {"RECORDING_IN_BIN", "RECORDING_NOT_FOUND"}
    await gateway.bulk(ids, restore=library_pb2.BulkRestore())
    assert set(gateway.index.documents) == {first.id, second.id}
    results = await gateway.bulk(ids, delete=library_pb2.BulkDelete(purge=True))
    assert [result.HasField("recording") or result.HasField("error") for result in results] == [False] * 3


async def test_lists_and_facets_over_the_wire(gateway: Gateway) -> None:
    for title in ("Talk 10", "talk 9", "회의"):
        await gateway.add(title, indexed=False)
    request = library_pb2.ListRecordingsRequest(order_by=3, ascending=True, page_size=2)
    page = await gateway.library.ListRecordings(request, timeout=PATIENCE)
    assert [recording.title for recording in page.recordings] == ["talk 9", "Talk 10"]
    assert page.total_count == 3
    request.page_token = page.next_page_token
    page = await gateway.library.ListRecordings(request, timeout=PATIENCE)
    assert ([recording.title for recording in page.recordings], page.next_page_token) == (["회의"], "")
    assert not page.HasField("total_count")
    whole = await gateway.library.ListRecordings(
        library_pb2.ListRecordingsRequest(text="talk 10"), timeout=PATIENCE
    )
    assert (whole.total_count, whole.next_page_token) == (1, "")
    nobody = library_pb2.ListRecordingsRequest(speakers=["Anna"])
    none = await gateway.library.ListRecordings(nobody, timeout=PATIENCE)
    assert (len(none.recordings), none.HasField("total_count"), none.total_count) == (0, True, 0)
    request.text = "회의"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.library.ListRecordings(request, timeout=PATIENCE)
    assert refused(caught.value) == ("INVALID_ARGUMENT", "PAGE_TOKEN")
    bad = library_pb2.ListRecordingsRequest()
    bad.recorded_from.seconds = 2**62
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.library.ListRecordings(bad, timeout=PATIENCE)
    assert refused(caught.value) == ("INVALID_ARGUMENT", "INVALID_FIELDS")
    facets = await gateway.library.ListFacets(library_pb2.ListFacetsRequest(), timeout=PATIENCE)
    assert [(facet.value, facet.recording_count) for facet in facets.languages] == [("en", 3)]


async def test_one_stream_tells_of_everything(gateway: Gateway) -> None:
    call = gateway.watch.WatchLibrary(watch_pb2.WatchLibraryRequest(), timeout=PATIENCE)
    assert (await call.read()).WhichOneof("change") is None
    # Added by another replica.
    recording = await gateway.add(indexed=False)
    assert (await call.read()).recording.id == recording.id
    start = workflow_pb2.StartWorkflowRequest(request_id=str(uuid.uuid4()), recording_id=recording.id)
    workflow = (await gateway.workflows.StartWorkflow(start, timeout=PATIENCE)).workflow
    kinds = set()
    while kinds != {"recording", "workflow"}:
        told = await call.read()
        assert told.workflow.id == workflow.id or told.recording.id == recording.id
        kinds.add(told.WhichOneof("change"))
    await gateway.delete(recording.id, purge=True)
    while True:
        told = await call.read()
        if told.WhichOneof("change") == "recording_removed":
            break
        assert told.workflow.id == workflow.id or told.recording.id == recording.id
    assert told.recording_removed.recording_id == recording.id
