"""One generation of the embedded index: Edge's rows and the journal that makes them durable.

A change is written to the journal, applied, and acknowledged after the journal is on disk. A document's new passages
come in parts that nobody sees until the commit; so neither a reader nor a crash ever meets half of a document.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recordroute_vector.domain import SparseVector
from recordroute_vector.index.files import Manifest, has_room, read_manifest, write_manifest
from recordroute_vector.index.frames import BuildIndex, IndexTrouble, OpenIndex, Trouble, os_trouble
from recordroute_vector.index.journal import Journal, Kind, Record, read_records
from recordroute_vector.index.port import (
    Candidate,
    Document,
    Facet,
    Filter,
    IndexedPassage,
    IndexQuery,
    IndexStats,
    StoredDocument,
)
from recordroute_vector.index.rows import Row, decode_rows, encode_rows
from recordroute_vector.index.shard import EdgeRows, create_rows

# Transfers stop the reads of their process for some milliseconds each.
SCROLL_ROWS = 256


@dataclass(frozen=True)
class Measure:
    """How worn a generation is. `erase_since` is when the oldest deleted text that is still on the disk was deleted,
    in seconds since 1970-01-01 UTC; None where there is none."""

    passages: int
    indexed: int
    journal_rows: int
    deleted: int
    erase_since: float | None


class Generation:
    """An open generation. One thread uses it, but `sync` may run in another."""

    def __init__(self, config: OpenIndex) -> None:
        """Opens it and brings back what the journal knows. Raises IndexTrouble."""
        self._path = config.path
        self._min_free_bytes = config.min_free_bytes
        self.manifest = read_manifest(config.path)
        self._rows = EdgeRows(config.path / "shard", token_vectors=self.manifest.token_vectors)
        self._begun: dict[str, int] = {}
        self._journal_rows = self._deleted = 0
        try:
            self._journal = Journal(config.path / "journal")
        except OSError as error:
            raise os_trouble(error, config.path) from error
        self._recover()

    def close(self) -> None:
        """Flushes the rows, so that the next opening has nothing to repeat."""
        if self._begun:
            self._rows.drop_versions(sorted(self._begun))
        self._rows.flush()
        self._rows.close()
        self._journal.truncate(0)
        self._journal.close()

    def sync(self) -> None:
        """Makes all changes so far durable. Raises IndexTrouble."""
        try:
            self._journal.sync()
        except OSError as error:
            raise os_trouble(error, self._path) from error

    def stage(self, version: str, document: Document, passages: Sequence[IndexedPassage]) -> None:
        """Takes some passages of a version that is not to be seen yet."""
        self._check_room()
        rows = self._with_vectors(document, version, passages)
        self._begun.setdefault(version, self._journal.position)
        self._rows.hidden.add(version)
        self._write(Record(Kind.PART, {"version": version}, encode_rows(rows)))
        self._journal_rows += len(rows)
        self._rows.put(rows)

    def commit(self, version: str, owner: str, document_id: str) -> None:
        """Puts a version in the place of what the document was; durable after `sync`."""
        record = Record(Kind.COMMIT, {"version": version, "owner": owner, "document": document_id})
        self._write(record)
        self._begun.pop(version, None)
        self._rows.hidden.discard(version)
        self._forget(owner, document_id, version)

    def abort(self, version: str) -> None:
        """Drops a version that was not committed."""
        if self._begun.pop(version, None) is not None:
            self._write(Record(Kind.ABORT, {"version": version}))
            self._rows.drop_versions([version])
            self._rows.hidden.discard(version)

    def delete(self, owner: str, document_id: str) -> int:
        """Deletes a document and returns how many passages it had; durable after `sync`."""
        count = self._rows.stats(owner, document_id).passage_count
        if count:
            self._write(Record(Kind.DELETE, {"owner": owner, "document": document_id}))
            self._forget(owner, document_id, None)
        return count

    def search_many(self, queries: Sequence[IndexQuery]) -> list[list[Candidate]]:
        return [self._rows.search(query) for query in queries]

    def document(self, owner: str, document_id: str, with_vectors: bool) -> StoredDocument | None:
        return self._rows.document(owner, document_id, with_vectors=with_vectors)

    def held_hashes(self, owner: str, document_id: str) -> set[str]:
        """Returns the content hashes of a document, whose vectors need not be sent."""
        stored = self._rows.document(owner, document_id, with_vectors=False)
        return set() if stored is None else {item.passage.content_hash for item in stored.passages} - {""}

    def facet(self, where: Filter, facet: Facet, limit: int) -> list[tuple[str, int]]:
        return self._rows.facet(where, facet, limit)

    def stats(self, owner: str, document_id: str | None) -> IndexStats:
        return self._rows.stats(owner, document_id)

    def measure(self) -> Measure:
        """Tells how worn the generation is."""
        mark = self._path / "erase"
        since = mark.stat().st_mtime if mark.exists() else None
        return Measure(*self._rows.counts(), self._journal_rows, self._deleted, since)

    def warm(self) -> None:
        """Searches once, so that the first who asks need not wait for files to be read."""
        vector = np.zeros(self.manifest.dimensions, np.float32)
        vector[0] = 1.0
        terms = SparseVector((0,), (1.0,))
        self._rows.search(IndexQuery(Filter(""), 10, dense=vector, lexical=terms))

    def begin_copy(self) -> tuple[int, int]:
        """Returns from where the journal must be repeated upon whatever is scrolled from now on, and its end."""
        return min([*self._begun.values(), self._journal.position]), self._journal.position

    def scroll(self, offset: str | None) -> tuple[bytes, int, str | None]:
        """Returns a block of rows, their number, and where to go on; None at the end."""
        rows, following = self._rows.scroll(offset, SCROLL_ROWS)
        return encode_rows(rows), len(rows), following

    def catch_up(self, journal: str, position: int) -> int:
        """Repeats here, durably, what another journal has from a position on. Returns where to go on: before the
        parts that had no commit yet."""
        changes, following = read_changes(Path(journal), position)
        for record in changes:
            self._write(record)
            self._apply(record)
        self.sync()
        return following

    def _recover(self) -> None:
        path, end, parts, ended = self._journal.path, 0, set(), set()
        for record, end in read_records(path):  # noqa: B007 # the last one is the end
            if record.kind is Kind.PART:
                parts.add(record.header["version"])
            elif record.kind in (Kind.COMMIT, Kind.ABORT):
                ended.add(record.header["version"])
        self._journal.truncate(end)
        if loose := sorted(parts - ended):
            self._rows.drop_versions(loose)
            for version in loose:
                self._write(Record(Kind.ABORT, {"version": version}))
        for record in read_changes(path, 0)[0]:
            self._apply(record)

    def _apply(self, record: Record) -> None:
        """Repeats a change that has its commit; done twice, it is as if done once."""
        header = record.header
        if record.kind is Kind.PART:
            rows = decode_rows(record.data)
            self._rows.hidden.add(header["version"])
            self._rows.put(rows)
            self._journal_rows += len(rows)
        elif record.kind is Kind.COMMIT:
            self._rows.hidden.discard(header["version"])
            self._forget(header["owner"], header["document"], header["version"])
        elif record.kind is Kind.DELETE:
            self._forget(header["owner"], header["document"], None)

    def _forget(self, owner: str, document_id: str, version: str | None) -> None:
        count = self._rows.keep_only(owner, document_id, version)
        mark = self._path / "erase"
        # Its time is that of the oldest deletion: later ones must not put it off.
        if count and not self._deleted and not mark.exists():
            mark.touch()
        self._deleted += count

    def _with_vectors(
        self, document: Document, version: str, passages: Sequence[IndexedPassage]
    ) -> list[Row]:
        held: dict[str, Row] | None = None
        rows = []
        for item in passages:
            dense, tokens = item.dense, item.tokens
            if dense is None:
                if held is None:
                    held = self._rows.vectors_by_hash(document.owner, document.id)
                row = held.get(item.passage.content_hash)
                if row is None:
                    raise IndexTrouble(
                        Trouble.VECTORS_MISSING, "a text is not held", passages=str(item.passage.index)
                    )
                dense, tokens = row.dense, row.tokens
            rows.append(Row(document, version, item.passage, dense, item.lexical, tokens))
        return rows

    def _write(self, record: Record) -> None:
        try:
            self._journal.append(record)
        except OSError as error:
            raise os_trouble(error, self._path) from error

    def _check_room(self) -> None:
        check_room(self._path, self._min_free_bytes)


class Builder:
    """A generation in the making: rows and changes come in, an optimised shard is left in its folder."""

    def __init__(self, config: BuildIndex) -> None:
        """Begins in a new folder. Raises IndexTrouble."""
        self._path = config.path
        self._min_free_bytes = config.min_free_bytes
        check_room(config.path.parent, config.min_free_bytes)
        shutil.rmtree(config.path, ignore_errors=True)
        create_rows(
            config.path / "shard",
            config.dimensions,
            token_vectors=config.token_vectors,
            graph_from=config.graph_from,
        )
        try:
            write_manifest(
                config.path,
                Manifest(config.model, config.dimensions, config.analyzer, config.token_vectors),
            )
        except OSError as error:
            raise os_trouble(error, config.path) from error
        self._rows = EdgeRows(config.path / "shard", token_vectors=config.token_vectors)

    def put(self, block: bytes) -> int:
        """Takes rows as `scroll` gave them, and returns how many."""
        check_room(self._path, self._min_free_bytes)
        try:
            rows = decode_rows(block)
        except ValueError as error:
            raise IndexTrouble(Trouble.BAD_SNAPSHOT, str(error)) from error
        self._rows.put(rows)
        return len(rows)

    def finish(self) -> None:
        """Optimises and leaves the folder whole."""
        self._rows.flush()
        self._rows.optimize()
        self._rows.flush()

    def sync(self) -> None:
        """Nothing to do: a draft is nothing before it is finished."""

    def close(self) -> None:
        self._rows.close()


def read_changes(journal: Path, position: int) -> tuple[list[Record], int]:
    """Returns the changes from a position on, each part just before its commit and none without, and where to go on
    for the rest."""
    parts: dict[str, list[Record]] = {}
    first: dict[str, int] = {}
    changes: list[Record] = []
    for record, end in read_records(journal, position):
        version = record.header.get("version", "")
        if record.kind is Kind.PART:
            parts.setdefault(version, []).append(record)
            first.setdefault(version, position)
        elif record.kind is Kind.COMMIT:
            changes += [*parts.pop(version, []), record]
            first.pop(version, None)
        elif record.kind is Kind.ABORT:
            parts.pop(version, None)
            first.pop(version, None)
        elif record.kind is Kind.DELETE:
            changes.append(record)
        position = end
    return changes, min([*first.values(), position])


def check_room(path: Path, min_free_bytes: int) -> None:
    """Raises IndexTrouble (DISK_FULL) where less is free: Edge writes through memory maps, and with the disk full
    the process would die by SIGBUS."""
    if not has_room(path, min_free_bytes):
        raise IndexTrouble(Trouble.DISK_FULL, f"less than {min_free_bytes} bytes free", directory=str(path))
