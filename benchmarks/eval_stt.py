"""How truthful the speech service is: words, word times, silence, quiet speech, speakers.

`make eval-stt` asks a service of its own over gRPC, with the default model, and writes
benchmarks/results/stt_accuracy.md and benchmarks/results/silence_gate.md. `--only` runs and prints single sections.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gate_calibration
import grpc
import numpy as np
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc
from nonspeech import RATE, Samples, near_the_voice, sounds
from recordroute.common.v1 import transcript_pb2
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from spoken import DATA, Recording, decoded, joined, louder, noisy, samples, telephone
from transcript_metrics import (
    DiarizationErrors,
    Errors,
    Turn,
    character_errors,
    diarization_errors,
    kept_words,
    normalised,
    read_rttm,
    word_errors,
)

RESULTS = Path(__file__).resolve().parent / "results"
SERVICE = "recordroute.stt.v1.SttService"
CHUNK_BYTES = 1 << 20
CALL_SECONDS = 600
# Of each kind of sound, so that all kinds together are half an hour.
SOUND_SECONDS = 36.0
MELODY_SECONDS = 10.0
LANGUAGES = (None, "en", "ko", "ja")
PROFILES = {
    "fast": stt_pb2.PROFILE_FAST,
    "balanced": stt_pb2.PROFILE_BALANCED,
    "accurate": stt_pb2.PROFILE_ACCURATE,
}
PAUSES = (0.7, 1.5, 0.5, 2.5, 1.0, 4.0, 0.8, 1.2)


@dataclass
class Transcript:
    """What the service answered."""

    segments: list[transcript_pb2.Segment] = field(default_factory=list)
    removed: list[stt_pb2.RemovedText] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    language: str = ""
    speech_seconds: float = 0.0

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def words(self) -> list[transcript_pb2.Word]:
        return [word for segment in self.segments for word in segment.words]


def seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


class Service:
    """A speech service of our own process."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = stt_pb2_grpc.SttServiceStub(channel)

    def transcribe(self, audio: Samples, **options: Any) -> Transcript:
        content = wav(audio)

        def requests() -> Iterator[stt_pb2.TranscribeRequest]:
            yield stt_pb2.TranscribeRequest(config=stt_pb2.TranscribeConfig(**options))
            for start in range(0, len(content), CHUNK_BYTES):
                yield stt_pb2.TranscribeRequest(audio_chunk=content[start : start + CHUNK_BYTES])

        transcript = Transcript()
        for response in self._stub.Transcribe(requests(), timeout=CALL_SECONDS):
            match response.WhichOneof("payload"):
                case "segment":
                    transcript.segments.append(response.segment)
                case "removed":
                    transcript.removed.append(response.removed)
                case "language":
                    transcript.language = response.language.language
                case "speakers":
                    transcript.segments.clear()
                case "turns":
                    transcript.turns += [
                        Turn(turn.speaker, seconds(turn.start), seconds(turn.end))
                        for turn in response.turns.turns
                    ]
                case "stats":
                    transcript.speech_seconds = seconds(response.stats.speech_duration)
        return transcript


@contextmanager
def service() -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/stt.sock"
        environment = {**os.environ, "RECORDROUTE_STT_LISTEN": address, "RECORDROUTE_LOG_LEVEL": "warning"}
        with subprocess.Popen([sys.executable, "-m", "recordroute_stt"], env=environment) as process:
            try:
                with grpc.insecure_channel(address) as channel:
                    request = health_pb2.HealthCheckRequest(service=SERVICE)
                    watch = health_pb2_grpc.HealthStub(channel).Watch(
                        request, timeout=120, wait_for_ready=True
                    )
                    serving = health_pb2.HealthCheckResponse.SERVING
                    if not any(answer.status == serving for answer in until(watch, serving)):
                        raise SystemExit("the speech service did not start")
                    yield Service(channel)
            finally:
                process.terminate()


def until(
    answers: Iterator[health_pb2.HealthCheckResponse], status: int
) -> Iterator[health_pb2.HealthCheckResponse]:
    for answer in answers:
        yield answer
        if answer.status == status:
            return


def wav(audio: Samples) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(head: Sequence[str], rows: Sequence[str]) -> list[str]:
    return [row(*head), row(*["---"] * len(head)), *rows, ""]


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def constructions() -> list[Recording]:
    """What is made of the samples, with known words and known places."""
    clean = samples()
    english = [recording for recording in clean if recording.pieces[0].language == "en"]
    by_name = {recording.name: recording for recording in clean}
    short = [recording for recording in english if not recording.name.startswith("licence")]
    in_turn = [by_name["jfk"], by_name["licence, German"], by_name["librivox_0870"]]
    spliced = joined("six clips, pauses of 0.5 to 4 s", short, PAUSES)
    tight = joined("six clips, pauses of 0.15 s", short, [0.15] * 7)
    return [
        spliced,
        tight,
        louder(spliced, -30),
        noisy(spliced, 10),
        noisy(spliced, 0),
        telephone(spliced),
        joined("English, German, English", in_turn, [0.5, 1.0, 1.0, 0.5]),
    ]


def words_section(asked: Service) -> list[str]:
    rows = []
    for profile, number in PROFILES.items():
        total = Errors(0, 0, 0, 0)
        for recording in samples():
            language = recording.pieces[0].language
            transcript = asked.transcribe(recording.audio, language=language, profile=number)
            errors = word_errors(recording.text, transcript.text)
            total += errors
            if profile == "balanced":
                rows.append(words_row(recording.name, profile, recording.text, transcript.text))
        counts = (total.substitutions, total.deletions, total.insertions)
        rows.append(row("**all samples**", profile, total.length, percent(total.rate), "", *counts))
    for recording in constructions():
        switching = len({piece.language for piece in recording.pieces}) > 1
        options: dict[str, object] = (
            {"detect_language_per_segment": True} if switching else {"language": "en"}
        )
        transcript = asked.transcribe(recording.audio, **options)
        rows.append(words_row(recording.name, "balanced", recording.text, transcript.text))
    head = ("Recording", "Profile", "Words", "WER", "CER", "Substituted", "Deleted", "Inserted")
    return ["## Words", "", *table(head, rows)]


def words_row(name: str, profile: str, reference: str, transcript: str) -> str:
    errors = word_errors(reference, transcript)
    characters = character_errors(reference, transcript, spaces=True)
    counts = (errors.substitutions, errors.deletions, errors.insertions)
    return row(name, profile, errors.length, percent(errors.rate), percent(characters.rate), *counts)


def times_section(asked: Service) -> list[str]:
    rows = []
    for recording in constructions():
        if len({piece.language for piece in recording.pieces}) > 1:
            continue
        words = asked.transcribe(recording.audio, language="en", word_timestamps=True).words
        begins, ends = [], []
        for piece in recording.pieces:
            inside = [
                word
                for word in words
                if piece.start - 0.3 < (seconds(word.start) + seconds(word.end)) / 2 < piece.end + 0.3
            ]
            if inside:
                begins.append(min(abs(seconds(word.start) - piece.start) for word in inside))
                ends.append(min(abs(seconds(word.end) - piece.end) for word in inside))
        astray = sum(
            not any(
                seconds(word.start) < piece.end + 0.2 and seconds(word.end) > piece.start - 0.2
                for piece in recording.pieces
            )
            for word in words
        )
        errors = np.array(begins + ends)
        rows.append(
            row(
                recording.name,
                f"{len(errors)} of {2 * len(recording.pieces)}",
                f"{np.median(errors):.2f} s",
                f"{errors.max():.2f} s",
                f"{np.median(begins):.2f} s",
                f"{np.median(ends):.2f} s",
                f"{astray} of {len(words)}",
            )
        )
    head = (
        "Recording",
        "Edges with words at them",
        "Error: median",
        "highest",
        "first words' begin",
        "last words' end",
        "Words in known silence",
    )
    return [
        "## Word times",
        "",
        "Against the edges of the speech of each spliced clip, which are known to 20 ms.",
        "",
        *table(head, rows),
    ]


def quiet_section(asked: Service) -> list[str]:
    rows, found_normal, found_quiet = [], 0, 0
    for recording in [*samples(), *constructions()[:1]]:
        language = recording.pieces[0].language
        normal = asked.transcribe(recording.audio, language=language)
        quiet = asked.transcribe(louder(recording, -30).audio, language=language)
        kept = kept_words(normal.text, quiet.text)
        count = len(normalised(normal.text).split())
        found_normal += count
        found_quiet += round(kept * count)
        rows.append(row(recording.name, count, percent(kept), len(normal.removed), len(quiet.removed)))
    rows.append(row("**all**", found_normal, percent(found_quiet / found_normal), "", ""))
    head = ("Recording", "Words at normal level", "The same words at -30 dB", "Removed", "Removed at -30 dB")
    return ["## Quiet speech", "", *table(head, rows)]


def gate_section(asked: Service) -> list[str]:
    made = sounds(SOUND_SECONDS)
    minutes = sum(len(audio) for audio in made.values()) / RATE / 60
    for index, audio in enumerate(near_the_voice(MELODY_SECONDS, seed=1)):
        made["melodies like a voice", str(index)] = audio
    open_gate = stt_pb2.PostProcessing(silence_gate=False, remove_loops=False)
    groups: dict[str, dict[str, float]] = {}
    examples: list[str] = []
    for (group, kind), audio in made.items():
        counts = groups.setdefault(group, {"kinds": 0, "seconds": 0, "passed": 0, "open": 0, "removed": 0})
        counts["kinds"] += 1
        counts["seconds"] += len(audio) / RATE
        without = asked.transcribe(audio, language="en", post_processing=open_gate)
        counts["passed"] += without.speech_seconds
        counts["open"] += len(normalised(without.text).split())
        for language in LANGUAGES:
            options = {} if language is None else {"language": language}
            transcript = asked.transcribe(audio, **options)
            name = f"words {language}"
            counts[name] = counts.get(name, 0) + len(normalised(transcript.text).split())
            counts["removed"] += len(transcript.removed)
            if transcript.text:
                examples.append(f"- {group}, {kind}, language {language or 'detected'}: {transcript.text}")
    rows = [
        row(
            group,
            f"{counts['kinds']:.0f}",
            f"{counts['seconds'] / 60:.1f} min",
            f"{counts['passed']:.1f} s",
            f"{counts['open']:.0f}",
            f"{counts['removed']:.0f}",
            *(f"{counts[f'words {language}']:.0f}" for language in LANGUAGES),
        )
        for group, counts in groups.items()
    ]
    head = (
        "Sounds",
        "Kinds",
        "Length",
        "Taken for speech",
        "Words in en without the gate",
        "Segments taken out (4 runs)",
        "Words: detected",
        "en",
        "ko",
        "ja",
    )
    return [
        "## Half an hour without speech",
        "",
        f"{minutes:.1f} minutes of generated sounds (benchmarks/nonspeech.py), each kind by itself, with the language "
        "detected and forced; and melodies in the range of the voice, which pass the voice detector most easily.",
        "",
        *table(head, rows),
        *(["Words that got through:", "", *examples, ""] if examples else []),
    ]


def speakers_section(asked: Service) -> list[str]:
    files = {
        **read_rttm((DATA / "conversation_30s.rttm").read_text().splitlines()),
        **read_rttm((DATA / "ami_trn.rttm").read_text().splitlines()),
    }
    recordings = {
        "conversation_30s.flac": files["sample"],
        "ami_trn03.flac": files["trn03"],
        "ami_trn04.flac": files["trn04"],
    }
    rows = []
    for name, reference in recordings.items():
        audio = decoded(name)
        people = len({turn.speaker for turn in reference})
        automatic = asked.transcribe(audio, language="en", diarization=stt_pb2.DiarizationConfig())
        told = asked.transcribe(
            audio, language="en", diarization=stt_pb2.DiarizationConfig(speaker_count=people)
        )
        alone = [Turn("S1", turn.start, turn.end) for turn in automatic.turns]
        heard = len({turn.speaker for turn in automatic.turns})
        for label, turns in (
            ("counted by itself", automatic.turns),
            ("count given", told.turns),
            ("everything one speaker", alone),
        ):
            rows.append(speakers_row(name, label, people, heard, diarization_errors(reference, turns)))
    head = ("Recording", "Speakers", "Real", "Found", "DER", "Missed", "False alarm", "Confused")
    return [
        "## Who spoke when",
        "",
        "Collar 0.25 s, overlapped speech counted.",
        "",
        *table(head, rows),
    ]


def speakers_row(name: str, label: str, people: int, heard: int, errors: DiarizationErrors) -> str:
    parts = (errors.missed, errors.false_alarm, errors.confused)
    shares = (percent(part / errors.total) for part in parts)
    return row(
        name, label, people, heard if label.startswith("counted") else "", percent(errors.rate), *shares
    )


SECTIONS: dict[str, Callable[[Service], list[str]]] = {
    "words": words_section,
    "times": times_section,
    "speakers": speakers_section,
    "gate": gate_section,
    "quiet": quiet_section,
    "margins": lambda _: gate_calibration.section(),
}
PAGES = {
    "stt_accuracy": (
        "# Accuracy of the speech service",
        ("words", "times", "speakers"),
        (
            "The words of tests/data, whose texts are known, and what is joined from them with known pauses. There is "
            "no Korean recording with a free licence here, so no Korean figure: the Korean metrics (CER with and "
            "without spaces) are tested on written Korean only.",
        ),
    ),
    "silence_gate": ("# The silence gate", ("gate", "quiet", "margins"), ()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), help="run and print these sections only")
    wanted = parser.parse_args().only or list(SECTIONS)
    made: dict[str, list[str]] = {}
    with service() as asked:
        for name in wanted:
            made[name] = SECTIONS[name](asked)
            print("\n".join(made[name]), flush=True)
    for page, (title, sections, notes) in PAGES.items():
        if all(name in made for name in sections):
            machine = f"`make eval-stt`, {platform.machine()}, Python {platform.python_version()}."
            lines = [title, "", machine, ""]
            lines += [line for note in notes for line in (note, "")]
            lines += [line for name in sections for line in made[name]]
            (RESULTS / f"{page}.md").write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
