"""`recordroute live` against the whole system: captions while a file is played, then the recording with its texts."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from recordroute.gateway.v1 import library_pb2

COMMAND = Path(sys.executable).with_name("recordroute")
SECONDS = 120.0


def run_live(system, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "live", *arguments],
        env=system.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def recording_of(system, lines: list[dict]) -> library_pb2.Recording:
    ended = next(line for line in lines if line["type"] == "ended")
    request = library_pb2.GetRecordingRequest(recording_id=ended["recording_id"])
    return system.library.GetRecording(request, timeout=60).recording


def test_a_played_file_becomes_captions_and_then_a_recording(system, data: Path) -> None:
    process = run_live(
        system, "--file", data / "jfk.flac", "--json", "--title", "Inaugural address", "--folder", "talks/1961",
        "--tag", "speech", "--no-summary",
    )  # fmt: skip
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    captions = [line["result"] for line in lines if line["type"] == "caption"]
    assert any(not caption["is_final"] for caption in captions)
    said = " ".join(caption["stable_text"] for caption in captions if caption["is_final"]).lower()
    assert "what you can do for your country" in said.replace(",", "")
    assert lines[-1]["type"] == "result"
    assert lines[-1]["workflow"]["state"] == "succeeded"
    recording = recording_of(system, lines)
    assert (recording.title, recording.folder, recording.tags) == (
        "Inaugural address",
        "talks/1961",
        ["speech"],
    )
    assert abs(recording.duration.ToTimedelta().total_seconds() - 11.0) < 0.1
    request = library_pb2.GetTranscriptRequest(recording_id=recording.id)
    segments = system.library.GetTranscript(request, timeout=60).segments
    assert "fellow americans" in " ".join(segment.text for segment in segments).lower()


def test_ctrl_c_keeps_what_was_said_until_then(system, data: Path) -> None:
    process = run_live(system, "--file", data / "sonnet_1.mp3", "--json", "--keep-only")
    assert process.stdout is not None
    lines, is_stopped = [], False
    for line in process.stdout:
        lines.append(json.loads(line))
        if not is_stopped and lines[-1].get("saved_audio_sequence", 0) >= 30:
            is_stopped = True
            process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0
    seconds = recording_of(system, lines).duration.ToTimedelta().total_seconds()
    assert 3.0 <= seconds < 50.0
    assert "stopping" in [line["type"] for line in lines]
