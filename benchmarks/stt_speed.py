"""Speed against word error rate: this project's speech engine beside other runtimes of the same weights.

    .venv/bin/python benchmarks/stt_speed.py

All engines get the same audio and the same weights in turn, each on one thread, and are charged for the processor
time that they use: the order changes from part to part, so that what else runs on the machine hurts all alike.
faster-whisper runs in this process; whisper.cpp and openai-whisper in a child with an environment of its own, which
is made from PyPI (or is taken from BENCH_PYTHON). An interrupted run goes on where it stopped; --fresh begins anew.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import av
import jiwer
import numpy as np
import platformdirs
from faster_whisper import BatchedInferencePipeline, WhisperModel
from recordroute_runtime.models import InstalledModel, find_model
from recordroute_runtime.settings import CommonSettings, load_settings
from recordroute_stt.engine import SAMPLE_RATE, DecodingOptions, Profile, Samples
from recordroute_stt.engines.whisper import PADDING_SECONDS, WhisperEngine
from recordroute_stt.windows import SpeechCutter, SpeechWindow
from whisper_weights import write_ggml, write_openai

ROOT = Path(__file__).parent.parent
CACHE = Path(platformdirs.user_cache_dir("recordroute")) / "stt_speed"
RESULTS = Path(__file__).parent / "results"
MODEL = "faster-whisper-base"
BATCH = 6
OTHERS = ("pywhispercpp==1.5.1", "openai-whisper==20250625")

# file, channel, what is said
CLIPS = (
    (
        "jfk.flac",
        0,
        "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your "
        "country.",
    ),
    (
        "librivox_0870.wav",
        0,
        "and mister john dashwood had then leisure to consider how much there might be prudently in his power to "
        "do for them",
    ),
    ("librivox_0880.wav", 0, "he was not an ill disposed young man"),
    ("librivox_0890.wav", 0, "unless to be rather cold hearted and rather selfish is to be ill disposed"),
    (
        "librivox_0920.wav",
        0,
        "had he married a more amiable woman he might have been made still more respectable than he was",
    ),
    ("librivox_0930.wav", 0, "he might even have been made amiable himself"),
    (
        "stereo_two_channels.wav",
        0,
        "He began a confused complaint against the wizard, who had vanished behind the curtain on the left.",
    ),
    ("stereo_two_channels.wav", 1, "The horizon seems extremely distant."),
    (
        "sonnet_1.mp3",
        0,
        "One. From fairest creatures we desire increase, That thereby beauty's rose might never die, But as the "
        "riper should by time decease, His tender heir might bear his memory: But thou contracted to thine own "
        "bright eyes, Feed'st thy light's flame with self-substantial fuel, Making a famine where abundance lies, "
        "Thyself thy foe, to thy sweet self too cruel: Thou that art now the world's fresh ornament, And only "
        "herald to the gaudy spring, Within thine own bud buriest thy content, And tender churl mak'st waste in "
        "niggarding: Pity the world, or else this glutton be, To eat the world's due, by the grave and thee.",
    ),
)
CONDITIONS: dict[str, dict[str, float]] = {
    "as recorded": {},
    "noise 15 dB": {"noise": 15},
    "noise 8 dB": {"noise": 8},
    "slower": {"speed": 0.9},
    "faster": {"speed": 1.12},
    "room": {"room": 0.5},
    "-20 dB": {"gain": -20},
    "faster, noise 12 dB": {"speed": 1.08, "noise": 12},
    "slower, noise 12 dB": {"speed": 0.93, "noise": 12},
    "room, noise 20 dB": {"room": 0.5, "noise": 20},
    "room, faster": {"room": 0.3, "speed": 1.05},
    "-20 dB, noise 18 dB": {"gain": -20, "noise": 18},
}
SHORT_CONDITIONS = ("as recorded", "noise 8 dB", "faster")
SHORT_CLIPS = 8

NUMBERS = {"1": "one"}


def installed() -> InstalledModel:
    return find_model(load_settings(CommonSettings).models_dir, MODEL)


def words(text: str) -> str:
    """Normalises as Whisper's own evaluation does where it matters here: case, punctuation, hyphens, titles."""
    text = re.sub(r"\bmr\b\.?", "mister", text.lower().replace("-", " ").replace("’", "'")).replace("'", "")
    return " ".join(NUMBERS.get(word, word) for word in re.sub(r"[^\w\s]", " ", text).split())


def load(name: str, channel: int) -> Samples:
    with av.open(ROOT / "tests/data" / name) as media:
        layout = "stereo" if media.streams.audio[0].channels == 2 and channel else "mono"
        if name.startswith("stereo"):
            layout = "stereo"
        resampler = av.AudioResampler("fltp", layout, SAMPLE_RATE)
        frames = [out for frame in media.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)[channel].astype(np.float32)


def altered(audio: Samples, condition: dict[str, float]) -> Samples:
    """Plays audio at another speed (and pitch), in a room (exponential tail of that energy), with low noise."""
    random = np.random.default_rng(7)
    if speed := condition.get("speed"):
        count = int(len(audio) / speed)
        audio = np.interp(np.arange(count) * speed, np.arange(len(audio)), audio)
    if energy := condition.get("room"):
        time_axis = np.arange(round(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
        tail = random.normal(0, 1, len(time_axis)) * np.exp(-time_axis / 0.09)
        tail *= np.sqrt(energy / np.sum(tail**2))
        tail[0] = 1
        audio = 0.8 * np.convolve(audio, tail)[: len(audio)]
    if ratio := condition.get("noise"):
        noise = np.convolve(random.normal(0, 1, len(audio)), np.ones(8) / 8, "same")
        audio = audio + noise * np.sqrt(np.mean(audio**2) / 10 ** (ratio / 10) / np.mean(noise**2))
    return (audio * 10 ** (condition.get("gain", 0) / 20)).astype(np.float32)


@dataclass(frozen=True)
class Recording:
    """Audio to be transcribed and what is said in it."""

    name: str
    kind: str
    audio: Samples
    reference: str


def recordings(conditions: int = len(CONDITIONS)) -> Iterator[Recording]:
    """Yields the parts of the long file, one a condition, and the short clips."""
    clips = [(load(name, channel), said) for name, channel, said in CLIPS]
    for number, (condition, change) in enumerate(islice(CONDITIONS.items(), conditions)):
        random = np.random.default_rng(number)
        order = random.permutation(len(clips))
        parts = []
        for index in order:
            pause = np.zeros(round(random.uniform(0.3, 2.0) * SAMPLE_RATE), np.float32)
            parts += [altered(clips[index][0], change), pause]
        yield Recording(condition, "long", np.concatenate(parts), " ".join(clips[i][1] for i in order))
        if condition not in SHORT_CONDITIONS:
            continue
        for (audio, said), (name, channel, _) in zip(clips[:SHORT_CLIPS], CLIPS, strict=False):
            yield Recording(f"{name}/{channel}, {condition}", "short", altered(audio, change), said)


def cut(audio: Samples) -> list[SpeechWindow]:
    cutter = SpeechCutter()
    block = 5 * SAMPLE_RATE
    windows = [w for start in range(0, len(audio), block) for w in cutter.feed(audio[start : start + block])]
    return windows + list(cutter.flush())


def ours(engine: WhisperEngine, profile: Profile) -> Callable[[Samples], str]:
    options = DecodingOptions(language="en", profile=profile)

    def run(audio: Samples) -> str:
        windows = cut(audio)
        batches = [windows[start : start + BATCH] for start in range(0, len(windows), BATCH)]
        transcripts = [
            transcript
            for batch in batches
            for transcript in engine.transcribe_batch(
                [window.audio for window in batch],
                options,
                lambda: False,
                [window.voiced for window in batch],
            )
        ]
        return " ".join(segment.text for transcript in transcripts for segment in transcript.segments)

    return run


Run = Callable[[Samples], tuple[str, float]]


def timed(run: Callable[[Samples], str]) -> Run:
    def measured(audio: Samples) -> tuple[str, float]:
        started = time.process_time()
        text = run(audio)
        return text, time.process_time() - started

    return measured


# Runs in the other environment: one JSON request a line in, one answer a line out.
CHILD = """
import json, sys, time
import numpy as np, torch, whisper
from pywhispercpp.model import Model
ggml, state = sys.argv[1:]
torch.set_num_threads(1)
arrays = np.load(state)
sizes = {name[5:]: int(arrays[name]) for name in arrays if name.startswith("dims.")}
openai = whisper.model.Whisper(whisper.model.ModelDimensions(**sizes))
openai.load_state_dict({n: torch.from_numpy(arrays[n]) for n in arrays if not n.startswith("dims.")}, strict=False)
cpp = Model(ggml, n_threads=1, print_progress=False, print_realtime=False, redirect_whispercpp_logs_to=None)
answers = sys.stdout
sys.stdout = sys.stderr
print("ready", file=answers, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    audio = np.load(request["audio"])
    started = time.process_time()
    if request["system"] == "openai":
        text = openai.transcribe(audio, language="en", fp16=False)["text"]
    else:
        text = " ".join(s.text for s in cpp.transcribe(audio, language="en", audio_ctx=request["audio_ctx"]))
    print(json.dumps({"text": text, "seconds": time.process_time() - started}), file=answers, flush=True)
"""


class Others:
    """whisper.cpp and openai-whisper in a child process."""

    def __init__(self, python: Path, model: Path) -> None:
        CACHE.mkdir(parents=True, exist_ok=True)
        ggml, state = CACHE / "base.ggml", CACHE / "base.npz"
        if not ggml.exists():
            write_ggml(model, ggml)
            write_openai(model, state)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._child = subprocess.Popen(
            [python, "-c", CHILD, ggml, state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        if self._answer().strip() != "ready":
            raise RuntimeError(f"{python} can't run whisper.cpp and openai-whisper")

    def run(self, system: str, *, audio_ctx: Callable[[Samples], int] = lambda audio: 0) -> Run:
        def measured(audio: Samples) -> tuple[str, float]:
            assert self._child.stdin is not None
            with tempfile.NamedTemporaryFile(suffix=".npy") as file:
                np.save(file, audio)
                file.flush()
                request = {"system": system, "audio": file.name, "audio_ctx": audio_ctx(audio)}
                self._child.stdin.write(json.dumps(request) + "\n")
                self._child.stdin.flush()
                answer = json.loads(self._answer())
            return answer["text"], answer["seconds"]

        return measured

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()

    def _answer(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline()


def other_python() -> Path:
    """Returns an interpreter that has the other engines, installing them where BENCH_PYTHON does not name one."""
    if named := os.environ.get("BENCH_PYTHON"):
        return Path(named)
    folder = CACHE / "venv"
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *OTHERS], check=True)
    return python


def our_audio_ctx(audio: Samples) -> int:
    """The encoder positions (50 a second) that our own first attempt uses."""
    return min(1500, round((len(audio) / SAMPLE_RATE + PADDING_SECONDS) * 50))


def systems(model: Path, others: Others) -> dict[str, Run]:
    engine = WhisperEngine(installed(), workers=1, device="cpu")
    stock = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)
    batched = BatchedInferencePipeline(stock)

    def joined(segments: object) -> str:
        return " ".join(segment.text for segment in segments[0])  # type: ignore[index]

    return {
        "ours, fast": timed(ours(engine, Profile.FAST)),
        "ours, balanced": timed(ours(engine, Profile.BALANCED)),
        "ours, accurate": timed(ours(engine, Profile.ACCURATE)),
        "faster-whisper, beam 5": timed(lambda audio: joined(stock.transcribe(audio, language="en"))),
        "faster-whisper, beam 1 + VAD": timed(
            lambda audio: joined(stock.transcribe(audio, language="en", beam_size=1, vad_filter=True))
        ),
        "faster-whisper, batched": timed(
            lambda audio: joined(batched.transcribe(audio, language="en", batch_size=8))
        ),
        "whisper.cpp": others.run("cpp"),
        "whisper.cpp, equal audio_ctx": others.run("cpp", audio_ctx=our_audio_ctx),
        "openai-whisper": others.run("openai"),
    }


def measure(path: Path, conditions: int) -> dict[str, dict[str, dict[str, object]]]:
    """Runs everything that `path` does not hold yet, and returns and keeps text and seconds by recording and system."""
    measured = json.loads(path.read_text()) if path.exists() else {}
    model = installed().path
    others = Others(other_python(), model)
    try:
        runs = systems(model, others)
        warm_up = load("librivox_0880.wav", 0)
        for run in runs.values():
            run(warm_up)
        for number, recording in enumerate(recordings(conditions)):
            key = f"{recording.kind}: {recording.name}"
            done = measured.setdefault(key, {})
            names = list(runs)
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                # With a short audio_ctx whisper.cpp can't transcribe a long file.
                if name in done or (recording.kind == "long" and "audio_ctx" in name):
                    continue
                text, seconds = runs[name](recording.audio)
                done[name] = {"text": text, "seconds": seconds}
                path.write_text(json.dumps(measured))
                print(f"{key:45} {name:32} {seconds:7.2f} s", flush=True)
    finally:
        others.close()
    return measured


def two_requests() -> tuple[float, float]:
    """Returns the throughput of two threads on two decoders over that of one, and the same for whole-file wall time."""
    engine = WhisperEngine(installed(), workers=2, device="cpu")
    audio = next(recordings(1)).audio
    run = ours(engine, Profile.BALANCED)
    run(audio[: 20 * SAMPLE_RATE])
    alone, together = [], []
    for _ in range(3):
        started = time.monotonic()
        run(audio)
        alone.append(time.monotonic() - started)
        threads = [threading.Thread(target=run, args=(audio,)) for _ in range(2)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        together.append(time.monotonic() - started)
    engine.close()
    return min(alone), min(together)


@dataclass(frozen=True)
class Row:
    name: str
    seconds: float
    speed: float
    substitutions: int
    deletions: int
    insertions: int
    words: int

    @property
    def error_rate(self) -> float:
        return 100 * (self.substitutions + self.deletions + self.insertions) / self.words


def rows(kind: str, measured: dict[str, dict[str, dict[str, object]]], conditions: int) -> list[Row]:
    seconds: dict[str, float] = defaultdict(float)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    length: dict[str, float] = defaultdict(float)
    for recording in recordings(conditions):
        if recording.kind != kind:
            continue
        for name, result in measured[f"{recording.kind}: {recording.name}"].items():
            compared = jiwer.process_words(words(recording.reference), words(str(result["text"])) or "-")
            spoken = compared.hits + compared.substitutions + compared.deletions
            found = (compared.substitutions, compared.deletions, compared.insertions, spoken)
            counts[name] = [a + b for a, b in zip(counts[name], found, strict=True)]
            seconds[name] += float(str(result["seconds"]))
            length[name] += len(recording.audio) / SAMPLE_RATE
    return [Row(name, seconds[name], length[name] / seconds[name], *counts[name]) for name in sorted(counts)]


def table(found: list[Row]) -> str:
    base = next(row for row in found if row.name == "faster-whisper, beam 5")
    lines = [
        "| Engine | CPU seconds | times real time | against beam 5 | WER % | S | D | I |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.name} | {row.seconds:.1f} | {row.speed:.1f} | {base.seconds / row.seconds:.2f} | "
        f"{row.error_rate:.1f} | {row.substitutions} | {row.deletions} | {row.insertions} |"
        for row in sorted(found, key=lambda row: row.seconds)
    ]
    return "\n".join(lines)


def plot(found: list[Row]) -> str:
    """Returns an SVG: speed to the right, word error rate upwards."""
    width, height, margin = 720, 420, 60
    fastest = max(row.speed for row in found) * 1.15
    worst = max(1.0, *(row.error_rate for row in found)) * 1.15

    def x(value: float) -> float:
        return margin + (width - 2 * margin) * value / fastest

    def y(value: float) -> float:
        return height - margin - (height - 2 * margin) * value / worst

    marks = [
        f'<circle cx="{x(row.speed):.0f}" cy="{y(row.error_rate):.0f}" r="5" '
        f'fill="{"#0b6" if row.name.startswith("ours") else "#567"}"/>'
        f'<text x="{x(row.speed) + 8:.0f}" y="{y(row.error_rate) + 4:.0f}">{row.name}</text>'
        for row in found
    ]
    steps = range(0, int(fastest), 5)
    ticks = [
        f'<text x="{x(s):.0f}" y="{height - margin + 18}" text-anchor="middle">{s}</text>' for s in steps
    ]
    ticks += [
        f'<text x="{margin - 8}" y="{y(step) + 4:.0f}" text-anchor="end">{step}</text>'
        for step in range(0, int(worst), 2)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{margin} {margin}V{height - margin}H{width - margin}" fill="none" stroke="#999"/>'
        f"{''.join(ticks + marks)}"
        f'<text x="{width / 2}" y="{height - 15}" text-anchor="middle">times real time, one core</text>'
        f'<text x="{margin}" y="{margin - 20}">word error rate, %</text></svg>\n'
    )


def report(
    measured: dict[str, dict[str, dict[str, object]]], conditions: int, alone: float, together: float
) -> str:
    long, short = rows("long", measured, conditions), rows("short", measured, conditions)
    parts = list(recordings(conditions))
    minutes = sum(len(part.audio) for part in parts if part.kind == "long") / SAMPLE_RATE / 60
    clips = sum(part.kind == "short" for part in parts)
    packages = ("ctranslate2", "faster-whisper", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages) + ", " + ", ".join(OTHERS)
    return f"""# Speech to text: speed against word error rate

`make bench-stt`, {platform.machine()}, one thread an engine, {versions};
model {MODEL} (whisper.cpp: the same weights as 16-bit floats; openai-whisper: as 32-bit floats; the others int8).
Processor seconds, voice detection included.

The speech is real but not much: 99 seconds of five readers and speakers in nine clips, joined in another order and
with other pauses under {conditions} conditions (speed, noise, a room, level). Rates on it can't be compared with those
of other corpora, and differences below half a point are chance.

## Long: {minutes:.1f} minutes

{table(long)}

![Speed and word error rate](stt_speed.svg)

## Short: {clips} clips of 3 to 11 seconds, language given

{table(short)}

## Two requests at once

Two files on two decoders took {together:.1f} s, one file on one {alone:.1f} s:
{2 * alone / together:.2f} times the throughput.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run has measured")
    parser.add_argument("--conditions", type=int, default=len(CONDITIONS), help="only the first so many")
    arguments = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / "measured.json"
    if arguments.fresh:
        path.unlink(missing_ok=True)
    measured = measure(path, arguments.conditions)
    alone, together = two_requests()
    text = report(measured, arguments.conditions, alone, together)
    (RESULTS / "stt_speed.md").write_text(text)
    (RESULTS / "stt_speed.svg").write_text(plot(rows("long", measured, arguments.conditions)))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
