"""Finds passages: embeds the query, asks the index, fuses the scores and cuts the snippets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from recordroute_runtime.inference import InferencePool

from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import TextKind, Vectors
from recordroute_vector.fusion import fuse
from recordroute_vector.index.port import Candidate, IndexQuery, PassageIndex
from recordroute_vector.lexical import LexicalEncoder
from recordroute_vector.snippets import (
    QueryWords,
    Snippet,
    TextRange,
    best_by_words,
    make_snippet,
    sentences,
)

# Fusion ranks what either search has among its best: deep enough that the fused best are in it.
MIN_CANDIDATES = 100
# About one batch of the model: more would cost longer than the search itself.
MAX_COMPARED_SENTENCES = 16


class Mode(Enum):
    """By meaning, by words, or by both."""

    DENSE = "dense"
    LEXICAL = "lexical"
    HYBRID = "hybrid"


@dataclass(frozen=True)
class SearchScope:
    """Where to look: one owner's documents, these or all; recorded in [from, before), seconds since 1970 UTC."""

    owner: str
    document_ids: tuple[str, ...] = ()
    recorded_from: float | None = None
    recorded_before: float | None = None


@dataclass(frozen=True)
class Hit:
    """A passage that was found. `score` ranks within one answer: the cosine in dense mode, the BM25 score in lexical
    mode, 0..1 in hybrid mode."""

    candidate: Candidate
    score: float
    snippet: Snippet


class Searcher:
    """Searches one index with one model."""

    def __init__(
        self,
        embedder: Embedder,
        lexical: LexicalEncoder,
        index: PassageIndex,
        pool: InferencePool,
        *,
        dense_weight: float,
    ) -> None:
        self._embedder = embedder
        self._lexical = lexical
        self._index = index
        self._pool = pool
        self._dense_weight = dense_weight

    async def search(self, text: str, scope: SearchScope, mode: Mode, limit: int) -> list[Hit]:
        """Returns at most `limit` passages, best first; equals in the order of their documents and places."""
        vector = None
        if mode is not Mode.LEXICAL:
            vector = (await self._embedder.embed([text], TextKind.QUERY))[0].vector
        terms = None
        if mode is not Mode.DENSE:
            terms = await self._pool.run(lambda _: self._lexical.encode_query(text), wait=True)
        candidates = await self._index.search(
            IndexQuery(
                owner=scope.owner,
                limit=max(limit, MIN_CANDIDATES) if mode is Mode.HYBRID else limit,
                dense=vector,
                lexical=terms,
                document_ids=scope.document_ids,
                recorded_from=scope.recorded_from,
                recorded_before=scope.recorded_before,
            )
        )
        ranked = sorted(
            zip(self._scores(candidates, mode), candidates, strict=True),
            key=lambda pair: (-pair[0], pair[1].document_id, pair[1].passage.index),
        )[:limit]
        snippets = await self._snippets([candidate for _, candidate in ranked], QueryWords(text), vector)
        return [
            Hit(candidate, score, snippet)
            for (score, candidate), snippet in zip(ranked, snippets, strict=True)
        ]

    def _scores(self, candidates: Sequence[Candidate], mode: Mode) -> list[float]:
        dense = [candidate.dense_score for candidate in candidates]
        lexical = [candidate.lexical_score for candidate in candidates]
        if mode is Mode.HYBRID:
            return fuse(dense, lexical, dense_weight=self._dense_weight)
        return [score or 0.0 for score in (dense if mode is Mode.DENSE else lexical)]

    async def _snippets(
        self, candidates: Sequence[Candidate], words: QueryWords, vector: Vectors | None
    ) -> list[Snippet]:
        """Chooses by words where there are any, and by meaning where the best passages say it in others; the rest
        show how they begin."""
        choices = [sentences(candidate.passage) for candidate in candidates]
        best = [
            best_by_words(candidate.passage.text, spans, words)
            for candidate, spans in zip(candidates, choices, strict=True)
        ]
        if vector is not None:
            unclear = []
            room = MAX_COMPARED_SENTENCES
            for number, span in enumerate(best):
                if span is None and 1 < len(choices[number]) <= room:
                    room -= len(choices[number])
                    unclear.append(number)
            chosen = await self._best_by_meaning(
                [candidates[number].passage.text for number in unclear],
                [choices[number] for number in unclear],
                vector,
            )
            for number, span in zip(unclear, chosen, strict=True):
                best[number] = span
        return [
            make_snippet(
                candidate.passage, span or (spans or [TextRange(0, len(candidate.passage.text))])[0], words
            )
            for candidate, spans, span in zip(candidates, choices, best, strict=True)
        ]

    async def _best_by_meaning(
        self, texts: Sequence[str], choices: Sequence[Sequence[TextRange]], vector: Vectors
    ) -> list[TextRange]:
        flat = [
            text[span.start : span.end] for text, spans in zip(texts, choices, strict=True) for span in spans
        ]
        if not flat:
            return []
        scores = [
            float(np.dot(embedding.vector, vector))
            # The models that know two kinds of text want "query" at both sides where like is compared with like: as
            # short as a question, and in another language, a sentence is missed as a "passage".
            for embedding in await self._embedder.embed(flat, TextKind.QUERY)
        ]
        best = []
        for spans in choices:
            own, scores = scores[: len(spans)], scores[len(spans) :]
            best.append(spans[int(np.argmax(own))])
        return best
