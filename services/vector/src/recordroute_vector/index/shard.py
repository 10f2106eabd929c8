"""A Qdrant Edge shard in a folder: all that runs in the worker process, and no more.

index_dir/lock          held by the process that has the index open
index_dir/current/      the index; it appears by a rename, so it is whole or not there
    index.json          format, model and dimensions
    shard/              Qdrant Edge's own files
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from recordroute_vector.domain import Passage
from recordroute_vector.index.frames import IndexConfig, IndexTrouble, Trouble
from recordroute_vector.index.port import (
    Candidate,
    Document,
    IndexedPassage,
    IndexQuery,
    IndexStats,
)

FORMAT = 1
DENSE, LEXICAL = "dense", "lexical"
# The worker of a service that was killed sees that within milliseconds, but may be in the middle of a write.
LOCK_WAIT_SECONDS = 2.0
_POINT_NAMESPACE = uuid.UUID("6f8f1f0e-6f5c-4b0c-9d5e-6a2f5b1f9f3a")


@dataclass(frozen=True)
class _Search:
    query: edge.Query
    params: edge.SearchParams | None = None


class Shard:
    """An open index. One thread uses it."""

    def __init__(self, config: IndexConfig) -> None:
        """Opens the index, or makes an empty one. Raises IndexTrouble."""
        self._config = config
        with ExitStack() as stack:
            try:
                config.directory.mkdir(parents=True, exist_ok=True)
                self._lock = stack.enter_context((config.directory / "lock").open("w"))
                _acquire(self._lock.fileno(), config.directory)
                current = config.directory / "current"
                if not current.exists():
                    self._check_room()
                    _create(config, current)
            except OSError as error:
                raise _os_trouble(error, config.directory) from error
            _check_manifest(config, current / "index.json")
            try:
                self._shard = edge.EdgeShard.load(str(current / "shard"))
            except Exception as error:
                raise _edge_trouble(error, Trouble.UNREADABLE, config.directory) from error
            stack.pop_all()

    def close(self) -> None:
        """Writes what is left to the disk and gives the folder back."""
        self._shard.close()
        self._lock.close()

    def flush(self) -> None:
        """Makes all changes so far durable. Raises IndexTrouble."""
        try:
            self._shard.flush()
        except Exception as error:
            raise _edge_trouble(error, Trouble.INTERNAL, self._config.directory) from error

    def upsert(self, document: Document, passages: Sequence[IndexedPassage]) -> int:
        """Replaces a document's passages; durable after `flush`. Repeating it mends one that was cut short."""
        if passages:
            self._check_room()
            self._update(edge.UpdateOperation.upsert_points([_point(document, item) for item in passages]))
        leftovers = edge.FieldCondition("index", range=edge.RangeFloat(gte=float(len(passages))))
        self._update(
            edge.UpdateOperation.delete_points_by_filter(_only(document.owner, document.id, leftovers))
        )
        return len(passages)

    def delete(self, owner: str, document_id: str) -> int:
        """Deletes a document and returns how many passages it had; durable after `flush`."""
        which = _only(owner, document_id)
        count = self._shard.count(edge.CountRequest(filter=which))
        if count:
            self._update(edge.UpdateOperation.delete_points_by_filter(which))
        return count

    def search(self, query: IndexQuery) -> list[Candidate]:
        """Runs the dense and the lexical search, and scores what only one of them found by the other, too."""
        searches = _searches(query)
        which = _matching(query)
        found = {
            name: self._query(search, which, query.limit, payload=True) for name, search in searches.items()
        }
        points = {point.id: point for points in found.values() for point in points}
        scores = {name: {point.id: point.score for point in hits} for name, hits in found.items()}
        for name, search in searches.items():
            if missing := points.keys() - scores[name].keys():
                only = edge.Filter(must=[which, edge.HasIdCondition(missing)])
                completed = self._query(search, only, len(missing), payload=False)
                scores[name].update((point.id, point.score) for point in completed)
        return [
            Candidate(
                document_id=point.payload["document"],
                passage=_passage(point.payload),
                dense_score=scores.get(DENSE, {}).get(number),
                lexical_score=scores.get(LEXICAL, {}).get(number),
            )
            for number, point in points.items()
        ]

    def stats(self, owner: str, document_id: str | None) -> IndexStats:
        """Counts what the index holds of an owner."""
        which = _only(owner, document_id)
        passages = self._shard.count(edge.CountRequest(filter=which))
        if not passages:
            return IndexStats(0, 0)
        documents = self._shard.facet(edge.FacetRequest("document", limit=passages, exact=True, filter=which))
        return IndexStats(passages, len(documents))

    def _query(self, search: _Search, which: edge.Filter, limit: int, *, payload: bool) -> list[Any]:
        request = edge.QueryRequest(
            query=search.query, params=search.params, filter=which, limit=limit, with_payload=payload
        )
        return self._shard.query(request)

    def _update(self, operation: edge.UpdateOperation) -> None:
        try:
            self._shard.update(operation)
        except Exception as error:
            raise _edge_trouble(error, Trouble.INTERNAL, self._config.directory) from error

    def _check_room(self) -> None:
        # Edge writes through memory maps: with the disk full the process would die by SIGBUS, so stop before.
        free = shutil.disk_usage(self._config.directory).free
        if free < self._config.min_free_bytes:
            raise IndexTrouble(Trouble.DISK_FULL, f"{free} bytes free", directory=str(self._config.directory))


def _acquire(descriptor: int, directory: Path) -> None:
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise IndexTrouble(Trouble.IN_USE, "locked", directory=str(directory)) from error
            time.sleep(0.05)


def _create(config: IndexConfig, target: Path) -> None:
    draft = config.directory / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        _create_shard(draft / "shard", config.dimensions)
    except Exception as error:
        raise _edge_trouble(error, Trouble.INTERNAL, config.directory) from error
    manifest = {"format": FORMAT, "model": config.model, "dimensions": config.dimensions}
    with (draft / "index.json").open("w") as file:
        json.dump(manifest, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(target)
    descriptor = os.open(config.directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create_shard(path: Path, dimensions: int) -> None:
    shard = edge.EdgeShard.create(
        str(path),
        edge.EdgeConfig(
            vectors={
                DENSE: edge.EdgeVectorParams(
                    size=dimensions,
                    distance=edge.Distance.Cosine,
                    quantization_config=edge.ScalarQuantizationConfig(
                        edge.ScalarType.Int8, memory=edge.Memory.Pinned
                    ),
                )
            },
            sparse_vectors={LEXICAL: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        ),
    )
    for name, schema in (
        ("owner", edge.KeywordIndexParams(is_tenant=True)),
        ("document", edge.PayloadSchemaType.Keyword),
        ("recorded_at", edge.PayloadSchemaType.Float),
    ):
        shard.update(edge.UpdateOperation.create_field_index(name, schema))
    shard.flush()
    shard.close()


def _check_manifest(config: IndexConfig, path: Path) -> None:
    directory = str(config.directory)
    try:
        manifest = json.loads(path.read_text())
        version, model, dimensions = (manifest[key] for key in ("format", "model", "dimensions"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexTrouble(Trouble.UNREADABLE, f"{path}: {error}", directory=directory) from error
    if version != FORMAT:
        raise IndexTrouble(Trouble.UNREADABLE, f"format {version}, not {FORMAT}", directory=directory)
    if (model, dimensions) != (config.model, config.dimensions):
        raise IndexTrouble(
            Trouble.OTHER_MODEL,
            "made with another model",
            directory=directory,
            index_model=f"{model} ({dimensions} dimensions)",
            model=f"{config.model} ({config.dimensions} dimensions)",
        )


def _point(document: Document, item: IndexedPassage) -> edge.Point:
    passage = item.passage
    vectors: dict[str, Any] = {DENSE: item.dense.tolist()}
    if item.lexical.ids:
        vectors[LEXICAL] = edge.SparseVector(list(item.lexical.ids), list(item.lexical.weights))
    name = json.dumps([document.owner, document.id, passage.index])
    payload = {
        **asdict(passage),
        "speakers": list(passage.speakers),
        "owner": document.owner,
        "document": document.id,
        "language": document.language,
        "recorded_at": document.recorded_at,
    }
    return edge.Point(str(uuid.uuid5(_POINT_NAMESPACE, name)), vectors, payload)


def _passage(payload: dict[str, Any]) -> Passage:
    return Passage(
        index=payload["index"],
        text=payload["text"],
        start=payload["start"],
        end=payload["end"],
        first_segment_index=payload["first_segment_index"],
        last_segment_index=payload["last_segment_index"],
        speakers=tuple(payload["speakers"]),
    )


def _only(owner: str, document_id: str | None = None, *conditions: edge.FieldCondition) -> edge.Filter:
    must: list[Any] = [edge.FieldCondition("owner", match=edge.MatchValue(owner)), *conditions]
    if document_id is not None:
        must.append(edge.FieldCondition("document", match=edge.MatchValue(document_id)))
    return edge.Filter(must=must)


def _searches(query: IndexQuery) -> dict[str, _Search]:
    searches = {}
    if query.dense is not None:
        searches[DENSE] = _Search(edge.Query.Nearest(query.dense.tolist(), using=DENSE))
    if query.lexical is not None and query.lexical.ids:
        terms = edge.SparseVector(list(query.lexical.ids), list(query.lexical.weights))
        # Word frequencies are counted within the owner's documents: those of others must not shine through.
        idf = edge.IdfParams(corpus=_only(query.owner))
        searches[LEXICAL] = _Search(edge.Query.Nearest(terms, using=LEXICAL), edge.SearchParams(idf=idf))
    return searches


def _matching(query: IndexQuery) -> edge.Filter:
    conditions: list[edge.FieldCondition] = []
    if query.document_ids:
        conditions.append(edge.FieldCondition("document", match=edge.MatchAny(list(query.document_ids))))
    if query.recorded_from is not None or query.recorded_before is not None:
        recorded = edge.RangeFloat(gte=query.recorded_from, lt=query.recorded_before)
        conditions.append(edge.FieldCondition("recorded_at", range=recorded))
    return _only(query.owner, None, *conditions)


def _edge_trouble(error: Exception, otherwise: Trouble, directory: Path) -> IndexTrouble:
    # Edge raises plain Exceptions: their text is all there is.
    full = os.strerror(errno.ENOSPC) in str(error)
    return IndexTrouble(Trouble.DISK_FULL if full else otherwise, str(error), directory=str(directory))


def _os_trouble(error: OSError, directory: Path) -> IndexTrouble:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    trouble = Trouble.DISK_FULL if full else Trouble.UNREADABLE
    return IndexTrouble(trouble, str(error), directory=str(directory))
