"""Peak memory of the speech service for a recording of one hour and one of ten hours, each in a fresh process.

    .venv/bin/python benchmarks/stt_memory.py

The recordings are Opus: ten minutes with about one minute of real speech in short stretches, whose packets are
repeated with later times. The service is the real one on a unix socket, with the model faster-whisper-tiny.en and the
profile fast: what grows with a recording is not the model. Peak memory is VmHWM of the service's process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.wire import to_seconds

ROOT = Path(__file__).parent.parent
SPEECH = ("jfk.flac", "librivox_0870.wav", "librivox_0880.wav", "librivox_0890.wav")
RATE = 48_000
UNIT_SECONDS = 600
STRETCH_SECONDS = 75
CHUNK_BYTES = 1 << 18
MODEL = "faster-whisper-tiny.en"
# As the service's image sets them.
ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
}


def speech() -> list[np.ndarray]:
    """Returns the recordings of tests/data at RATE."""
    read = []
    for name in SPEECH:
        resampler = av.AudioResampler("fltp", "mono", RATE)
        with av.open(ROOT / "tests/data" / name) as file:
            frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
            frames += resampler.resample(None)
        read.append(np.concatenate([frame.to_ndarray()[0] for frame in frames]))
    return read


def write_unit(path: Path) -> None:
    """Writes UNIT_SECONDS of Opus: a recording every STRETCH_SECONDS, room noise at -60 dB between them."""
    audio = np.random.default_rng(1).normal(0, 0.001, UNIT_SECONDS * RATE).astype(np.float32)
    recordings = speech()
    for number, start in enumerate(range(0, len(audio), STRETCH_SECONDS * RATE)):
        said = recordings[number % len(recordings)]
        audio[start : start + len(said)] += said
    with av.open(path, "w", format="ogg") as output:
        stream = output.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = 24_000
        for start in range(0, len(audio), 960):
            frame = av.AudioFrame.from_ndarray(audio[None, start : start + 960], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def write_recording(unit: Path, path: Path, hours: int) -> None:
    """Repeats the packets of `unit`, without encoding them anew."""
    with av.open(path, "w", format="ogg") as output:
        stream = None
        for repeat in range(hours * 3600 // UNIT_SECONDS):
            with av.open(unit) as source:
                stream = stream or output.add_stream_from_template(source.streams.audio[0])
                for packet in source.demux(audio=0):
                    if packet.dts is None:
                        continue
                    later = round(repeat * UNIT_SECONDS / packet.time_base)
                    packet.pts, packet.dts, packet.stream = packet.pts + later, packet.dts + later, stream
                    output.mux(packet)


def requests(path: Path) -> Iterator[stt_pb2.TranscribeRequest]:
    config = stt_pb2.TranscribeConfig(language="en", profile=stt_pb2.PROFILE_FAST)
    yield stt_pb2.TranscribeRequest(config=config)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield stt_pb2.TranscribeRequest(audio_chunk=chunk)


def peak_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def measure(path: Path, folder: Path) -> dict[str, float]:
    """Transcribes the file with a new service and returns what was measured."""
    socket = f"unix:{folder}/stt.sock"
    environment = {
        **os.environ,
        **ALLOCATOR,
        "RECORDROUTE_STT_LISTEN": socket,
        "RECORDROUTE_STT_MODEL": MODEL,
        "RECORDROUTE_LOG_LEVEL": "warning",
    }
    with (
        subprocess.Popen([sys.executable, "-m", "recordroute_stt"], env=environment) as service,
        grpc.insecure_channel(socket) as channel,
    ):
        try:
            health = health_pb2_grpc.HealthStub(channel)
            answers = health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=120)
            next(answer for answer in answers if answer.status == health_pb2.HealthCheckResponse.SERVING)
            loaded, started, first = peak_mib(service.pid), time.monotonic(), 0.0
            segments = 0
            stats = stt_pb2.TranscribeStats()
            for response in stt_pb2_grpc.SttServiceStub(channel).Transcribe(requests(path)):
                if response.HasField("segment"):
                    segments += 1
                    first = first or time.monotonic() - started
                elif response.HasField("stats"):
                    stats = response.stats
            return {
                "hours": to_seconds(stats.audio_duration) / 3600,
                "file_mib": path.stat().st_size / 2**20,
                "loaded_mib": loaded,
                "peak_mib": peak_mib(service.pid),
                "first_segment_seconds": first,
                "minutes": (time.monotonic() - started) / 60,
                "segments": segments,
            }
        finally:
            service.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=int, nargs=2, default=(1, 10), help="the two lengths")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/stt_memory.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_unit(folder / "unit.opus")
        rows = []
        for hours in arguments.hours:
            path = folder / f"{hours}.opus"
            write_recording(folder / "unit.opus", path, hours)
            rows.append(measure(path, folder))
            print(rows[-1], flush=True)
    arguments.output.write_text(report(*rows))


def report(short: dict[str, float], long: dict[str, float]) -> str:
    more = 100 * (long["peak_mib"] / short["peak_mib"] - 1)
    lines = [
        "# Memory of a long recording",
        "",
        "`benchmarks/stt_memory.py`: a fresh service process for each recording, model faster-whisper-tiny.en, profile",
        "fast, Opus of which a tenth is real speech and the rest room noise; "
        f"PyAV {av.__version__}, Python {sys.version.split()[0]}.",
        "",
        "| Recording | File | Segments | First segment | Worked on for | Peak after loading | Peak in the end |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['hours']:.2f} h | {row['file_mib']:.1f} MiB | {row['segments']:.0f} "
        f"| after {row['first_segment_seconds']:.1f} s | {row['minutes']:.1f} min "
        f"| {row['loaded_mib']:.0f} MiB | {row['peak_mib']:.0f} MiB |"
        for row in (short, long)
    ]
    lines += [
        "",
        f"The longer recording's peak is {more:+.1f} % of the shorter one's. Times were measured on a busy machine and "
        "say nothing.",
        "",
        "Diarization is off: with it memory grows with the words and voices that are kept until the end.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
