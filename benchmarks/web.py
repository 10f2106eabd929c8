"""How quick the browser client is: its first load, a long transcript, live audio, uploads.

`make bench-web` starts the gateway as a process, beside a speech service that answers at once with as many words as it
is asked for (in this process), and drives Chromium by its own protocol (benchmarks/web_browser.mjs). What the page
shows is measured, not what a recogniser takes: benchmarks/live_gateway.py and benchmarks/stt_live.py have that.

Writes benchmarks/results/web.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import platform
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import grpc.aio
import numpy as np
from live_gateway import PINGS_WELCOME, Echo, started
from recordroute.common.v1 import transcript_pb2
from recordroute.gateway.v1 import upload_pb2, upload_pb2_grpc, workflow_pb2, workflow_pb2_grpc
from recordroute.stt.v1 import stt_pb2, stt_pb2_grpc
from recordroute_runtime.wire import to_duration

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/results/web.md"
STATIC = ROOT / "services/gateway/src/recordroute_gateway/web/static"
MIB = 1 << 20
WORDS_A_SECOND = 2.5
WORDS_A_SEGMENT = 12
RATE = 8_000
VOCABULARY = [
    "we",
    "should",
    "look",
    "at",
    "the",
    "budget",
    "of",
    "the",
    "library",
    "again",
    "before",
    "spring",
    "because",
    "the",
    "new",
    "reading",
    "room",
    "needs",
    "lamps",
    "and",
    "Anna",
    "has",
    "asked",
    "two",
    "companies",
    "for",
    "an",
    "offer",
    "that",
    "we",
    "can",
    "compare",
    "with",
    "what",
    "was",
    "decided",
    "last",
    "week",
]
# What shows that a page is there, on it: by elements that stay when texts change.
TITLE = "h1"
LINE = "[data-text]"
START = "form button[type=submit]"
STOP = "Stop and save"


class Talk(Echo):
    """Answers with as many words as the prompt of the request says."""

    async def Transcribe(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        count = 0
        async for request in request_iterator:
            if request.HasField("config"):
                count = int(request.config.initial_prompt or 0)
        length = to_duration(count / WORDS_A_SECOND)
        yield stt_pb2.TranscribeResponse(
            media_info=stt_pb2.MediaInfo(container="flac", codec="flac", duration=length)
        )
        yield stt_pb2.TranscribeResponse(language=stt_pb2.DetectedLanguage(language="en", probability=1))
        speakers = [stt_pb2.Speaker(label=f"S{n}", speech_duration=length) for n in (1, 2, 3)]
        yield stt_pb2.TranscribeResponse(speakers=stt_pb2.Speakers(speakers=speakers))
        for index, first in enumerate(range(0, count, WORDS_A_SEGMENT)):
            yield stt_pb2.TranscribeResponse(
                segment=segment(index, range(first, min(first + WORDS_A_SEGMENT, count)))
            )
        yield stt_pb2.TranscribeResponse(
            stats=stt_pb2.TranscribeStats(audio_duration=length, speech_duration=length, model="stand-in")
        )


def segment(index: int, numbers: range) -> transcript_pb2.Segment:
    words = [
        transcript_pb2.Word(
            text=f"{' ' if number > numbers[0] else ''}{VOCABULARY[(number * 7) % len(VOCABULARY)]}",
            start=to_duration(number / WORDS_A_SECOND),
            end=to_duration((number + 0.9) / WORDS_A_SECOND),
            probability=0.4 if number % 29 == 0 else 0.95,
        )
        for number in numbers
    ]
    return transcript_pb2.Segment(
        index=index,
        start=words[0].start,
        end=words[-1].end,
        text="".join(word.text for word in words),
        speaker=f"S{index // 5 % 3 + 1}",
        words=words,
        language="en",
    )


def recording_of(path: Path, seconds: float) -> None:
    """Writes a FLAC file with a tone now and then."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        tone = (np.sin(np.arange(RATE) * 0.35) * 8000).astype(np.int16)
        silence = np.zeros(9 * RATE, np.int16)
        for _ in range(max(1, round(seconds / 10))):
            for samples in (tone, silence):
                frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
                frame.sample_rate = RATE
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


async def add(channel: grpc.aio.Channel, path: Path, words: int) -> str:
    """Uploads a recording and waits until it has its transcript; returns its id."""

    def requests() -> Iterator[upload_pb2.UploadRecordingRequest]:
        yield upload_pb2.UploadRecordingRequest(
            config=upload_pb2.UploadConfig(
                request_id=str(uuid.uuid4()), file_name=path.name, allow_duplicate=True
            )
        )
        with path.open("rb") as file:
            while chunk := file.read(MIB):
                yield upload_pb2.UploadRecordingRequest(chunk=chunk)

    uploads = upload_pb2_grpc.UploadServiceStub(channel)
    workflows = workflow_pb2_grpc.WorkflowServiceStub(channel)
    uploaded = (await uploads.UploadRecording(requests(), timeout=120)).recording.id
    options = workflow_pb2.WorkflowOptions(skip_summary=True, skip_index=True, initial_prompt=str(words))
    begun = await workflows.StartWorkflow(
        workflow_pb2.StartWorkflowRequest(
            request_id=str(uuid.uuid4()), recording_id=uploaded, options=options
        ),
        timeout=30,
    )
    state = None
    watch = workflow_pb2.WatchWorkflowRequest(workflow_id=begun.workflow.id)
    async for response in workflows.WatchWorkflow(watch, timeout=300):
        state = response.event.state
    if state != workflow_pb2.WORKFLOW_STATE_SUCCEEDED:
        raise RuntimeError(f"the work on {path.name} ended with {state}")
    return str(uploaded)


class Browser:
    """benchmarks/web_browser.mjs as a process."""

    def __init__(self) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._process = subprocess.Popen(
            ["node", ROOT / "benchmarks/web_browser.mjs"],
            env={**os.environ, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, job: str, **options: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"job": job, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{job} failed")
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@contextmanager
def browser() -> Iterator[Browser]:
    running = Browser()
    try:
        yield running
    finally:
        running.close()


def spread(values: Sequence[float], unit: str = "ms") -> str:
    return f"{statistics.median(values):.0f} {unit} ({min(values):.0f} to {max(values):.0f})"


def percentiles(values: Sequence[float]) -> str:
    return f"{np.percentile(values, 50):.1f} / {np.percentile(values, 95):.1f} / {max(values):.0f}"


def compressed(paths: Sequence[str]) -> tuple[int, int]:
    """Returns how many bytes of the client's files these are, as they are and by gzip."""
    files = {path: STATIC / path.lstrip("/") for path in paths}
    bodies = [file.read_bytes() for file in files.values() if file.is_file()]
    return sum(map(len, bodies)), sum(len(gzip.compress(body, 9)) for body in bodies)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def bench(arguments: argparse.Namespace, say: Callable[[str], None]) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = grpc.aio.server(options=PINGS_WELCOME)
        stt_pb2_grpc.add_SttServiceServicer_to_server(Talk(), server)
        stt = f"unix:{folder}/stt.sock"
        server.add_insecure_port(stt)
        await server.start()
        listen, port = f"unix:{folder}/gateway.sock", free_port()
        variables = {
            "RECORDROUTE_DATA_DIR": str(folder / "data"),
            "RECORDROUTE_GATEWAY_LISTEN": listen,
            "RECORDROUTE_GATEWAY_HTTP_LISTEN": f"127.0.0.1:{port}",
            "RECORDROUTE_GATEWAY_STT_TARGET": stt,
        }
        (folder / "data").mkdir()
        async with started("recordroute_gateway", listen, **variables):
            say("filling the library")
            async with grpc.aio.insecure_channel(listen) as channel:
                short, long = folder / "short.flac", folder / "long.flac"
                recording_of(short, 60)
                recording_of(long, arguments.words / WORDS_A_SECOND)
                for _ in range(arguments.recordings):
                    await add(channel, short, 150)
                transcript = await add(channel, long, arguments.words)
            url = f"http://127.0.0.1:{port}"
            text = await asyncio.to_thread(measure, url, transcript, folder, arguments, say)
        await server.stop(0)
        return text


def measure(
    url: str, transcript: str, folder: Path, arguments: argparse.Namespace, say: Callable[[str], None]
) -> str:
    long_page = f"{url}/recordings/{transcript}"
    routes = {
        "library": "/",
        "recording": f"/recordings/{transcript}",
        "find": "/find",
        "live": "/live",
        "activity": "/activity",
        "settings": "/settings/general",
    }
    microphone, upload = folder / "microphone.wav", folder / "upload.wav"
    subprocess.run([sys.executable, ROOT / "tests/web/speech.py", microphone], check=True)
    upload.write_bytes(wav_header(arguments.size_mib * MIB) + os.urandom(arguments.size_mib * MIB))
    with browser() as run:
        say("first load")
        cold = {
            slowdown: [
                run("cold", url=f"{url}/", selector=TITLE, slowdown=slowdown) for _ in range(arguments.rounds)
            ]
            for slowdown in (1, 4)
        }
        say("what each page loads")
        loads = {
            route: compressed(
                ["/index.html", *run("cold", url=f"{url}{path}", selector=TITLE, slowdown=1)["loaded"]]
            )
            for route, path in routes.items()
        }
        say("the long transcript")
        scrolls = {
            slowdown: run(
                "scroll",
                url=long_page,
                selector=LINE,
                scroller=LINE,
                slowdown=slowdown,
                distance=40_000,
                speed=4_000,
            )
            for slowdown in (1, 4)
        }
        say("live")
        live = run(
            "live",
            url=f"{url}/live",
            start=START,
            stop=STOP,
            microphone=str(microphone),
            seconds=arguments.live_seconds,
        )["pushes"]
        say("uploads")
        uploads = []
        for _ in range(arguments.rounds):
            put = run("put", file=str(upload))["seconds"]
            # The same bytes once more would be refused as a duplicate: another sample each time.
            with upload.open("r+b") as file:
                file.seek(-4, os.SEEK_END)
                file.write(os.urandom(4))
            uploads.append((put, run("upload", url=f"{url}/", ready=TITLE, file=str(upload))["seconds"]))
    return report(arguments, cold, loads, scrolls, live, uploads)


def wav_header(size: int) -> bytes:
    """The head of a WAV file of 16-bit mono samples."""
    return struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", size + 36, b"WAVEfmt ", 16, 1, 1, 48_000, 96_000, 2, 16, b"data", size
    )


CPU_NAMES = {1: "as it is", 4: "4 times slower"}
HEAD = """# The browser client

`make bench-web{options}`

Chromium (headless, drawing in software) and the gateway on one machine, over loopback; a new browser profile for each
figure. Speech recognition is a stand-in that answers at once: these are the page's figures, and the gateway's.

## First load

The library with {recordings} recordings, {rounds} times; the median, the quickest and the slowest. Interactive: the
page shows what it is for, and its main thread has been free since (no task over 50 ms).

| CPU | first paint | heading | interactive |
|---|---|---|---|
{cold}

## What each page loads

Opened directly, with everything that it needed: scripts, styles, dictionaries.

| Page | files, kB | by gzip, kB |
|---|---|---|
{loads}

## A long transcript

{words:,} words in {segments:,} segments, {hours:.1f} hours. First text: from the navigation. Frames: while 40,000
pixels are scrolled at 4,000 pixels a second; at best 16.7 ms.

| CPU | first text | frames, p50 / p95 / longest, ms | elements | JavaScript heap |
|---|---|---|---|---|
{scrolls}

## Live

{pushes} pushes from the microphone, as the browser saw them: p50 / p95 / longest {live} ms.

## Uploads

A WAV file of {size} MiB, {rounds} times in turns: a plain PUT from a page to a server that drops it, and the library
page, from choosing the file to the answer of CompleteUpload (hashed on both sides, flushed to the disk, probed).

| | MiB/s | of the PUT |
|---|---|---|
{uploads}

{machine}.
"""


def table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def report(
    arguments: argparse.Namespace,
    cold: dict[int, list[dict[str, Any]]],
    loads: dict[str, tuple[int, int]],
    scrolls: dict[int, dict[str, Any]],
    live: list[float],
    uploads: list[tuple[float, float]],
) -> str:
    ratios = [put / upload for put, upload in uploads]
    puts, ours = ([arguments.size_mib / pair[side] for pair in uploads] for side in (0, 1))
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return HEAD.format(
        options=f" ARGS='{' '.join(sys.argv[1:])}'" if sys.argv[1:] else "",
        recordings=arguments.recordings + 1,
        rounds=arguments.rounds,
        cold=table(
            [
                (
                    CPU_NAMES[rate],
                    *(spread([run[key] for run in runs]) for key in ("paint", "shown", "interactive")),
                )
                for rate, runs in cold.items()
            ]
        ),
        loads=table(
            [(route, f"{plain / 1000:.0f}", f"{small / 1000:.0f}") for route, (plain, small) in loads.items()]
        ),
        words=arguments.words,
        segments=-(-arguments.words // WORDS_A_SEGMENT),
        hours=arguments.words / WORDS_A_SECOND / 3600,
        scrolls=table(
            [
                (
                    CPU_NAMES[rate],
                    f"{run['shown']:.0f} ms",
                    percentiles(run["frames"]),
                    f"{run['elements']:,}",
                    f"{run['heap'] / MIB:.0f} MiB",
                )
                for rate, run in scrolls.items()
            ]
        ),
        pushes=len(live),
        live=percentiles(live),
        size=arguments.size_mib,
        uploads=table([("PUT", spread(puts, ""), "1.00"), ("library page", spread(ours, ""), ratio)]),
        machine=f"{chromium_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, "
        f"{platform.system()} {platform.release()}",
    )


def chromium_version() -> str:
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    done = subprocess.run([path, "--version", "--no-sandbox"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--words", type=int, default=50_000)
    parser.add_argument("--size-mib", type=int, default=256)
    parser.add_argument("--live-seconds", type=float, default=30)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    text = asyncio.run(bench(arguments, lambda line: print(line, file=sys.stderr, flush=True)))
    arguments.out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
