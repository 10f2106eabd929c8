"""How fast is the embedded engine, and what do our settings of it bring? CPU seconds and wall time, side by side.

    make bench-llm
    make bench-llm ARGS="--part cancel --part memory"          # these sections anew, the others as they are
    make bench-llm ARGS="--part compared --others ENV/bin/python llama-cpp-python"   # where ENV has it

Every side is a process of its own; they take turns, several rounds long, so that whatever else the machine does
disturbs all of them. Each prompt begins with words of its own where nothing is said of a cache. Ratios above 1 are in
our favour.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULT = HERE / "results/llm_speed.md"
MEETINGS = HERE / "data" / "minutes"
MODEL = "qwen2.5-coder-0.5b-instruct"
CONTEXT = 4096
CHUNKS = 8
CHUNK_CHARACTERS = 500
PREFIX_CHARACTERS = 1800
LONG_CHARACTERS = 9000
ANSWER_TOKENS = 48
PARALLEL = 4
MAP = 4
OPENMP = {"GOMP_SPINCOUNT": "0", "OMP_WAIT_POLICY": "passive"}
SYSTEM = "You summarize recordings. You only repeat facts that the transcript states."
QUESTION = (
    "List the three to six most important facts of the transcript, one short sentence per line, each line starting "
    'with "- ".'
)
QUESTIONS = (
    QUESTION,
    "Summarize the transcript in two sentences.",
    "List every amount of money, one per line.",
)

Request = dict[str, Any]
Measured = dict[str, Any]


def chat(text: str, question: str = QUESTION, max_tokens: int = ANSWER_TOKENS) -> Request:
    return {
        "messages": [["system", SYSTEM], ["user", f'Transcript:\n"""\n{text}\n"""\n\n{question}']],
        "max_tokens": max_tokens,
    }


def speech() -> str:
    """Returns what is said in the written English meetings."""
    turns = [
        line.split(": ", 1)[1]
        for path in sorted(MEETINGS.glob("en_*.toml"))
        for line in tomllib.loads(path.read_text())["transcript"].strip().splitlines()
    ]
    return " ".join(turns)


def chunk(number: int, salt: str, characters: int = CHUNK_CHARACTERS) -> str:
    whole = speech() * 3
    start = whole.index(" ", number * 1300)
    return f"{salt} {number}. {whole[start : start + characters]}"


# The sides: each is run by `--worker NAME` in a process of its own and answers lines of JSON.


class Ours:
    """The service's engine."""

    def __init__(self, model: str, parallel: int, batch_tokens: int = 0) -> None:
        from recordroute_llm.engine import Message, Priority, Prompt
        from recordroute_llm.engines.llama import LlamaEngine, LlamaOptions
        from recordroute_runtime.errors import Cancelled
        from recordroute_runtime.inference import CancelToken

        self._message, self._prompt, self._priority, self._token = Message, Prompt, Priority, CancelToken
        self._cancelled = Cancelled
        self._engine = LlamaEngine(
            MODEL, Path(model), LlamaOptions(CONTEXT, parallel, batch_tokens=batch_tokens)
        )

    def ask(self, request: Request) -> tuple[int, int]:
        generation = self._generate(request, self._token())
        return generation.usage.prompt_tokens, generation.usage.completion_tokens

    def _generate(self, request: Request, token: Any, on_text: Callable[[str], bool] | None = None) -> Any:
        messages = tuple(self._message(role, text) for role, text in request["messages"])
        priority = self._priority.INTERACTIVE if request.get("interactive") else self._priority.BATCH
        return self._engine.generate(
            self._prompt(messages, request["max_tokens"], priority=priority), token, on_text
        )

    def first_token(self, request: Request) -> float:
        """Seconds until the first piece of an answer."""
        begun = time.monotonic()
        self._generate(request, self._token(), lambda _: True)
        return time.monotonic() - begun

    def first_token_behind(self, request: Request, load: list[Request], after: float) -> float:
        """The same while `load` is worked on, `after` seconds from its beginning."""
        stop = self._token()

        def run(other: Request) -> None:
            try:
                self._generate(other, stop)
            except self._cancelled:
                return

        with ThreadPoolExecutor(len(load)) as threads:
            for other in load:
                threads.submit(run, other)
            time.sleep(after)
            seconds = self.first_token(request)
            stop.cancel()
        return seconds

    def cancel(self, request: Request, short: Request, phase: str) -> tuple[float, float]:
        """Seconds from the wish to cancel until the call ends, and until the slot has read the next short prompt."""
        token = self._token()
        wished: list[float] = []

        def wish() -> None:
            wished.append(time.monotonic())
            token.cancel()

        pieces: list[str] = []

        def receive(text: str) -> bool:
            pieces.append(text)
            if phase == "answer" and len(pieces) == 8:
                wish()
            return False

        if phase == "prompt":
            threading.Timer(1.5, wish).start()
        try:
            self._generate(request, token, receive)
        except self._cancelled:
            ended = time.monotonic()
        else:
            raise RuntimeError("it ended before it was cancelled")
        if phase == "prompt" and pieces:
            raise RuntimeError("the prompt was read before it was cancelled")
        self.first_token(short)
        return ended - wished[0], time.monotonic() - wished[0]


class Bare:
    """xllamacpp with its own settings, but for the context."""

    def __init__(self, model: str, parallel: int) -> None:
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = model
        parameters.n_parallel = parallel
        parameters.n_ctx = CONTEXT * parallel
        parameters.hostnames = [str(Path(tempfile.mkdtemp()) / "http.sock")]
        parameters.verbosity = -1
        self._server = xllamacpp.Server(parameters)

    def ask(self, request: Request) -> tuple[int, int]:
        body = {
            "messages": [{"role": role, "content": text} for role, text in request["messages"]],
            "max_tokens": request["max_tokens"],
            "temperature": 0,
        }
        answers: list[Any] = []

        def receive(answer: Any) -> bool:
            answers.append(answer)
            return False

        self._server.handle_chat_completions(json.dumps(body), receive)
        answer = json.loads(answers[0]) if isinstance(answers[0], str) else answers[0]
        return answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]


class LlamaCppPython:
    """llama-cpp-python with all cores; it answers one request at a time."""

    def __init__(self, model: str, parallel: int) -> None:
        import llama_cpp

        threads = len(os.sched_getaffinity(0))
        self._llama = llama_cpp.Llama(
            model, n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, verbose=False
        )
        built_for = llama_cpp.llama_print_system_info().decode().strip(" |")
        self.about = f"llama-cpp-python {llama_cpp.__version__}: {built_for}"

    def ask(self, request: Request) -> tuple[int, int]:
        answer = self._llama.create_chat_completion(
            [{"role": role, "content": text} for role, text in request["messages"]],
            max_tokens=request["max_tokens"],
            temperature=0.0,
        )
        return answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]


BATCHES = (64, 128, 256)
SIDES: dict[str, Callable[[str, int], Any]] = {
    "ours": Ours,
    **{f"ours-{size}": partial(Ours, batch_tokens=size) for size in BATCHES},
    "bare": Bare,
    "llama-cpp-python": LlamaCppPython,
}


def work(name: str, model: str, parallel: int) -> None:
    """Answers requests by line: what to do, with what; how much time and tokens it took."""
    # llama.cpp writes to standard output as well.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    side = SIDES[name](model, parallel)
    print(json.dumps({"about": getattr(side, "about", "")}), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        wall, cpu = time.monotonic(), time.process_time()
        if order["do"] == "ask":
            with ThreadPoolExecutor(order["at_once"]) as threads:
                tokens = list(threads.map(side.ask, order["requests"]))
            result: Any = [sum(sizes) for sizes in zip(*tokens, strict=True)]
        else:
            result = getattr(side, order["do"])(**order["arguments"])
        measured = {"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu, "result": result}
        print(json.dumps(measured), file=answers, flush=True)


class Worker:
    """A side in its process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.about = self._read()["about"]

    def _read(self) -> Measured:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a side ended with status {self._process.wait()}")
        answer: Measured = json.loads(line)
        return answer

    def _order(self, **order: Any) -> Measured:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._read()

    def ask(self, *requests: Request, at_once: int = 1) -> Measured:
        return self._order(do="ask", requests=requests, at_once=at_once)

    def do(self, name: str, **arguments: Any) -> Any:
        return self._order(do=name, arguments=arguments)["result"]


@contextmanager
def worker(
    side: str, model: Path, parallel: int = PARALLEL, python: str = sys.executable, *, openmp: bool = True
) -> Iterator[Worker]:
    environment = {name: value for name, value in os.environ.items() if name not in OPENMP}
    command = [python, __file__, "--worker", side, "--file", str(model), "--parallel", str(parallel)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment | (OPENMP if openmp else {}),
    ) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """So many cores' worth of somebody else's work."""
    with ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(process.kill)
        yield


def total(rows: list[Measured], key: str) -> float:
    return sum(row[key] for row in rows)


def ratio(other: list[Measured], ours: list[Measured], key: str, *, per_token: bool = False) -> float:
    """How much more of `key` the other side took; for each token where the answers differ in length."""
    tokens = (
        (sum(row["result"][1] for row in ours) / sum(row["result"][1] for row in other)) if per_token else 1.0
    )
    return total(other, key) / total(ours, key) * tokens


def verdict(value: float, goal: float, *, most: bool = False) -> str:
    reached = value <= goal if most else value >= goal
    return f"{'at most' if most else 'at least'} {goal:g}: {'reached' if reached else '**not reached**'}"


def seconds(rows: list[Measured], key: str) -> str:
    return f"{total(rows, key) / len(rows):.1f} s"


def parallel_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    return slots_lines(model, rounds, PARALLEL)


def more_slots_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    return slots_lines(model, rounds, CHUNKS)


def slots_lines(model: Path, rounds: int, slots: int) -> list[str]:
    one: list[Measured] = []
    many: list[Measured] = []
    with worker("ours", model, slots) as ours:
        ours.ask(chat("Hello.", max_tokens=1))
        for number in range(rounds):
            one.append(ours.ask(*(chat(chunk(place, f"a{number}")) for place in range(CHUNKS))))
            requests = [chat(chunk(place, f"b{number}")) for place in range(CHUNKS)]
            many.append(ours.ask(*requests, at_once=slots))
    tokens = [sum(row["result"][place] for row in one) // (rounds * CHUNKS) for place in (0, 1)]
    wall, cpu = (ratio(one, many, key, per_token=True) for key in ("wall", "cpu"))
    return [
        f"{CHUNKS} chunk summaries with prompts of {tokens[0]} tokens and answers of {tokens[1]}; ratios are for each "
        "token written.",
        "",
        "| | wall | CPU |",
        "|---|---|---|",
        f"| one after another | {seconds(one, 'wall')} | {seconds(one, 'cpu')} |",
        f"| in {slots} slots | {seconds(many, 'wall')} | {seconds(many, 'cpu')} |",
        f"| ratio | {wall:.2f} | {cpu:.2f} |",
        "",
        f"Wall ratio, {verdict(wall, 1.35)}.",
    ]


def prefix_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    lines = [
        f"{len(QUESTIONS)} questions on one chunk of about 400 tokens, as minutes with sections of one's own ask "
        "them: the chunk comes first in the prompt and its questions go to the slot that has read it. Without: each in "
        "words that no slot has read.",
        "",
        "| | CPU without | CPU with | ratio | goal |",
        "|---|---|---|---|---|",
    ]
    rows: dict[str, list[list[Measured]]] = {"reading": [[], []], "reading and answers": [[], []]}
    with worker("ours", model) as ours:
        ours.ask(chat("Hello.", max_tokens=1))
        for number in range(rounds):
            for name, tokens in (("reading", 1), ("reading and answers", ANSWER_TOKENS)):
                text = chunk(number, f"{name} {number}", PREFIX_CHARACTERS)
                cold = [
                    chat(f"{place} {text}", question, tokens) for place, question in enumerate(QUESTIONS[1:])
                ]
                warm = [chat(text, question, tokens) for question in QUESTIONS[1:]]
                rows[name][0].append(ours.ask(*cold))
                ours.ask(chat(text, QUESTIONS[0], 1))
                rows[name][1].append(ours.ask(*warm))
    for name, (cold_rows, warm_rows) in rows.items():
        value = ratio(cold_rows, warm_rows, "cpu")
        goal = verdict(value, 5.0) if name == "reading" else ""
        lines.append(
            f"| {name} | {seconds(cold_rows, 'cpu')} | {seconds(warm_rows, 'cpu')} | {value:.1f} | {goal} |"
        )
    return [
        *lines,
        "",
        "Both columns are the questions after the first, whose reading is what warms the cache.",
    ]


def compared_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    lines = [
        f"| against | single: CPU ratio | wall ratio | map of {MAP}: CPU ratio | wall ratio |",
        "|---|---|---|---|---|",
    ]
    notes: list[str] = []
    others = [("llama-cpp-python", label, python) for python, label in arguments.others]
    others = others or [("bare", "xllamacpp with its own settings", sys.executable)]
    for side, label, python in others:
        single: tuple[list[Measured], list[Measured]] = ([], [])
        many: tuple[list[Measured], list[Measured]] = ([], [])
        with worker("ours", model) as ours, worker(side, model, PARALLEL, python) as other:
            notes += [other.about] if other.about else []
            at_once = PARALLEL if side == "bare" else 1
            for each in (ours, other):
                each.ask(chat("Hello.", max_tokens=1))
            for number in range(rounds):
                for place, each in enumerate((ours, other)):
                    single[place].append(each.ask(chat(chunk(number, f"s{number}"))))
                for place, (each, slots) in enumerate(((ours, PARALLEL), (other, at_once))):
                    requests = [chat(chunk(part, f"m{number}")) for part in range(MAP)]
                    many[place].append(each.ask(*requests, at_once=slots))
        figures = [
            ratio(rows[1], rows[0], key, per_token=True) for rows in (single, many) for key in ("cpu", "wall")
        ]
        lines.append(f"| {label} | {' | '.join(f'{figure:.2f}' for figure in figures)} |")
        if side != "bare":
            notes.append(f"{label}: single, {verdict(figures[0], 1.0)}; map, {verdict(figures[2], 1.2)}.")
    import xllamacpp

    ours_about = f"xllamacpp {version('xllamacpp')}: {xllamacpp.get_system_info().strip(' |')}"
    return [
        *lines,
        "",
        *(f"- {note}" for note in (ours_about, *notes)),
        "",
        "CPU seconds for each token written.",
    ]


def contended_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    tokens = 12
    cores = len(os.sched_getaffinity(0))
    lines = [
        "| other processes that compute all the time | ours | OpenMP's own | ratio |",
        "|---|---|---|---|",
    ]
    ratios: dict[int, float] = {}
    with worker("ours", model) as passive, worker("ours", model, openmp=False) as spinning:
        for each in (passive, spinning):
            each.ask(chat("Hello.", max_tokens=1))
        for busy in (1, cores):
            rates: dict[Worker, list[Measured]] = {passive: [], spinning: []}
            with busy_cores(busy):
                for number in range(rounds):
                    request = chat(f"{busy} {number}", "Tell a long story about the sea.", tokens)
                    for each, rows in rates.items():
                        each.ask(request | {"max_tokens": 1})
                        rows.append(each.ask(request))
            ours, default = (
                sum(row["result"][1] for row in rows) / total(rows, "wall") for rows in rates.values()
            )
            ratios[busy] = ours / default
            lines.append(f"| {busy} | {ours:.1f} | {default:.1f} | {ours / default:.1f} |")
    return [
        f"Tokens a second of answers of {tokens} tokens to a prompt in the cache, with our settings "
        f"({', '.join(f'{name}={value}' for name, value in OPENMP.items())}) and without.",
        "",
        *lines,
        "",
        f"One busy process, {verdict(ratios[1], 10.0)}.",
    ]


SHORT = chat("We meet on Friday at ten.", "When?", 8) | {"interactive": True}


def cancel_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    lines = ["| phase | the call ends: median | longest | goal |", "|---|---|---|---|"]
    with worker("ours", model, 1) as ours:
        ours.ask(SHORT)
        for phase in ("prompt", "answer"):
            times = []
            for number in range(2 * rounds):
                text = chunk(number, f"{phase} {number}", LONG_CHARACTERS if phase == "prompt" else 200)
                request = chat(text, "Tell a long story.", 400)
                short = chat(f"{number}", "Say yes.", 1)
                times.append(ours.do("cancel", request=request, short=short, phase=phase)[0])
            goal = verdict(max(times), 1.5, most=True)
            lines.append(f"| {phase} | {statistics.median(times):.2f} s | {max(times):.2f} s | {goal} |")
    return lines


def interactive_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    times: dict[str, list[float]] = {"alone": [], "behind a long prompt": [], "behind a running map": []}
    with worker("ours", model) as ours:
        ours.ask(SHORT)
        for number in range(2 * rounds):

            def short(way: str, number: int = number) -> Request:
                return chat(f"{way} {number}: we meet on Friday at ten.", "When?", 8) | {"interactive": True}

            times["alone"].append(ours.do("first_token", request=short("alone")))
            long = [chat(chunk(number, f"long {number}", LONG_CHARACTERS))]
            behind = ours.do("first_token_behind", request=short("long"), load=long, after=1.0)
            times["behind a long prompt"].append(behind)
            running = [chat(chunk(place, f"map {number}", 3000)) for place in range(CHUNKS)]
            behind = ours.do("first_token_behind", request=short("map"), load=running, after=4.0)
            times["behind a running map"].append(behind)
    alone = statistics.median(times["alone"])
    lines = [
        "| a short question | first token: median | longest | median against alone | goal |",
        "|---|---|---|---|---|",
    ]
    for name, found in times.items():
        value = statistics.median(found) / alone
        goal = "" if name == "alone" else verdict(value, 3.0, most=True)
        lines.append(
            f"| {name} | {statistics.median(found):.2f} s | {max(found):.2f} s | {value:.1f} | {goal} |"
        )
    return lines


def batch_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    reading: dict[int, list[Measured]] = {size: [] for size in BATCHES}
    waits: dict[int, list[float]] = {size: [] for size in BATCHES}
    with ExitStack() as stack:
        workers = {size: stack.enter_context(worker(f"ours-{size}", model)) for size in BATCHES}
        for each in workers.values():
            each.ask(SHORT)
        for number in range(rounds):
            for size, each in workers.items():
                reading[size].append(
                    each.ask(chat(chunk(number, f"read {number}", PREFIX_CHARACTERS), max_tokens=1))
                )
            for size, each in workers.items():
                short = chat(f"{number}: we meet on Friday at ten.", "When?", 8) | {"interactive": True}
                running = [chat(chunk(place, f"batch {number}", 3000)) for place in range(CHUNKS)]
                waits[size].append(each.do("first_token_behind", request=short, load=running, after=4.0))
    lines = [
        "| tokens in a batch | CPU for 1,000 tokens of a prompt | a short question behind a map: first token |",
        "|---|---|---|",
    ]
    for size in BATCHES:
        tokens = sum(row["result"][0] for row in reading[size])
        cpu = 1000 * total(reading[size], "cpu") / tokens
        lines.append(f"| {size} | {cpu:.1f} s | {statistics.median(waits[size]):.2f} s |")
    return lines


def peak_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def memory_part(model: Path, rounds: int, arguments: argparse.Namespace) -> list[str]:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from recordroute.common.v1 import transcript_pb2
    from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
    from recordroute_runtime.wire import to_duration

    def segments(number: int) -> list[transcript_pb2.Segment]:
        texts = chunk(number, f"client {number}", LONG_CHARACTERS // 6).split(". ")
        return [
            transcript_pb2.Segment(
                index=place, start=to_duration(place), end=to_duration(place + 1), text=f"{text}."
            )
            for place, text in enumerate(texts)
        ]

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        address = f"unix:{folder}/llm.sock"
        environment = os.environ | OPENMP | {
            "RECORDROUTE_LLM_LISTEN": address,
            "RECORDROUTE_LLM_MODEL": MODEL,
            "RECORDROUTE_LLM_PARALLEL": str(PARALLEL),
            "RECORDROUTE_DATA_DIR": folder,
            "RECORDROUTE_LOG_LEVEL": "warning",
        }  # fmt: skip
        service = stack.enter_context(
            subprocess.Popen([sys.executable, "-m", "recordroute_llm"], env=environment)
        )
        stack.callback(service.terminate)
        channel = stack.enter_context(grpc.insecure_channel(address))
        health = health_pb2_grpc.HealthStub(channel)
        answers = health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=120)
        next(answer for answer in answers if answer.status == health_pb2.HealthCheckResponse.SERVING)
        stub = llm_pb2_grpc.LlmServiceStub(channel)

        def minutes(number: int) -> str:
            request = llm_pb2.SummarizeRequest(segments=segments(number), owner=str(number))
            return list(stub.Summarize(request, timeout=600))[-1].result.minutes.overview

        peaks = [peak_mib(service.pid)]
        done = [minutes(0)]
        peaks.append(peak_mib(service.pid))
        with ThreadPoolExecutor(CHUNKS) as threads:
            done += threads.map(minutes, range(1, CHUNKS + 1))
        peaks.append(peak_mib(service.pid))
    if not all(done):
        raise RuntimeError("a client got no minutes")
    return [
        f"Peak resident memory of the service (VmHWM) with {PARALLEL} slots of {CONTEXT:,} tokens and one for "
        "interactive requests; every client has minutes made of a meeting of about 350 tokens.",
        "",
        "| | peak |",
        "|---|---|",
        f"| model loaded ({model.stat().st_size / 2**20:.0f} MiB of it the file) | {peaks[0]:.0f} MiB |",
        f"| one client | {peaks[1]:.0f} MiB |",
        f"| {CHUNKS} clients at once | {peaks[2]:.0f} MiB |",
    ]


PARTS: dict[str, tuple[str, Callable[[Path, int, argparse.Namespace], list[str]]]] = {
    "parallel": (f"{PARALLEL} slots", parallel_part),
    "more-slots": (f"{CHUNKS} slots", more_slots_part),
    "prefix": ("Shared prefix", prefix_part),
    "compared": ("Against others", compared_part),
    "contended": ("A busy neighbour", contended_part),
    "cancel": ("Cancelling", cancel_part),
    "interactive": ("Waiting behind others", interactive_part),
    "batch": ("Tokens read at a time", batch_part),
    "memory": ("Memory", memory_part),
}


def sections(text: str) -> dict[str, str]:
    """Returns the sections of a report by their titles."""
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip("\n") for part in text.split("\n## ")[1:]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="measure these only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--others",
        nargs=2,
        action="append",
        default=[],
        metavar=("PYTHON", "LABEL"),
        help="a Python that has llama-cpp-python, and what to call it",
    )
    for name in ("--worker", "--file"):
        parser.add_argument(name, default="", help=argparse.SUPPRESS)
    parser.add_argument("--parallel", type=int, default=PARALLEL, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker, arguments.file, arguments.parallel)
        return
    from recordroute_runtime.models import find_model
    from recordroute_runtime.settings import CommonSettings

    model = find_model(CommonSettings().models_dir, MODEL).path / "model.gguf"
    found = sections(RESULT.read_text()) if RESULT.exists() else {}
    for name in arguments.part or PARTS:
        title, part = PARTS[name]
        load = os.getloadavg()[0]
        lines = part(model, arguments.rounds, arguments)
        first = ", with priority over it" if os.getpriority(os.PRIO_PROCESS, 0) < 0 else ""
        lines += ["", f"Rounds: {arguments.rounds}; load of the machine before: {load:.1f}{first}."]
        found[title] = "\n".join(lines)
        print(f"## {title}\n\n{found[title]}\n", flush=True)
        RESULT.write_text(report(found))


def report(found: dict[str, str]) -> str:
    lines = [
        "# Speed and memory of the embedded language model",
        "",
        f"`make bench-llm`: {MODEL}, Q4_K_M, {len(os.sched_getaffinity(0))} cores of {platform.machine()} without a "
        f"GPU, Python {platform.python_version()}. Ratios of sides that took turns; above 1 is in our favour. Wall "
        "times are those of a machine that had other work too.",
    ]
    for title, _ in PARTS.values():
        if title in found:
            lines += ["", f"## {title}", "", found[title]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
