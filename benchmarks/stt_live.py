"""How late live recognition is, what a stream costs, and what it loses against the transcription of the whole file.

`make bench-live` streams the shipped recordings at the pace of speech to a real server over loopback, as 1, 2, 4 and 6
streams at once and beside a batch transcription, and writes benchmarks/results/stt_live.md. When speech begins and
ends is taken from the loudness of the clean recordings, not from the server. Streams begin at different places of the
audio so that they do not move in step.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import grpc
import jiwer
import numpy as np
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.channels import open_channel
from recordroute_runtime.remote import read_error
from recordroute_runtime.wire import to_duration, to_seconds
from recordroute_stt.live.agreement import common_prefix, compared, words_of
from recordroute_stt.media import AudioDecoder

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/results/stt_live.md"
RATE = 16_000
CHUNK_SECONDS = 0.1
PAUSE_SECONDS = 1.2
ENDPOINT_SECONDS = 0.5
# Quieter frames, against the loudest of the recording, and shorter runs of them are no speech: one is from 1961.
SPEECH_DECIBELS = -27.0
MIN_SPEECH_FRAMES = 5
RECORDINGS = {
    "jfk.flac": "and so my fellow americans ask not what your country can do for you ask what you can do for your "
    "country",
    "librivox_0870.wav": "and mister john dashwood had then leisure to consider how much there might be prudently "
    "in his power to do for them",
    "librivox_0880.wav": "he was not an ill disposed young man",
    "librivox_0890.wav": "unless to be rather cold hearted and rather selfish is to be ill disposed",
}
NORMALISE = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({"-": " ", r"\bmr\b\.?": "mister"}),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
    ]
)

Audio = NDArray[np.float32]


@dataclass
class Take:
    """What one stream plays: the recordings in an order of its own, and where somebody speaks in it."""

    audio: Audio
    reference: str
    speech: NDArray[np.bool_]  # of each 10 ms

    @property
    def seconds(self) -> float:
        return len(self.audio) / RATE

    def speech_begin(self, near: float) -> float:
        """Returns when the speech begins that the server heard from `near` on."""
        first, last = round((near - 0.4) * 100), round((near + 0.4) * 100)
        return (max(0, first) + int(self.speech[max(0, first) : last].argmax())) / 100

    def speech_end(self, near: float) -> float:
        """Returns when the speech ends that the server heard until `near`."""
        first, last = round((near - 0.6) * 100), round((near + 0.2) * 100)
        inside = np.flatnonzero(self.speech[first:last])
        return (first + int(inside[-1]) + 1) / 100 if len(inside) else near


@dataclass
class Played:
    """What came back of one stream; times in seconds from its begin."""

    take: Take
    results: list[tuple[float, stt_pb2.RecognitionResult]] = field(default_factory=list)
    refused: str = ""


@dataclass
class Row:
    """The figures of one run."""

    name: str
    streams: int
    refused: int = 0
    first: list[float] = field(default_factory=list)
    stable: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    cores: float = 0.0
    errors: float = 0.0
    survived: list[bool] = field(default_factory=list)
    stable_words: int = 0
    kept_words: int = 0
    batch_realtime: float = 0.0


def decoded(path: Path) -> Audio:
    with path.open("rb") as file, AudioDecoder(file, max_seconds=3600) as decoder:
        return np.concatenate(list(decoder.blocks()))


def loud(audio: Audio) -> NDArray[np.bool_]:
    frames = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    levels = np.sqrt(np.square(frames).mean(axis=1))
    above = levels > levels.max() * 10 ** (SPEECH_DECIBELS / 20)
    runs = np.lib.stride_tricks.sliding_window_view(above, MIN_SPEECH_FRAMES).all(axis=1)
    return np.convolve(runs, np.ones(MIN_SPEECH_FRAMES)) > 0


def take(recordings: Sequence[tuple[str, Audio]], turn: int) -> Take:
    """Joins the recordings, beginning with another one for each stream, over the noise of a quiet room."""
    order = [recordings[(turn + i) % len(recordings)] for i in range(len(recordings))]
    lead = 0.5 + 0.23 * turn
    parts, speech = [np.zeros(round(lead * 100) * 160, np.float32)], [np.zeros(round(lead * 100), np.bool_)]
    pause = round(PAUSE_SECONDS * 100)
    for _, audio in order:
        whole = audio[: len(audio) // 160 * 160]
        parts += [whole, np.zeros(pause * 160, np.float32)]
        speech += [loud(whole), np.zeros(pause, np.bool_)]
    joined = np.concatenate(parts)
    joined = joined + np.random.default_rng(turn).normal(0, 2e-4, len(joined)).astype(np.float32)
    return Take(joined, " ".join(RECORDINGS[name] for name, _ in order), np.concatenate(speech))


@contextmanager
def server(**variables: str) -> Iterator[tuple[str, psutil.Process]]:
    """A server process of its own; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/stt.sock"
        environment = {**os.environ, "RECORDROUTE_STT_LISTEN": address, "RECORDROUTE_LOG_LEVEL": "error"}
        environment.update({f"RECORDROUTE_STT_{name.upper()}": value for name, value in variables.items()})
        with subprocess.Popen([sys.executable, "-m", "recordroute_stt"], env=environment) as process:
            try:
                with grpc.insecure_channel(address) as channel:
                    health = health_pb2_grpc.HealthStub(channel)
                    request = health_pb2.HealthCheckRequest(service="recordroute.stt.v1.SttService")
                    for answer in health.Watch(request, timeout=60, wait_for_ready=True):
                        if answer.status == health_pb2.HealthCheckResponse.SERVING:
                            break
                yield address, psutil.Process(process.pid)
            finally:
                process.terminate()


async def play(stub: stt_pb2_grpc.SttServiceStub, played: Played, language: str) -> None:
    """Streams a take at its own pace."""
    content = (np.clip(played.take.audio, -1, 1) * 32767).astype("<i2").tobytes()
    size = round(CHUNK_SECONDS * RATE) * 2
    began = time.monotonic()

    async def requests() -> AsyncIterator[stt_pb2.StreamingRecognizeRequest]:
        yield stt_pb2.StreamingRecognizeRequest(
            config=stt_pb2.StreamingRecognizeConfig(
                encoding=stt_pb2.AUDIO_ENCODING_PCM_S16LE,
                sample_rate_hertz=RATE,
                language=language or None,
                interim_results=True,
                word_timestamps=True,
                endpoint_silence=to_duration(ENDPOINT_SECONDS),
            )
        )
        for number, start in enumerate(range(0, len(content), size), 1):
            await asyncio.sleep(max(0.0, began + number * CHUNK_SECONDS - time.monotonic()))
            yield stt_pb2.StreamingRecognizeRequest(audio=content[start : start + size])

    try:
        async for response in stub.StreamingRecognize(requests()):
            if response.HasField("result"):
                played.results.append((time.monotonic() - began, response.result))
    except grpc.aio.AioRpcError as error:
        played.refused = read_error(error).reason or error.code().name


async def transcribe(stub: stt_pb2_grpc.SttServiceStub, content: bytes, profile: int, language: str) -> str:
    async def requests() -> AsyncIterator[stt_pb2.TranscribeRequest]:
        yield stt_pb2.TranscribeRequest(
            config=stt_pb2.TranscribeConfig(profile=profile, language=language or None)
        )
        for start in range(0, len(content), 1 << 20):
            yield stt_pb2.TranscribeRequest(audio_chunk=content[start : start + (1 << 20)])

    return " ".join([r.segment.text async for r in stub.Transcribe(requests()) if r.HasField("segment")])


def wav(audio: Audio) -> bytes:
    data = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    header = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += b"\x01\x00\x01\x00" + RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little")
    return header + b"\x02\x00\x10\x00data" + len(data).to_bytes(4, "little") + data


def word_errors(reference: str, hypothesis: str) -> float:
    return 100 * jiwer.wer(NORMALISE(reference), NORMALISE(hypothesis))


def add(row: Row, played: Played) -> None:
    """Adds a stream's latencies to a row."""
    by_utterance = itertools.groupby(played.results, key=lambda result: result[1].utterance)
    for _, group in by_utterance:
        results = list(group)
        final_at, final = results[-1]
        if not final.is_final or not final.words:
            continue
        began = played.take.speech_begin(to_seconds(final.start))
        row.first.append(results[0][0] - began)
        row.final.append(final_at - played.take.speech_end(to_seconds(final.end)) - ENDPOINT_SECONDS)
        last = words_of(final.stable_text)
        counts = [(at, len(words_of(result.stable_text))) for at, result in results]
        for number, word in enumerate(final.words, 1):
            at = next((at for at, count in counts if count >= number), final_at)
            row.stable.append(at - to_seconds(word.end))
        for _, result in results[:-1]:
            stable = words_of(result.stable_text)
            row.stable_words += len(stable)
            row.kept_words += kept(stable, last)
            unstable = words_of(f"{result.stable_text} {result.unstable_text}".strip())
            right = common_prefix(unstable, last)
            row.survived += [index < right for index in range(len(stable), len(unstable))]


async def measure(
    address: str, process: psutil.Process, takes: Sequence[Take], name: str, *, batch: bool, language: str
) -> Row:
    """Plays the takes at once and returns the figures."""
    row = Row(name, len(takes))
    played = [Played(each) for each in takes]
    async with open_channel(address) as channel:
        stub = stt_pb2_grpc.SttServiceStub(channel)
        transcribed = 0.0

        async def beside() -> None:
            nonlocal transcribed
            content = wav(takes[0].audio)
            while True:
                await transcribe(stub, content, stt_pb2.PROFILE_BALANCED, "en")
                transcribed += takes[0].seconds

        background = asyncio.create_task(beside()) if batch else None
        before, began = process.cpu_times(), time.monotonic()
        await asyncio.gather(*(play(stub, each, language) for each in played))
        after, wall = process.cpu_times(), time.monotonic() - began
        if background is not None:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)
            row.batch_realtime = transcribed / wall
    spent = (after.user + after.system) - (before.user + before.system)
    taken = [each for each in played if not each.refused]
    row.refused = len(played) - len(taken)
    row.cores = spent / wall / max(1, len(taken))
    for each in taken:
        add(row, each)
    hypothesis = [" ".join(r.stable_text for _, r in each.results if r.is_final) for each in taken]
    row.errors = statistics.mean(
        word_errors(each.take.reference, text) for each, text in zip(taken, hypothesis, strict=True)
    )
    return row


def kept(stable: Sequence[str], final: Sequence[str]) -> int:
    """Returns how many of the stable words a final result has, in their order."""
    matcher = difflib.SequenceMatcher(None, [*map(compared, stable)], [*map(compared, final)], autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, 100 * share)) if values else float("nan")


def pair(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.2f} / {percentile(values, 0.95):.2f}"


def table(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| Streams | First interim (s) | Stable word (s) | Final after the endpoint (s) | Cores a stream | WER (%) |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        name = f"{row.name}, {row.refused} refused" if row.refused else row.name
        cores = "-" if row.batch_realtime else f"{row.cores:.2f}"
        lines.append(
            f"| {name} | {pair(row.first)} | {pair(row.stable)} | {pair(row.final)} | {cores} | {row.errors:.1f} |"
        )
    return lines


def missed(row: Row) -> str:
    """Returns in words which goals a row misses."""
    goals = {
        "first interim": (percentile(row.first, 0.5), 0.6),
        "final at p50": (percentile(row.final, 0.5), 0.3),
        "final at p95": (percentile(row.final, 0.95), 0.8),
        "cores": (0.0 if row.batch_realtime else row.cores, 0.3),
    }
    names = [f"{name} is {value:.2f}" for name, (value, goal) in goals.items() if round(value, 2) > goal]
    return ", ".join(names) or "all met"


async def bench(counts: Sequence[int], batch_counts: Sequence[int], model: str) -> str:
    recordings = [(name, decoded(ROOT / "tests/data" / name)) for name in RECORDINGS]
    takes = [take(recordings, turn) for turn in range(max([*counts, *batch_counts]) + 1)]
    rows = []
    most = max([*counts, *batch_counts])
    with server(model=model, live_max_streams=str(most)) as (address, process):
        await measure(address, process, [take(recordings[2:3], 0)], "warm-up", batch=False, language="en")
        for count in counts:
            rows.append(
                await measure(address, process, takes[:count], str(count), batch=False, language="en")
            )
            print(*table(rows[-1:])[2:], flush=True)
            # What the last run left must not count against the next one's admission.
            await asyncio.sleep(5)
        rows.append(
            await measure(address, process, takes[:1], "1, language detected", batch=False, language="")
        )
        print(*table(rows[-1:])[2:], flush=True)
        for count in batch_counts:
            name = f"{count}, beside a batch transcription"
            row = await measure(address, process, takes[:count], name, batch=True, language="en")
            rows.append(row)
            print(*table(rows[-1:])[2:], flush=True)
            await asyncio.sleep(5)
        async with open_channel(address) as channel:
            stub = stt_pb2_grpc.SttServiceStub(channel)
            batch = {
                profile: statistics.mean(
                    [
                        word_errors(each.reference, await transcribe(stub, wav(each.audio), profile, "en"))
                        for each in takes[:2]
                    ]
                )
                for profile in (stt_pb2.PROFILE_FAST, stt_pb2.PROFILE_BALANCED)
            }
        memory = process.memory_info().rss / 2**20
    with server(model=model) as (address, process):
        await measure(address, process, [take(recordings[2:3], 0)], "warm-up", batch=False, language="en")
        name = f"{most} with the default limit"
        rows.append(await measure(address, process, takes[:most], name, batch=False, language="en"))
        print(*table(rows[-1:])[2:], flush=True)
    survived = [each for row in rows for each in row.survived]
    stable_words = sum(row.stable_words for row in rows)
    kept_words = sum(row.kept_words for row in rows)
    seconds = statistics.mean(each.seconds for each in takes)
    realtime = ", ".join(f"{row.batch_realtime:.1f}x" for row in rows if row.batch_realtime)
    return "\n".join(
        [
            "# Live recognition",
            "",
            f"`make bench-live`: model {model}, {os.cpu_count()} cores ({platform.machine()}), "
            f"{os.getloadavg()[0]:.1f} load at the end; Python {platform.python_version()}, "
            f"CTranslate2 {version('ctranslate2')}, grpcio {version('grpcio')}. Each stream plays the recordings of "
            f"tests/data ({seconds:.0f} s, {len(RECORDINGS)} recordings) at the pace of speech, in messages of "
            f"{CHUNK_SECONDS:g} s, endpoint silence {ENDPOINT_SECONDS:g} s, words with times.",
            "",
            "p50 / p95. First interim: after the speech begins. Stable word: from its end to the first result that "
            "keeps it. Final: after the end of the speech and the endpoint's silence. Cores: CPU time of the whole "
            "server process against the wall time. WER: of all final results. The times are those of a machine with "
            "nothing else to do: on a shared one run the command with priority.",
            "",
            *table(rows),
            "",
            "Goals (first interim 0.6 at p50, final 0.3 at p50 and 0.8 at p95, 0.3 cores a stream):",
            "",
            *(f"- {row.name}: {missed(row)}." for row in rows),
            "",
            f"- WER of `Transcribe` on the same audio: {batch[stt_pb2.PROFILE_FAST]:.1f} % (fast), "
            f"{batch[stt_pb2.PROFILE_BALANCED]:.1f} % (balanced).",
            f"- Stable words of interim results that the final result has too: {100 * kept_words / stable_words:.1f} % "
            f"of {stable_words}.",
            f"- Unstable words that stayed: {100 * statistics.mean(survived):.0f} % of {len(survived)} "
            "(`WORD_SURVIVAL` of recognizer.py).",
            *(
                [f"- The batch transcription ran at {realtime} realtime beside the streams."]
                if realtime
                else []
            ),
            f"- Memory of the server at the end: {memory:.0f} MiB.",
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 2, 4, 6])
    parser.add_argument("--beside-batch", type=int, nargs="*", default=[4])
    parser.add_argument("--model", default="faster-whisper-base")
    parser.add_argument("--output", type=Path, default=RESULT)
    arguments = parser.parse_args()
    text = asyncio.run(bench(arguments.streams, arguments.beside_batch, arguments.model))
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
