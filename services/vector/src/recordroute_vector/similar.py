"""Finds recordings that are like a recording, or like one passage of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from recordroute_runtime.errors import NotFound

from recordroute_vector.domain import Passage
from recordroute_vector.index.port import (
    Candidate,
    Document,
    Filter,
    IndexQuery,
    PassageIndex,
    StoredPassage,
    Vector,
)

# Passages of a long recording that are looked for, evenly over its length.
MAX_SOURCES = 32
CANDIDATES_PER_SOURCE = 50
MATCHES_PER_DOCUMENT = 3


@dataclass(frozen=True)
class PassageMatch:
    """Two passages that are alike; `score` is their cosine, -1..1."""

    source_index: int
    passage: Passage
    score: float


@dataclass(frozen=True)
class SimilarDocument:
    """A recording that is alike. `score`, 0..1, ranks within one answer; the best matches come first."""

    document: Document
    score: float
    matches: tuple[PassageMatch, ...]


async def find_similar(
    index: PassageIndex, where: Filter, document_id: str, passage_index: int | None, limit: int
) -> list[SimilarDocument]:
    """Returns the owner's other recordings that are most like a recording, or like its passage of that index.

    Each of the source's passages votes for its best match in every recording, by how far that stands out of what the
    passage finds at all; the score is the mean vote. One mean vector would say the same of a recording about two
    things as of one about what lies between them. Raises NotFound (DOCUMENT_NOT_FOUND, PASSAGE_NOT_FOUND).
    """
    stored = await index.document(where.owner, document_id, with_vectors=True)
    if stored is None:
        raise NotFound(
            "DOCUMENT_NOT_FOUND",
            f"the index holds no document {document_id}",
            metadata={"document_id": document_id},
        )
    if passage_index is not None and not 0 <= passage_index < len(stored.passages):
        raise NotFound(
            "PASSAGE_NOT_FOUND",
            f"document {document_id} has {len(stored.passages)} passages, and none of index {passage_index}",
            metadata={"document_id": document_id, "passage_index": str(passage_index)},
        )
    chosen = _spread(stored.passages) if passage_index is None else [stored.passages[passage_index]]
    sources = [(source.passage.index, source.dense) for source in chosen if source.dense is not None]
    others = replace(where, excluded_document_ids=(*where.excluded_document_ids, document_id))
    found = await index.search_many(
        [IndexQuery(others, CANDIDATES_PER_SOURCE, dense=vector) for _, vector in sources]
    )
    return _aggregate(sources, found)[:limit]


def _spread(passages: Sequence[StoredPassage]) -> list[StoredPassage]:
    if len(passages) <= MAX_SOURCES:
        return list(passages)
    return [passages[number * len(passages) // MAX_SOURCES] for number in range(MAX_SOURCES)]


def _aggregate(
    sources: Sequence[tuple[int, Vector]], found: Sequence[Sequence[Candidate]]
) -> list[SimilarDocument]:
    votes: defaultdict[str, float] = defaultdict(float)
    matches: defaultdict[str, list[PassageMatch]] = defaultdict(list)
    documents: dict[str, Document] = {}
    for (source_index, _), candidates in zip(sources, found, strict=True):
        best: dict[str, tuple[float, Candidate]] = {}
        for candidate in candidates:
            score = candidate.dense_score if candidate.dense_score is not None else -1.0
            if candidate.document_id not in best or score > best[candidate.document_id][0]:
                best[candidate.document_id] = (score, candidate)
        # Cosines crowd in a narrow band: below the worst that was found, nothing is known, and nothing counted.
        floor = min((score for score, _ in best.values()), default=0.0) if len(best) > 1 else -1.0
        for document_id, (score, candidate) in best.items():
            documents[document_id] = candidate.document
            votes[document_id] += max(0.0, score - floor) / max(1e-6, 1 - floor)
            matches[document_id].append(PassageMatch(source_index, candidate.passage, score))
    ranked = [
        SimilarDocument(
            document=documents[document_id],
            score=min(1.0, vote / len(sources)),
            matches=tuple(
                sorted(matches[document_id], key=lambda match: (-match.score, match.source_index))[
                    :MATCHES_PER_DOCUMENT
                ]
            ),
        )
        for document_id, vote in votes.items()
    ]
    return sorted(ranked, key=lambda similar: (-similar.score, similar.document.id))
