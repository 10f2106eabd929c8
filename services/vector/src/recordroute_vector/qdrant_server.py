"""The distributed index: a Qdrant server or cluster over gRPC.

A server has no transactions, and searches have to see a document as it was before or after a change. So each write
has a number that grows with the time, and a change is a point of its own that every search reads first: while a
document's new passages arrive it hides them, and then, by one atomic update, it hides the ones before. Those are
deleted when every search that may still want them has timed out. What a crash leaves is mended from the same points.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc.aio
import numpy as np
import structlog
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from recordroute_runtime.errors import DomainError, PreconditionFailed, UpstreamUnavailable

from recordroute_vector.domain import Passage
from recordroute_vector.index.errors import VectorsMissing
from recordroute_vector.index.port import (
    PREFIX_LETTERS,
    Candidate,
    Document,
    Facet,
    Filter,
    IndexedPassage,
    IndexQuery,
    IndexState,
    IndexStats,
    StoredDocument,
    StoredPassage,
)

log = structlog.get_logger(__name__)

DENSE, LEXICAL, TOKENS = "dense", "lexical", "tokens"
KEYWORDS = ("document", "language", "kind", "folder", "folders", "tags", "speakers", "change_of")
EF, EF_FILTERED = 128, 256
PUT_ROWS, SCROLL_ROWS = 128, 256
CALL_SECONDS = 5.0
RETRY_SECONDS = (0.1, 0.4)
SEARCH_TRIES = 10
# A search that began before a change has given up by then.
CLEAN_AFTER_SECONDS = (CALL_SECONDS + max(RETRY_SECONDS)) * (len(RETRY_SECONDS) + 1)
# A change whose writer has not ended it by then never will be by it.
ABANDONED_SECONDS = 300.0
_NAMESPACE = uuid.UUID("6f8f1f0e-6f5c-4b0c-9d5e-6a2f5b1f9f3a")
_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

Result = TypeVar("Result")


@dataclass(frozen=True)
class ServerConfig:
    """Which collection, and what it is made with. `url` is that of the gRPC port; `api_key` may be empty."""

    url: str
    collection: str
    model: str
    dimensions: int
    analyzer: str = "subwords"
    api_key: str = ""
    token_vectors: bool = False


@dataclass(frozen=True)
class _Change:
    """A change that is not over: of a document it hides the passages numbered `staged`, or those before `before`."""

    id: str
    owner: str
    document_id: str
    staged: int = 0
    before: int = 0

    @property
    def hidden(self) -> models.Filter:
        number = (
            models.Range(lt=self.before) if self.before else models.Range(gte=self.staged, lte=self.staged)
        )
        return models.Filter(
            must=[_is("document", self.document_id), models.FieldCondition(key="number", range=number)]
        )


class QdrantIndex:
    """A `PassageIndex` on a server. `open` comes first, `close` last."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        address = urlsplit(config.url)
        self._client = AsyncQdrantClient(
            host=address.hostname,
            grpc_port=address.port or 6334,
            prefer_grpc=True,
            https=address.scheme == "https",
            api_key=config.api_key or None,
            timeout=int(CALL_SECONDS),
            check_compatibility=False,
        )
        self._cleaning: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._last_number = 0

    async def open(self) -> None:
        """Makes the collection where there is none. Raises UpstreamUnavailable, PreconditionFailed
        (INDEX_MODEL_MISMATCH)."""
        name = self._config.collection
        if not await self._ask(self._client.collection_exists, name):
            await self._create()
        info = await self._ask(self._client.get_collection, name)
        made_with, wanted = info.config.metadata or {}, self._metadata()
        if made_with != wanted:
            raise PreconditionFailed(
                "INDEX_MODEL_MISMATCH",
                f"collection {name} is made with {made_with}, but the service uses {wanted}: give another "
                "collection and index the recordings anew, and searches go on with this one meanwhile",
                metadata={"collection": name, "model": self._config.model},
            )
        await self._mend()

    async def close(self) -> None:
        self._closing.set()
        if self._cleaning:
            await asyncio.wait(self._cleaning)
        await self._client.close()

    async def upsert(self, document: Document, passages: Sequence[IndexedPassage], *, model: str = "") -> int:
        owner = document.owner
        points = await self._points(document, passages)
        number = self._number()
        change = _Change(str(uuid.uuid4()), owner, document.id, staged=number)
        await self._write_change(change)
        try:
            for start in range(0, len(points), PUT_ROWS):
                part = points[start : start + PUT_ROWS]
                for point in part:
                    point.payload = {**(point.payload or {}), "number": number}
                await self._ask(self._client.upsert, self._config.collection, part, wait=True)
        except BaseException:
            with suppress(DomainError):
                await self._undo(change)
            raise
        await self._commit(_Change(change.id, owner, document.id, before=number))
        return len(points)

    async def delete(self, owner: str, document_id: str) -> int:
        count = (await self.stats(owner, document_id)).passage_count
        if count:
            await self._commit(_Change(str(uuid.uuid4()), owner, document_id, before=self._number()))
        return count

    async def search(self, query: IndexQuery) -> list[Candidate]:
        (candidates,) = await self.search_many([query])
        return candidates

    async def search_many(self, queries: Sequence[IndexQuery]) -> list[list[Candidate]]:
        if not queries:
            return []
        owners = {query.where.owner for query in queries}
        hidden = {owner: await self._hidden(owner) for owner in owners}
        for _ in range(SEARCH_TRIES):
            found = [await self._search(query, hidden[query.where.owner]) for query in queries]
            now = {owner: await self._hidden(owner) for owner in owners}
            # A change that began after the list was read may have shown a part of itself.
            known = {change.id for changes in hidden.values() for change in changes}
            if all(change.id in known for changes in now.values() for change in changes):
                return found
            hidden = now
        raise UpstreamUnavailable("index server")

    async def document(
        self, owner: str, document_id: str, *, with_vectors: bool = False
    ) -> StoredDocument | None:
        records = await self._records(owner, document_id, [DENSE] if with_vectors else [])
        if not records:
            return None
        records.sort(key=lambda record: int(record.payload["index"]))
        return StoredDocument(
            _document(records[0].payload),
            tuple(
                StoredPassage(_passage(record.payload), _dense(record) if with_vectors else None)
                for record in records
            ),
        )

    async def facet(self, where: Filter, facet: Facet, limit: int) -> list[tuple[str, int]]:
        which = _matching(where, await self._hidden(where.owner))
        answer = await self._ask(
            self._client.facet,
            self._config.collection,
            facet.value,
            facet_filter=which,
            limit=limit,
            exact=True,
        )
        return [(str(hit.value), hit.count) for hit in answer.hits]

    async def stats(self, owner: str, document_id: str | None = None) -> IndexStats:
        only = () if document_id is None else (document_id,)
        which = _matching(Filter(owner, document_ids=only), await self._hidden(owner))
        name = self._config.collection
        count = (await self._ask(self._client.count, name, which, exact=True)).count
        if not count:
            return IndexStats(0, 0)
        documents = await self._ask(
            self._client.facet, name, "document", facet_filter=which, limit=count, exact=True
        )
        return IndexStats(count, len(documents.hits))

    async def revision(self, owner: str) -> str:
        name, mark = self._config.collection, _revision_id(owner)
        records = await self._ask(self._client.retrieve, name, [mark], with_payload=True)
        return str((records[0].payload or {})["revision"]) if records else ""

    async def state(self) -> IndexState:
        info = await self._ask(self._client.get_collection, self._config.collection)
        return IndexState(
            model=self._config.model,
            dimensions=self._config.dimensions,
            passage_count=info.points_count or 0,
            indexed_count=min(info.points_count or 0, info.indexed_vectors_count or 0),
        )

    async def _ask(self, call: Callable[..., Awaitable[Result]], *arguments: Any, **options: Any) -> Result:
        """Calls the server, again where it is away for a moment: everything here can be repeated."""
        for wait in (*RETRY_SECONDS, None):
            try:
                return await call(*arguments, **options)
            except ResourceExhaustedResponse as error:
                raise UpstreamUnavailable("index server") from error
            except grpc.aio.AioRpcError as error:
                if error.code() not in _RETRIED:
                    raise
                log.warning("index server does not answer", status=error.code().name)
                if wait is None:
                    raise UpstreamUnavailable("index server") from error
                await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _metadata(self) -> dict[str, Any]:
        config = self._config
        return {"model": config.model, "dimensions": config.dimensions, "analyzer": config.analyzer}

    async def _create(self) -> None:
        config = self._config
        vectors = {DENSE: models.VectorParams(size=config.dimensions, distance=models.Distance.COSINE)}
        if config.token_vectors:
            vectors[TOKENS] = models.VectorParams(
                size=config.dimensions,
                distance=models.Distance.COSINE,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
                datatype=models.Datatype.FLOAT16,
                on_disk=True,
                hnsw_config=models.HnswConfigDiff(m=0),
            )
        await self._ask(
            self._client.create_collection,
            config.collection,
            vectors_config=vectors,
            sparse_vectors_config={LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            quantization_config=models.ScalarQuantization(
                scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
            ),
            metadata=self._metadata(),
        )
        schemas: list[tuple[str, Any]] = [
            ("owner", models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)),
            *((name, models.PayloadSchemaType.KEYWORD) for name in KEYWORDS),
            ("recorded_at", models.PayloadSchemaType.FLOAT),
            ("number", models.PayloadSchemaType.INTEGER),
            (
                "text",
                models.TextIndexParams(
                    type=models.TextIndexType.TEXT,
                    tokenizer=models.TokenizerType.PREFIX,
                    min_token_len=1,
                    max_token_len=PREFIX_LETTERS,
                    lowercase=True,
                ),
            ),
        ]
        for name, schema in schemas:
            await self._ask(self._client.create_payload_index, config.collection, name, schema, wait=True)

    def _number(self) -> int:
        self._last_number = max(time.time_ns() // 1000, self._last_number + 1)
        return self._last_number

    async def _points(
        self, document: Document, passages: Sequence[IndexedPassage]
    ) -> list[models.PointStruct]:
        held: dict[str, Any] = {}
        if any(item.dense is None for item in passages):
            names = [DENSE, *([TOKENS] if self._config.token_vectors else [])]
            for record in await self._records(document.owner, document.id, names):
                held[record.payload["content_hash"]] = record.vector
            held.pop("", None)
        missing = [
            item.passage.index
            for item in passages
            if item.dense is None and item.passage.content_hash not in held
        ]
        if missing:
            raise VectorsMissing(missing)
        return [
            _point(document, item, held.get(item.passage.content_hash), self._config.token_vectors)
            for item in passages
        ]

    async def _search(self, query: IndexQuery, hidden: Sequence[_Change]) -> list[Candidate]:
        which = _matching(query.where, hidden)
        searches = _searches(query, hidden)
        vectors: list[str] | bool = [DENSE] if query.with_vectors else False
        answers = await self._query(
            [
                models.QueryRequest(
                    **search, filter=which, limit=query.limit, with_payload=True, with_vector=vectors
                )
                for search in searches.values()
            ]
        )
        points = {str(point.id): point for points in answers for point in points}
        scores = {
            name: {str(point.id): point.score for point in points}
            for name, points in zip(searches, answers, strict=True)
        }
        if query.tokens is not None and self._config.token_vectors and points:
            searches[TOKENS] = {"query": query.tokens.tolist(), "using": TOKENS}
            scores[TOKENS] = {}
        following = {
            name: models.QueryRequest(
                **search,
                filter=models.Filter(must=[which, models.HasIdCondition(has_id=sorted(missing))]),
                limit=len(missing),
                with_payload=False,
            )
            for name, search in searches.items()
            if (missing := points.keys() - scores[name].keys())
        }
        completed = await self._query(list(following.values()))
        for name, found in zip(following, completed, strict=True):
            scores[name].update((str(point.id), point.score) for point in found)
        return [
            Candidate(
                document=_document(point.payload),
                passage=_passage(point.payload),
                dense_score=scores.get(DENSE, {}).get(number),
                lexical_score=scores.get(LEXICAL, {}).get(number),
                late_score=scores.get(TOKENS, {}).get(number),
                dense=_dense(point) if query.with_vectors else None,
            )
            for number, point in points.items()
        ]

    async def _query(self, requests: list[models.QueryRequest]) -> list[list[Any]]:
        if not requests:
            return []
        answers = await self._ask(self._client.query_batch_points, self._config.collection, requests)
        return [answer.points for answer in answers]

    async def _records(self, owner: str, document_id: str, vectors: list[str]) -> list[Any]:
        which = _matching(Filter(owner, document_ids=(document_id,)), await self._hidden(owner))
        return await self._scroll(which, vectors)

    async def _scroll(self, which: models.Filter, vectors: list[str]) -> list[Any]:
        records: list[Any] = []
        offset: Any = None
        while True:
            found, offset = await self._ask(
                self._client.scroll,
                self._config.collection,
                scroll_filter=which,
                limit=SCROLL_ROWS,
                offset=offset,
                with_payload=True,
                with_vectors=vectors or False,
            )
            records += found
            if offset is None:
                return records

    async def _hidden(self, owner: str) -> list[_Change]:
        return [
            _change(record)
            for record in await self._scroll(models.Filter(must=[_is("change_of", owner)]), [])
        ]

    async def _write_change(self, change: _Change) -> None:
        values = {"change_of": change.owner, "changed": change.document_id, "at": time.time()}
        point = models.PointStruct(
            id=change.id, vector={}, payload={**values, "staged": change.staged, "before": change.before}
        )
        await self._ask(self._client.upsert, self._config.collection, [point], wait=True)

    async def _commit(self, change: _Change) -> None:
        await self._write_change(change)
        mark = models.PointStruct(
            id=_revision_id(change.owner), vector={}, payload={"revision": uuid.uuid4().hex}
        )
        await self._ask(self._client.upsert, self._config.collection, [mark], wait=True)
        task = asyncio.create_task(self._clean(change))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def _clean(self, change: _Change) -> None:
        """Deletes what a change hides, when no search that began before it can be left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLEAN_AFTER_SECONDS):
                await self._closing.wait()
        try:
            await self._undo(change)
        except DomainError as error:
            log.warning("deleted passages stay hidden for now", reason=error.reason)

    async def _undo(self, change: _Change) -> None:
        """Deletes what a change hides, and then the change."""
        name = self._config.collection
        which = models.Filter(must=[_is("owner", change.owner), change.hidden])
        for selector in (
            models.FilterSelector(filter=which),
            models.PointIdsList(points=[change.id]),
        ):
            await self._ask(self._client.delete, name, selector, wait=True)

    async def _mend(self) -> None:
        """Ends the changes whose writers are gone."""
        changes = models.Filter(
            must_not=[models.IsEmptyCondition(is_empty=models.PayloadField(key="change_of"))]
        )
        for record in await self._scroll(changes, []):
            if time.time() - record.payload["at"] > ABANDONED_SECONDS:
                await self._undo(_change(record))


def _change(record: Any) -> _Change:
    payload = record.payload
    return _Change(
        str(record.id), payload["change_of"], payload["changed"], payload["staged"], payload["before"]
    )


def _revision_id(owner: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, owner))


def _point(document: Document, item: IndexedPassage, held: Any, token_vectors: bool) -> models.PointStruct:
    passage, lexical = item.passage, item.lexical
    vectors: dict[str, Any] = dict(held) if item.dense is None else {DENSE: item.dense.tolist()}
    if item.dense is not None and token_vectors and item.tokens is not None and len(item.tokens):
        vectors[TOKENS] = item.tokens.tolist()
    if lexical.ids:
        vectors[LEXICAL] = models.SparseVector(indices=list(lexical.ids), values=list(lexical.weights))
    names = document.folder.split("/") if document.folder else []
    payload = {
        **asdict(passage),
        "speakers": list(passage.speakers),
        "owner": document.owner,
        "document": document.id,
        "language": document.language,
        "recorded_at": document.recorded_at,
        "kind": document.kind,
        "folder": document.folder,
        "folders": ["/".join(names[: depth + 1]) for depth in range(len(names))],
        "tags": list(document.tags),
    }
    return models.PointStruct(id=str(uuid.uuid4()), vector=vectors, payload=payload)


def _searches(query: IndexQuery, hidden: Sequence[_Change]) -> dict[str, dict[str, Any]]:
    searches: dict[str, dict[str, Any]] = {}
    if query.dense is not None:
        breadth = query.ef or (EF if query.where == Filter(query.where.owner) else EF_FILTERED)
        searches[DENSE] = {
            "query": query.dense.tolist(),
            "using": DENSE,
            "params": models.SearchParams(
                hnsw_ef=max(breadth, query.limit),
                quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0),
            ),
        }
    if query.lexical is not None and query.lexical.ids:
        terms = models.SparseVector(indices=list(query.lexical.ids), values=list(query.lexical.weights))
        # Word frequencies are counted within the owner's documents: those of others must not shine through.
        corpus = _matching(Filter(query.where.owner), hidden)
        searches[LEXICAL] = {
            "query": terms,
            "using": LEXICAL,
            "params": models.SearchParams(idf=models.IdfCorpusParams(corpus=corpus)),
        }
    return searches


def _matching(where: Filter, hidden: Sequence[_Change]) -> models.Filter:
    must: list[Any] = [_is("owner", where.owner)]
    for name, values in (
        ("document", where.document_ids),
        ("speakers", where.speakers),
        ("language", where.languages),
        ("kind", where.kinds),
    ):
        if values:
            must.append(_any(name, values))
    must += [_is("tags", tag) for tag in where.tags]
    must += [
        models.FieldCondition(key="text", match=models.MatchText(text=word)) for word in where.required_words
    ]
    if where.folder:
        must.append(_is("folders", where.folder))
    if where.recorded_from is not None or where.recorded_before is not None:
        recorded = models.Range(gte=where.recorded_from, lt=where.recorded_before)
        must.append(models.FieldCondition(key="recorded_at", range=recorded))
    must_not: list[Any] = [change.hidden for change in hidden]
    if where.excluded_document_ids:
        must_not.append(_any("document", where.excluded_document_ids))
    return models.Filter(must=must, must_not=must_not)


def _is(name: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=name, match=models.MatchValue(value=value))


def _any(name: str, values: Sequence[str]) -> models.FieldCondition:
    return models.FieldCondition(key=name, match=models.MatchAny(any=list(values)))


def _dense(point: Any) -> Any:
    return np.asarray(point.vector[DENSE], np.float32)


def _document(payload: dict[str, Any]) -> Document:
    return Document(
        owner=payload["owner"],
        id=payload["document"],
        language=payload["language"],
        recorded_at=payload["recorded_at"],
        kind=payload["kind"],
        folder=payload["folder"],
        tags=tuple(payload["tags"]),
    )


def _passage(payload: dict[str, Any]) -> Passage:
    return Passage(
        index=payload["index"],
        text=payload["text"],
        start=payload["start"],
        end=payload["end"],
        first_segment_index=payload["first_segment_index"],
        last_segment_index=payload["last_segment_index"],
        speakers=tuple(payload["speakers"]),
        page=payload["page"],
        line=payload["line"],
        content_hash=payload["content_hash"],
    )
