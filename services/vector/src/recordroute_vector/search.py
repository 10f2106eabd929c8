"""Finds passages: embeds the query, asks the index, fuses the scores, reranks, and cuts the snippets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from recordroute_runtime.inference import InferencePool

from recordroute_vector.duplicates import DuplicateFinder
from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import TextKind, Vectors
from recordroute_vector.fusion import RerankWeights, fuse, fuse_reranked
from recordroute_vector.index.port import Candidate, Filter, IndexQuery, PassageIndex
from recordroute_vector.lexical import LexicalEncoder, saturated
from recordroute_vector.query import ParsedQuery, parse
from recordroute_vector.rerank import LateInteraction, Reranker, Rerankers, RerankMethod
from recordroute_vector.result_cache import ResultCache
from recordroute_vector.snippets import (
    QueryWords,
    Snippet,
    TextRange,
    best_by_words,
    make_snippet,
    sentences,
)

# What each of the two searches gives. All pages come out of the same candidates: with more for a later page, scores
# would move, and passages be shown twice or never.
CANDIDATES = 200
# Passages that hold the words of a phrase need not hold the phrase: as many are read until enough do.
MAX_CHECKED = 3200
RERANKED = 30
RERANK_WEIGHTS = {
    RerankMethod.LATE_INTERACTION: RerankWeights(rerank=1.0, dense=0.5, lexical=0.25),
    # It read both texts together and knows best; the others decide between what it holds for equal.
    RerankMethod.CROSS_ENCODER: RerankWeights(rerank=1.0, dense=0.1, lexical=0.1),
}
# What repeats a result has nearly its score, and so stands nearby.
MIN_COMPARED = 50
# About one batch of the model: more would cost longer than the search itself.
MAX_COMPARED_SENTENCES = 16


class Mode(Enum):
    """By meaning, by words, or by both."""

    DENSE = "dense"
    LEXICAL = "lexical"
    HYBRID = "hybrid"


@dataclass(frozen=True)
class SearchRequest:
    """What to look for, where, and which part of the results is wanted.

    `rerank`: None means as the service is set. With `hits_per_document`, results are documents with their best
    passages, and `offset` and `limit` count documents.
    """

    text: str
    where: Filter
    mode: Mode = Mode.HYBRID
    rerank: RerankMethod | None = None
    offset: int = 0
    limit: int = 10
    hits_per_document: int = 0
    keep_duplicates: bool = False


@dataclass(frozen=True)
class Ranked:
    """A candidate with its place's reasons. `score` as in `Hit`; `duplicates` say the same in nearly the same
    words."""

    candidate: Candidate
    score: float
    rerank_score: float | None = None
    duplicates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A passage that was found.

    `score` ranks within one answer: the cosine in dense mode, the BM25 score in lexical mode, 0..1 in hybrid mode and
    after reranking. None of them is a probability. `rerank_score` is the reranker's own, None where it did not look.
    """

    ranked: Ranked
    snippet: Snippet

    @property
    def candidate(self) -> Candidate:
        return self.ranked.candidate

    @property
    def score(self) -> float:
        return self.ranked.score


@dataclass(frozen=True)
class HitGroup:
    """The best passages of one document, and how many of its passages were found."""

    hits: tuple[Hit, ...]
    found: int


@dataclass(frozen=True)
class SearchPage:
    """Results from `offset` on: one passage a group, or one document. `next_offset` is None on the last page."""

    groups: tuple[HitGroup, ...]
    next_offset: int | None
    rerank: RerankMethod
    rerank_model: str

    @property
    def hits(self) -> list[Hit]:
        return [hit for group in self.groups for hit in group.hits]


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
        rerankers: Rerankers,
        default_rerank: RerankMethod = RerankMethod.NONE,
        cache: ResultCache[SearchPage] | None = None,
    ) -> None:
        self._embedder = embedder
        self._lexical = lexical
        self._index = index
        self._pool = pool
        self._dense_weight = dense_weight
        self._rerankers = rerankers
        self._default_rerank = default_rerank
        self._cache = cache
        # A cache outlives its searchers, and what was found with another model is another result.
        self._identity = object()

    async def search(self, request: SearchRequest) -> SearchPage:
        """Returns a page of results, best first; equals in the order of their documents and places."""
        if self._cache is None:
            return await self._search(request)
        # Read before the search: what is kept under it can be newer than it says, never older.
        revision = await self._index.revision(request.where.owner)
        key = (request, self._identity)
        page = self._cache.get(request.where.owner, revision, key)
        if page is None:
            page = await self._search(request)
            size = _size_bytes(request) + _page_bytes(page)
            self._cache.put(request.where.owner, revision, key, page, size_bytes=size)
        return page

    async def _search(self, request: SearchRequest) -> SearchPage:
        query = parse(request.text)
        method = request.rerank or self._default_rerank
        reranker = None if method is RerankMethod.NONE else self._rerankers.get(method)
        vector = None
        # Words that only begin with something are no terms: such passages are found by the filter alone.
        if request.mode is not Mode.LEXICAL or query.prefixes:
            vector = (await self._embedder.embed([query.text], TextKind.QUERY))[0].vector
        tokens = None
        if isinstance(reranker, LateInteraction):
            tokens = await reranker.query_tokens(query.text)
        candidates = await self._candidates(request, query, vector, tokens)
        ranked, coverage = await self._pool.run(
            lambda _: self._rank(candidates, query, request.mode), wait=True
        )
        if reranker is not None:
            ranked = await self._rerank(ranked, query, reranker, tokens, coverage)
        groups, more = await self._pool.run(lambda _: _pick(ranked, request), wait=True)
        flat = [item for group, _ in groups for item in group]
        snippets = await self._snippets(
            [item.candidate for item in flat],
            QueryWords(query.text, query.prefixes),
            None if request.mode is Mode.LEXICAL else vector,
        )
        hits = iter([Hit(item, snippet) for item, snippet in zip(flat, snippets, strict=True)])
        return SearchPage(
            groups=tuple(HitGroup(tuple(next(hits) for _ in group), found) for group, found in groups),
            next_offset=request.offset + len(groups) if more else None,
            rerank=method,
            rerank_model=reranker.model if reranker is not None else "",
        )

    async def _candidates(
        self, request: SearchRequest, query: ParsedQuery, vector: Vectors | None, tokens: Vectors | None
    ) -> list[Candidate]:
        terms = None
        if request.mode is not Mode.DENSE or query.required_words:
            terms = self._lexical.encode_query(query.text)
        asked = IndexQuery(
            where=replace(request.where, required_words=query.required_words),
            limit=CANDIDATES,
            dense=vector,
            lexical=terms,
            tokens=tokens,
            model=self._embedder.encoder.model.id if vector is not None else "",
        )
        if terms is not None and not terms.ids and vector is None:
            return []
        while True:
            found = await self._index.search(asked)
            if not query.required_words:
                return found
            matching = await self._pool.run(
                lambda _, found=found: [  # type: ignore[misc]
                    candidate for candidate in found if query.matches(candidate.passage.text)
                ],
                wait=True,
            )
            if len(matching) >= CANDIDATES or len(found) < asked.limit or asked.limit >= MAX_CHECKED:
                return list(matching)
            asked = replace(asked, limit=asked.limit * 4)

    def _rank(
        self, candidates: Sequence[Candidate], query: ParsedQuery, mode: Mode
    ) -> tuple[list[Ranked], float]:
        """Returns the candidates in their order, and how much of the query its best passage by words has."""
        found = [
            replace(candidate, lexical_score=self._lexical_score(candidate, query))
            if query.prefixes
            else candidate
            for candidate in candidates
        ]
        coverage = 0.0
        if mode is Mode.DENSE:
            scores = [candidate.dense_score or 0.0 for candidate in found]
        else:
            best = max(found, key=lambda candidate: candidate.lexical_score or 0.0, default=None)
            if best is not None and best.lexical_score is not None:
                coverage = 1.0 if query.prefixes else self._lexical.coverage(query.text, best.passage.text)
            if mode is Mode.LEXICAL:
                found = [candidate for candidate in found if candidate.lexical_score is not None]
                scores = [candidate.lexical_score or 0.0 for candidate in found]
            else:
                scores = fuse(
                    [candidate.dense_score for candidate in found],
                    [candidate.lexical_score for candidate in found],
                    dense_weight=self._dense_weight,
                    coverage=coverage,
                )
        ranked = [Ranked(candidate, score) for candidate, score in zip(found, scores, strict=True)]
        return sorted(ranked, key=_order), coverage

    @staticmethod
    def _lexical_score(candidate: Candidate, query: ParsedQuery) -> float | None:
        """Adds to BM25 what a prefix is worth: as much as a term of inverse document frequency 1."""
        counts = query.prefix_counts(candidate.passage.text)
        score = (candidate.lexical_score or 0.0) + sum(saturated(count, 1.0) for count in counts)
        return score or None

    async def _rerank(
        self,
        ranked: Sequence[Ranked],
        query: ParsedQuery,
        reranker: Reranker,
        tokens: Vectors | None,
        coverage: float,
    ) -> list[Ranked]:
        """Ranks the best anew. The others stay below them, in their order."""
        head, tail = ranked[:RERANKED], ranked[RERANKED:]
        if not head:
            return []
        scores = await self._rerank_scores([item.candidate for item in head], query, reranker, tokens)
        fused = fuse_reranked(
            scores,
            [item.candidate.dense_score for item in head],
            [item.candidate.lexical_score for item in head],
            weights=RERANK_WEIGHTS[reranker.method],
            coverage=coverage,
        )
        again = [
            replace(item, score=score, rerank_score=own)
            for item, score, own in zip(head, fused, scores, strict=True)
        ]
        least = min(fused)
        top = max((item.score for item in tail), default=0.0)
        below = [replace(item, score=least * item.score / top if top > 0 else 0.0) for item in tail]
        return sorted(again, key=_order) + below

    @staticmethod
    async def _rerank_scores(
        candidates: Sequence[Candidate], query: ParsedQuery, reranker: Reranker, tokens: Vectors | None
    ) -> list[float]:
        texts = [candidate.passage.text for candidate in candidates]
        if tokens is None or not isinstance(reranker, LateInteraction):
            return await reranker.score(query.text, texts)
        stored = [candidate.late_score for candidate in candidates]
        if all(score is not None for score in stored):
            return [(score or 0.0) / max(1, len(tokens)) for score in stored]
        # Pooled and whole token vectors give different levels: one kind for all of them.
        return await reranker.score_tokens(tokens, texts)

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


def _size_bytes(request: SearchRequest) -> int:
    """Returns about how much memory a request takes: four bytes a character, and its objects."""
    where = request.where
    lists = (where.document_ids, where.tags, where.speakers, where.languages, where.kinds)
    return 1024 + 4 * len(request.text) + sum(64 + 4 * len(value) for values in lists for value in values)


def _page_bytes(page: SearchPage) -> int:
    size = 1024
    for hit in page.hits:
        size += 2048 + 4 * (len(hit.candidate.passage.text) + len(hit.snippet.text))
        size += sum(1024 + 4 * len(other.passage.text) for other in hit.ranked.duplicates)
    return size


def _order(ranked: Ranked) -> tuple[float, str, int]:
    return -ranked.score, ranked.candidate.document_id, ranked.candidate.passage.index


def _pick(ranked: Sequence[Ranked], request: SearchRequest) -> tuple[list[tuple[list[Ranked], int]], bool]:
    """Returns the groups of the page, each with the number of its passages that were found, and whether more
    follow."""
    end = request.offset + request.limit
    if request.keep_duplicates:
        unique = list(ranked)
    else:
        # Of documents all passages are counted; of single ones, only those of the page are looked at.
        unique = _without_duplicates(ranked, len(ranked) if request.hits_per_document else end + 1)
    if request.hits_per_document:
        documents: dict[str, list[Ranked]] = {}
        for item in unique:
            documents.setdefault(item.candidate.document_id, []).append(item)
        groups = [(items[: request.hits_per_document], len(items)) for items in documents.values()]
    else:
        groups = [([item], 1) for item in unique]
    return groups[request.offset : end], len(groups) > end


def _without_duplicates(ranked: Sequence[Ranked], enough: int) -> list[Ranked]:
    """Returns the first `enough` that repeat none before them, each with those after it that repeat it, as far as
    the ranking was read for that."""
    finder = DuplicateFinder()
    kept: list[Ranked] = []
    repeated: dict[int, list[Candidate]] = {}
    for place, item in enumerate(ranked):
        if len(kept) >= enough and place >= MIN_COMPARED:
            break
        first = finder.add(item.candidate.passage.text)
        if first is None:
            kept.append(item)
        else:
            repeated.setdefault(first, []).append(item.candidate)
    return [replace(item, duplicates=tuple(repeated.get(number, ()))) for number, item in enumerate(kept)]
