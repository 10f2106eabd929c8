"""How the embedded index does at scale, beside numpy comparing all vectors, in one run.

    python benchmarks/index_scale.py [--points 20000] [--output benchmarks/results/index_scale.md]

Vectors are made up: 384 dimensions, in clusters, as those of an embedding model are. Searches are measured as the
service sees them (through the worker process) and in the engine alone; both, and numpy, take turns with the same
queries. A part of the passages is written while searches run, so that the graph is built beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from recordroute_vector.domain import Passage, SparseVector
from recordroute_vector.index.edge import EdgeIndex, EmbeddedConfig
from recordroute_vector.index.port import Activity, Document, Filter, IndexedPassage, IndexQuery
from recordroute_vector.index.shard import EdgeRows

DIMENSIONS, CLUSTERS, PASSAGES_PER_DOCUMENT, LIMIT = 384, 400, 50, 10
NARROW, WIDE = 0.006, 0.2
CONTROL_SECONDS = 10
WORDS = (
    "record",
    "route",
    "search",
    "index",
    "meeting",
    "minutes",
    "server",
    "budget",
    "plan",
    "review",
    "market",
)


@dataclass
class Data:
    vectors: np.ndarray
    queries: np.ndarray
    narrow: np.ndarray
    wide: np.ndarray
    terms: list[SparseVector] = field(default_factory=list)


def make_data(points: int, queries: int) -> Data:
    random = np.random.default_rng(0)
    centres = random.standard_normal((CLUSTERS, DIMENSIONS)).astype(np.float32)

    def some(count: int) -> np.ndarray:
        vectors = centres[random.integers(0, CLUSTERS, count)]
        vectors += 0.9 * random.standard_normal((count, DIMENSIONS), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    documents = -(-points // PASSAGES_PER_DOCUMENT)
    chance = random.random(documents)
    narrow = np.repeat(chance < NARROW, PASSAGES_PER_DOCUMENT)[:points]
    wide = np.repeat(chance >= 1 - WIDE, PASSAGES_PER_DOCUMENT)[:points]
    return Data(some(points), some(queries), narrow, wide)


def document_of(number: int, data: Data) -> tuple[Document, list[IndexedPassage]]:
    first = number * PASSAGES_PER_DOCUMENT
    last = min(first + PASSAGES_PER_DOCUMENT, len(data.vectors))
    random = np.random.default_rng(number)
    # Word frequencies fall as in a language (Zipf).
    terms = random.zipf(1.3, (last - first, 60)) % 50_000
    passages = []
    for index, place in enumerate(range(first, last)):
        ids = np.unique(terms[index])
        text = " ".join(WORDS[term % len(WORDS)] for term in terms[index])
        passages.append(
            IndexedPassage(
                Passage(index, text, index * 20.0, index * 20.0 + 20, index, index, ("Kim", "Lee")),
                data.vectors[place],
                SparseVector(tuple(ids.tolist()), (1.0,) * len(ids)),
            )
        )
    tags = [name for name, mask in (("narrow", data.narrow), ("wide", data.wide)) if mask[first]]
    return Document("me", f"d{number}", "en", float(number), tags=tuple(tags)), passages


def milliseconds(seconds: Sequence[float]) -> str:
    return f"{np.percentile(seconds, 50) * 1e3:.2f} / {np.percentile(seconds, 99) * 1e3:.2f}"


class Report:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str = "") -> None:
        print(line, flush=True)
        self.lines.append(line)


def exact(vectors: np.ndarray, places: np.ndarray | None, query: np.ndarray) -> np.ndarray:
    """Compares the query with all vectors of the places, and returns the best places."""
    scores = (vectors if places is None else vectors[places]) @ query
    best = np.argpartition(-scores, LIMIT)[:LIMIT]
    return best if places is None else places[best]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    points = options.points
    report = Report()
    data = make_data(points, options.queries)
    folder = Path(tempfile.mkdtemp(prefix="index-scale-"))
    config = EmbeddedConfig(folder / "index", "made-up", DIMENSIONS, 0, graph_from=min(20_000, points))
    index = EdgeIndex(config)
    await index.open()
    try:
        await measure(index, config, data, report, points)
    finally:
        await index.close()
        shutil.rmtree(folder, ignore_errors=True)
    if options.output:
        with options.output.open("a") as file:
            file.write("\n".join(report.lines) + "\n\n")


async def measure(index: EdgeIndex, config: EmbeddedConfig, data: Data, report: Report, points: int) -> None:
    report.add(f"## {points:,} passages")
    report.add()
    report.add(
        f"`python benchmarks/{Path(__file__).name} {' '.join(sys.argv[1:])}`; {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}, numpy {version('numpy')}, "
        f"qdrant-edge-py {version('qdrant-edge-py')}, load {os.getloadavg()[0]:.1f} at the start"
    )
    report.add()
    documents = -(-points // PASSAGES_PER_DOCUMENT)
    ready = [document_of(number, data) for number in range(min(documents, 100))]
    written = 0.0
    for number in range(documents):
        document, passages = ready[number] if number < len(ready) else document_of(number, data)
        start = time.perf_counter()
        await index.upsert(document, passages)
        written += time.perf_counter() - start
    report.add(
        f"- Ingest, acknowledged, one document of {PASSAGES_PER_DOCUMENT} after the other: "
        f"**{points / written:,.0f} passages/s** (with optimisation beside it)"
    )
    await settle(index)
    for name, work in (
        (f"{CONTROL_SECONDS} s of nothing else, for comparison", asyncio.sleep(CONTROL_SECONDS)),
        ("the whole index is optimised", index.optimize()),
    ):
        slow = await beside(work, index, data)
        report.add(
            f"- While {name} ({slow.seconds:.1f} s), {len(slow.searches)} searches and {len(slow.writes)} writes "
            f"of a document: search p50 / p99 {milliseconds(slow.searches)}, worst "
            f"**{max(slow.searches) * 1e3:.1f} ms**, {sum(each > 0.05 for each in slow.searches)} over 50 ms; "
            f"write {milliseconds(slow.writes)}, worst {max(slow.writes) * 1e3:.1f} ms"
        )
    state = await index.state()
    report.add(f"- Then {state.indexed_count:,} of {state.passage_count:,} passages are in the graph")
    worker = psutil.Process(index.worker_pid)
    report.add(
        f"- Memory of the worker: {worker.memory_info().rss / 2**20:,.0f} MiB, of which "
        f"{worker.memory_full_info().uss / 2**20:,.0f} MiB its own (the rest is the page cache of its files)"
    )
    size = sum(path.stat().st_blocks * 512 for path in config.directory.rglob("*") if path.is_file())
    report.add(f"- Disk: {size / 2**20:,.0f} MiB ({size / points:,.0f} bytes a passage)")
    start = time.perf_counter()
    await index.close()
    closed = time.perf_counter()
    await index.open()
    report.add(f"- Close {closed - start:.2f} s, reopen {time.perf_counter() - closed:.2f} s")
    await compare(index, data, report)


@dataclass
class Slow:
    seconds: float
    searches: list[float]
    writes: list[float]


async def settle(index: EdgeIndex) -> None:
    while (await index.state()).activity is not Activity.IDLE:  # noqa: ASYNC110 # another process ends it
        await asyncio.sleep(0.2)


async def beside(job: Coroutine[Any, Any, object], index: EdgeIndex, data: Data) -> Slow:
    start = time.perf_counter()
    work = asyncio.create_task(job)
    slow = Slow(0.0, [], [])
    number = 0
    while not work.done():
        number += 1
        query = IndexQuery(Filter("me"), LIMIT, dense=data.queries[number % len(data.queries)])
        slow.searches.append(await timed(lambda query=query: index.search(query)))
        if number % 50 == 0:
            document, passages = document_of(number % 100, data)
            slow.writes.append(await timed(lambda d=document, p=passages: index.upsert(d, p)))
        await asyncio.sleep(0.004)
    await work
    slow.seconds = time.perf_counter() - start
    return slow


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await call()
    return time.perf_counter() - start


async def compare(index: EdgeIndex, data: Data, report: Report) -> None:
    shard = Path(tempfile.mkdtemp(prefix="index-scale-engine-"))
    current = (index._files.generation(index._number)) / "shard"
    shutil.copytree(current, shard / "shard")
    engine = EdgeRows(shard / "shard", token_vectors=False)
    report.add()
    report.add(
        "| Search, best 10, p50 / p99 ms | numpy, all vectors | engine | through the worker | "
        "numpy : engine | numpy : worker | recall@10 |"
    )
    report.add("|---|---|---|---|---|---|---|")
    for name, tags, places in (
        ("all", (), None),
        (f"narrow filter, {data.narrow.mean():.1%}", ("narrow",), np.flatnonzero(data.narrow)),
        (f"wide filter, {data.wide.mean():.1%}", ("wide",), np.flatnonzero(data.wide)),
    ):
        times: tuple[list[float], list[float], list[float]] = ([], [], [])
        found_count = 0
        for query in data.queries:
            asked = IndexQuery(Filter("me", tags=tags), LIMIT, dense=query)
            start = time.perf_counter()
            best = exact(data.vectors, places, query)
            times[0].append(time.perf_counter() - start)
            start = time.perf_counter()
            engine.search(asked)
            times[1].append(time.perf_counter() - start)
            start = time.perf_counter()
            found = await index.search(asked)
            times[2].append(time.perf_counter() - start)
            numbers = {int(c.document_id[1:]) * PASSAGES_PER_DOCUMENT + c.passage.index for c in found}
            found_count += len(numbers & set(best.tolist()))
        recall = found_count / (LIMIT * len(data.queries))
        brute, alone, through = (np.percentile(each, 50) for each in times)
        report.add(
            f"| {name} | {milliseconds(times[0])} | {milliseconds(times[1])} | {milliseconds(times[2])} | "
            f"{brute / alone:.1f}x | {brute / through:.1f}x | {recall:.3f} |"
        )
    random = np.random.default_rng(5)
    words = [np.unique(random.zipf(1.3, 8) % 50_000).tolist() for _ in range(len(data.queries))]
    for name, dense in (("words only (BM25)", False), ("words and meaning", True)):
        alone, through = [], []
        for query, ids in zip(data.queries, words, strict=True):
            asked = IndexQuery(
                Filter("me"),
                100 if dense else LIMIT,
                dense=query if dense else None,
                lexical=SparseVector(tuple(ids), (1.0,) * len(ids)),
            )
            start = time.perf_counter()
            engine.search(asked)
            alone.append(time.perf_counter() - start)
            through.append(await timed(lambda asked=asked: index.search(asked)))
        limit = ", best 100 of each" if dense else ""
        report.add(f"| {name}{limit} | | {milliseconds(alone)} | {milliseconds(through)} | | | |")
    report.add()
    report.add(
        f"Peak memory of the benchmark itself: "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB"
    )
    engine.close()
    shutil.rmtree(shard)


if __name__ == "__main__":
    asyncio.run(main())
