"""How well searches find: nDCG@10, MRR@10 and recall@100 of every mode, on labelled sets.

    python benchmarks/eval_search.py [--output benchmarks/results/search_quality.md] [--analysers]

Everything runs as it does in the service: the real model, the embedded index, the Searcher. The sets are those of
benchmarks/data/search (see its README): Korean, English, queries in the other language, and passages with recognition
errors. `dense_weight` was chosen on the queries of even rank, and the table reports those of odd rank; the weights of
reranking were seen on both halves. `--analysers` compares ways to make words into terms as well; it needs kiwipiepy
beside our own packages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import platform
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from recordroute_runtime.inference import InferencePool
from recordroute_runtime.models import find_model
from recordroute_runtime.settings import CommonSettings, load_settings
from recordroute_vector.batcher import Batcher
from recordroute_vector.domain import Passage
from recordroute_vector.embedder import Embedder
from recordroute_vector.encoder import Encoder, TextKind
from recordroute_vector.fusion import fuse
from recordroute_vector.index.edge import EdgeIndex, EmbeddedConfig
from recordroute_vector.index.port import Document, Filter, IndexedPassage
from recordroute_vector.lexical import ANALYZER, LexicalEncoder, terms, words
from recordroute_vector.rerank import LateInteraction, Rerankers, RerankMethod
from recordroute_vector.search import Mode, Searcher, SearchRequest
from recordroute_vector.settings import VectorSettings

DATA = Path(__file__).parent / "data" / "search"
OWNER = "eval"
# Timing needs no more queries than this leaves.
TIMED_EVERY = 6
MODES = {
    "lexical": (Mode.LEXICAL, RerankMethod.NONE),
    "dense": (Mode.DENSE, RerankMethod.NONE),
    "hybrid": (Mode.HYBRID, RerankMethod.NONE),
    "hybrid + rerank": (Mode.HYBRID, RerankMethod.LATE_INTERACTION),
}
MEASURES = ("nDCG@10", "MRR@10", "recall@100")
Ranking = Sequence[str]
Labels = Mapping[str, int]


def ndcg(ranking: Ranking, relevant: Labels, depth: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gains (Järvelin and Kekäläinen, 2002), as trec_eval's
    ndcg_cut."""
    gained = sum(relevant.get(item, 0) / math.log2(place + 2) for place, item in enumerate(ranking[:depth]))
    best = sorted(relevant.values(), reverse=True)[:depth]
    return gained / sum(gain / math.log2(place + 2) for place, gain in enumerate(best))


def reciprocal_rank(ranking: Ranking, relevant: Labels, depth: int = 10) -> float:
    """One over the place of the first relevant item; 0 where none is among the first `depth`."""
    places = [place for place, item in enumerate(ranking[:depth], 1) if relevant.get(item, 0) > 0]
    return 1 / places[0] if places else 0.0


def recall(ranking: Ranking, relevant: Labels, depth: int = 100) -> float:
    """Which part of the relevant items is among the first `depth`."""
    wanted = {item for item, gain in relevant.items() if gain > 0}
    return len(wanted.intersection(ranking[:depth])) / len(wanted)


@dataclass(frozen=True)
class Query:
    id: str
    style: str
    text: str
    relevant: Labels


@dataclass(frozen=True)
class LabelledSet:
    name: str
    passages: Mapping[str, str]
    queries: Sequence[Query]


def read_jsonl(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def load_set(name: str, passage_language: str, query_language: str, word_errors: float = 0.0) -> LabelledSet:
    """Reads the passages of one language and the queries about them in another; `word_errors` of the words are
    misrecognised."""
    passages = {
        str(row["id"]): str(row[passage_language])
        for row in read_jsonl("passages.jsonl")
        if passage_language in row
    }
    if word_errors:
        passages = {key: misrecognised(text, word_errors, key) for key, text in passages.items()}
    queries = [
        Query(str(row["id"]), str(row["style"]), str(row[query_language]), row["relevant"])  # type: ignore[arg-type]
        for row in read_jsonl("queries.jsonl")
        if set(row["relevant"]) <= passages.keys()  # type: ignore[call-overload]
    ]
    return LabelledSet(name, passages, queries)


def misrecognised(text: str, rate: float, seed: str) -> str:
    """Returns the text with about `rate` of its words wrong, the same for the same seed: of those a quarter is left
    out, a tenth said twice, and the others have one sound wrong (a jamo of a Hangul syllable, a letter)."""
    chance = random.Random(seed)
    heard: list[str] = []
    for word in text.split():
        if chance.random() >= rate:
            heard.append(word)
            continue
        kind = chance.random()
        if kind < 0.25:
            continue
        if kind < 0.35:
            heard += [word, word]
            continue
        place = chance.randrange(len(word))
        heard.append(word[:place] + _misheard(word[place], chance) + word[place + 1 :])
    return " ".join(heard) or text


def _misheard(sign: str, chance: random.Random) -> str:
    if "가" <= sign <= "힣":
        number = ord(sign) - ord("가")
        parts = [number // 588, number % 588 // 28, number % 28]
        part = chance.choices((0, 1, 2), (2, 2, 1))[0]
        parts[part] = chance.randrange((19, 21, 28)[part])
        return chr(ord("가") + parts[0] * 588 + parts[1] * 28 + parts[2])
    return chance.choice("aeiostrnl") if sign.isalpha() else sign


def word_error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    """Edits over words said."""
    edits = words_said = 0
    for before, after in zip(said, heard, strict=True):
        left, right = before.split(), after.split()
        row = list(range(len(right) + 1))
        for place, word in enumerate(left, 1):
            row, above = [place], row
            for other, candidate in enumerate(right, 1):
                row.append(min(above[other] + 1, row[-1] + 1, above[other - 1] + (word != candidate)))
        edits += row[-1]
        words_said += len(left)
    return edits / words_said


class RememberingEmbedder(Embedder):
    """Embeds every text once: the same passages are reranked for query after query."""

    def __init__(self, embedder: Embedder) -> None:
        self.__dict__.update(embedder.__dict__)
        self._known: dict[tuple[str, str, TextKind, int], Any] = {}

    async def embed(self, texts: Sequence[Any], kind: TextKind, *options: Any, **more: Any) -> list[Any]:
        return await self._remember("text", texts, kind, 0, super().embed)

    async def embed_tokens(self, texts: Sequence[str], kind: TextKind, pool: int = 3) -> list[Any]:
        return await self._remember("tokens", texts, kind, pool, partial(super().embed_tokens, pool=pool))

    async def _remember(
        self, what: str, texts: Sequence[str], kind: TextKind, pool: int, embed: Any
    ) -> list[Any]:
        missing = [text for text in dict.fromkeys(texts) if (what, text, kind, pool) not in self._known]
        if missing:
            for text, value in zip(missing, await embed(missing, kind), strict=True):
                self._known[what, text, kind, pool] = value
        return [self._known[what, text, kind, pool] for text in texts]


class System:
    """The service's parts over an index of one labelled set."""

    def __init__(self, embedder: Embedder, pool: InferencePool, settings: VectorSettings) -> None:
        self.embedder = embedder
        self.pool = pool
        self.settings = settings
        self.lexical = LexicalEncoder(average_length=settings.passage_tokens)

    async def open(self, labelled: LabelledSet, directory: Path, *, token_vectors: bool) -> None:
        encoder = self.embedder.encoder
        self.index = EdgeIndex(
            EmbeddedConfig(
                directory,
                encoder.model.id,
                encoder.dimensions,
                0,
                analyzer=ANALYZER,
                token_vectors=token_vectors,
            )
        )
        await self.index.open()
        texts = list(labelled.passages.values())
        vectors = [item.vector for item in await self.embedder.embed(texts, TextKind.PASSAGE)]
        tokens = (
            await self.embedder.embed_tokens(texts, TextKind.PASSAGE, pool=3)
            if token_vectors
            else [None] * len(texts)
        )
        indexed = [
            IndexedPassage(Passage(number, text, number * 10.0, number * 10.0 + 10.0, 0, 0), *rest)
            for number, (text, *rest) in enumerate(
                zip(texts, vectors, self.lexical.encode_passages(texts), tokens, strict=True)
            )
        ]
        await self.index.upsert(Document(OWNER, labelled.name, "", 0.0), indexed)
        self.ids = list(labelled.passages)
        rerankers = Rerankers(LateInteraction(self.embedder))
        self.searcher = Searcher(
            self.embedder,
            self.lexical,
            self.index,
            self.pool,
            dense_weight=self.settings.dense_weight,
            rerankers=rerankers,
        )

    async def rank(self, query: str, mode: Mode, rerank: RerankMethod) -> list[str]:
        page = await self.searcher.search(
            SearchRequest(query, Filter(OWNER), mode, rerank, limit=100, keep_duplicates=True)
        )
        return [self.ids[hit.candidate.passage.index] for hit in page.hits]


async def evaluate(system: System, queries: Sequence[Query]) -> dict[str, list[list[float]]]:
    """Returns the measures of every query, by mode."""
    results: dict[str, list[list[float]]] = {name: [] for name in MODES}
    for query in queries:
        for name, (mode, rerank) in MODES.items():
            ranking = await system.rank(query.text, mode, rerank)
            results[name].append(
                [measure(ranking, query.relevant) for measure in (ndcg, reciprocal_rank, recall)]
            )
    return results


def analysers(encoder: Encoder) -> dict[str, Callable[[str], list[str]]]:
    """The ways to make terms that were compared."""
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=1)
    kept = ("NNG", "NNP", "NP", "NR", "SN", "VV", "VA", "XR", "MAG", "SL")

    def bigrams(text: str) -> list[str]:
        return [term for word in words(text) for term in terms(word)]

    return {
        "white-space words": words,
        "subwords of the embedding model": lambda text: [
            str(number) for number in encoder.tokenizer.word_pieces([text.lower()])[0]
        ],
        "kiwipiepy morphemes, English as it is": lambda text: [
            token.form.lower() for token in kiwi.tokenize(text) if token.tag.split("-")[0] in kept
        ],
        "syllable bigrams and English stems (ours)": bigrams,
    }


def bm25(passages: Sequence[Counter[str]], query: Sequence[str]) -> np.ndarray:
    """Returns the scores of all passages (Robertson and Zaragoza, 2009), the same k1 and b as in the service."""
    lengths = np.array([counts.total() for counts in passages], float)
    norm = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
    scores = np.zeros(len(passages))
    for term in set(query):
        frequencies = np.array([counts[term] for counts in passages], float)
        found = np.count_nonzero(frequencies)
        rarity = math.log(1 + (len(passages) - found + 0.5) / (found + 0.5))
        scores += rarity * frequencies * 2.2 / (frequencies + norm)
    return scores


def compare_analysers(encoder: Encoder, sets: Sequence[LabelledSet], dense_weight: float) -> list[str]:
    """Ranks all passages by each analyser's terms, alone and fused as the service does."""
    lines = ["| analyser | " + " | ".join(item.name for item in sets) + " |", "|---" * (len(sets) + 1) + "|"]
    cosines = []
    for labelled in sets:
        passages = encoder.embed(list(labelled.passages.values()), TextKind.PASSAGE)
        queries = encoder.embed([query.text for query in labelled.queries], TextKind.QUERY)
        cosines.append(
            np.stack([item.vector for item in queries]) @ np.stack([item.vector for item in passages]).T
        )
    for name, analyse in analysers(encoder).items():
        cells = []
        for labelled, similarity in zip(sets, cosines, strict=True):
            ids = list(labelled.passages)
            counted = [Counter(analyse(text)) for text in labelled.passages.values()]
            alone, fused = [], []
            for query, dense in zip(labelled.queries, similarity, strict=True):
                wanted = analyse(query.text)
                scores = bm25(counted, wanted)
                order = [ids[place] for place in np.argsort(-scores, kind="stable") if scores[place] > 0]
                alone.append(ndcg(order, query.relevant))
                best = counted[int(scores.argmax())]
                coverage = sum(term in best for term in set(wanted)) / max(1, len(set(wanted)))
                mixed = fuse(list(dense), list(scores), dense_weight=dense_weight, coverage=coverage)
                places = np.argsort(-np.array(mixed), kind="stable")
                fused.append(ndcg([ids[place] for place in places], query.relevant))
            cells.append(f"{np.mean(alone):.3f} / {np.mean(fused):.3f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


async def run(arguments: argparse.Namespace) -> str:
    settings = VectorSettings()
    encoder = Encoder(find_model(load_settings(CommonSettings).models_dir, settings.model))
    model_pool, text_pool = InferencePool("embedding", 1), InferencePool("text", 1)
    batcher = Batcher(encoder, model_pool, workers=1, window_seconds=0.0, max_queued_tokens=1 << 24)
    embedder = Embedder(encoder, batcher, text_pool, max_request_tokens=1 << 24)
    sets = [
        load_set("Korean", "ko", "ko"),
        load_set("English", "en", "en"),
        load_set("Korean → English", "en", "ko"),
        load_set("English → Korean", "ko", "en"),
        load_set("Korean, 10 % errors", "ko", "ko", 0.1),
        load_set("Korean, 20 % errors", "ko", "ko", 0.2),
        load_set("English, 20 % errors", "en", "en", 0.2),
    ]
    clean = {"ko": sets[0], "en": sets[1]}
    table = [
        "| set | passages | queries | mode | " + " | ".join(MEASURES) + " | nDCG@10, tuning half |",
        "|---" * 8 + "|",
    ]
    checks = [
        "| set | better single mode | hybrid | hybrid − single | rerank − hybrid | the same, all queries | goal |",
        "|---" * 7 + "|",
    ]
    styles: list[str] = []
    timing: list[str] = []
    for labelled in sets:
        folder = Path(tempfile.mkdtemp())
        system = System(RememberingEmbedder(embedder), text_pool, settings)
        try:
            await system.open(labelled, folder / "index", token_vectors=False)
            results = await evaluate(system, labelled.queries)
            if labelled.name == "Korean":
                timing = await measure_rerank(embedder, text_pool, settings, labelled)
        finally:
            await system.index.close()
            shutil.rmtree(folder)
        means: dict[str, float] = {}
        for number, (mode, values) in enumerate(results.items()):
            tuned, held_out = np.array(values)[::2], np.array(values)[1::2]
            means[mode] = float(held_out.mean(axis=0)[0])
            first = (
                f"{labelled.name} | {len(labelled.passages)} | {len(held_out)}" if number == 0 else " | | "
            )
            cells = " | ".join(f"{value:.3f}" for value in held_out.mean(axis=0))
            table.append(f"| {first} | {mode} | {cells} | {tuned.mean(axis=0)[0]:.3f} |")
        single = max(("dense", "lexical"), key=means.__getitem__)
        fused = means["hybrid"] - means[single]
        gained = means["hybrid + rerank"] - means["hybrid"]
        everywhere = {mode: float(np.array(values).mean(axis=0)[0]) for mode, values in results.items()}
        met = fused >= -0.01 and ("→" not in labelled.name or gained >= 0.03)
        checks.append(
            f"| {labelled.name} | {single} {means[single]:.3f} | {means['hybrid']:.3f} | {fused:+.3f} | {gained:+.3f} "
            f"| {everywhere['hybrid + rerank'] - everywhere['hybrid']:+.3f} | {'met' if met else 'missed'} |"
        )
        if labelled in clean.values():
            for style in ("keywords", "question", "paraphrase"):
                own = [number for number, query in enumerate(labelled.queries) if query.style == style]
                cells = " | ".join(f"{np.array(results[mode])[own].mean(axis=0)[0]:.3f}" for mode in MODES)
                styles.append(f"| {labelled.name} | {style} | {len(own)} | {cells} |")
    noisy = [
        f"{item.name}: {word_error_rate(list(clean[language].passages.values()), list(item.passages.values())):.1%}"
        for item, language in ((sets[4], "ko"), (sets[5], "ko"), (sets[6], "en"))
    ]
    compared = (
        compare_analysers(encoder, [sets[0], sets[5], sets[1]], settings.dense_weight)
        if arguments.analysers
        else []
    )
    await model_pool.close()
    await text_pool.close()
    return report(settings, table, checks, styles, noisy, timing, compared)


async def measure_rerank(
    embedder: Embedder, pool: InferencePool, settings: VectorSettings, labelled: LabelledSet
) -> list[str]:
    """CPU time of reranking 30 passages, by token vectors made at the query and by stored ones, taking turns."""
    folder = Path(tempfile.mkdtemp())
    made, stored = (System(embedder, pool, settings) for _ in range(2))
    variants = {
        "none": (made, RerankMethod.NONE),
        "made at the query": (made, RerankMethod.LATE_INTERACTION),
        "stored": (stored, RerankMethod.LATE_INTERACTION),
    }
    try:
        await made.open(labelled, folder / "made", token_vectors=False)
        await stored.open(labelled, folder / "stored", token_vectors=True)
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        quality: dict[str, list[float]] = {name: [] for name in variants}
        for query in labelled.queries[1::TIMED_EVERY]:
            for name, (system, rerank) in variants.items():
                began = time.process_time()
                ranking = await system.rank(query.text, Mode.HYBRID, rerank)
                seconds[name].append(time.process_time() - began)
                quality[name].append(ndcg(ranking, query.relevant))
        base = float(np.median(seconds["none"]))
        return [
            f"| {name} | {np.median(seconds[name]) / base:.1f} | {np.mean(quality[name]):.3f} ({len(quality[name])}) |"
            for name in variants
        ]
    finally:
        await made.index.close()
        await stored.index.close()
        shutil.rmtree(folder)


def report(settings: VectorSettings, *parts: list[str]) -> str:
    table, checks, styles, noisy, timing, compared = parts
    lines = [
        "# Quality of search",
        "",
        "`python benchmarks/eval_search.py --analysers`",
        "",
        f"Model {settings.model}, dense weight {settings.dense_weight}, analyser `{ANALYZER}`, late interaction over "
        f"the best 30; qdrant-edge-py {version('qdrant-edge-py')}, onnxruntime {version('onnxruntime')}, PyStemmer "
        f"{version('pystemmer')}, Python {platform.python_version()}. The figures do not depend on the machine.",
        "",
        "`dense_weight` was chosen on the queries of even rank (last column), and the weights of reranking were seen "
        "on both halves; all other columns are of the queries of odd rank.",
        "",
        *table,
        "",
        "## Against the goals",
        "",
        "Hybrid must not be more than 0.01 below the better single mode; reranking must add 0.03 across languages.",
        "",
        *checks,
        "",
        "## By the kind of query (nDCG@10, all queries)",
        "",
        "| set | kind | queries | " + " | ".join(MODES) + " |",
        "|---" * 7 + "|",
        *styles,
        "",
        "Word error rates of the passages with errors: " + "; ".join(noisy) + ".",
        "",
        "## Token vectors made at the query, or stored (Korean, a part of the queries)",
        "",
        "| token vectors | CPU time, times a hybrid search without | nDCG@10 (queries) |",
        "|---|---|---|",
        *timing,
        "",
        "The CPU time is that of the service's process; the index's worker process is not in it. A stored vector is",
        "the mean of 3 tokens in float16: 256 bytes a token, 49 KB for a passage of 192 tokens, 49 GB for a million of",
        "them, which is why they are not stored by default.",
    ]
    if compared:
        lines += ["", "## Analysers (nDCG@10 of BM25 alone / fused with dense, all queries)", "", *compared]
    lines += [
        "",
        "## Sources, and what these figures do not say",
        "",
        "All passages and queries are our own, written by hand (benchmarks/data/search, Apache-2.0). Cranfield was",
        "looked for in some packages of the registries and not found; nothing here compares with published figures.",
        "The measures agree with trec_eval's to the last digit (pytrec-eval-terrier, on random rankings).",
        "",
        "- One author wrote passages and queries, and mostly one passage counts as relevant. Differences below 0.02",
        "  are noise at this size.",
        "- Passages are about 20 tokens long, those of real recordings about 150.",
        "- Keyword and question queries are solved by every mode; only paraphrases tell the modes apart, and there",
        "  words alone find little.",
        "- Reranking gains less than the noise within one language; it pays across languages.",
        "- The errors are made up: they hit sounds at random, where a recogniser prefers real words.",
        "- No cross-encoder was measured: there was no real one to measure, only a made-up one in the tests.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--analysers", action="store_true")
    arguments = parser.parse_args()
    text = asyncio.run(run(arguments))
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
