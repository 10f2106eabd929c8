"""How long the main job takes, stage by stage, and how much memory each process takes at most.

`make bench` runs it on the shipped sample with the default models and writes benchmarks/results/main_job.md. Times are
of a shared machine: what can be compared is the stages' shares and the realtime factors of one run.
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
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("recordroute")
RESULT = ROOT / "benchmarks/results/main_job.md"
PROCESSES = ("gateway", "stt", "llm", "vector")
STAGES = ("transcribe", "summarise", "embed", "index")


def peak_mib(pid: int) -> float:
    """Returns the peak resident memory of a process in MiB (Linux: VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no peak memory of process {pid}")


def measure(sample: Path, rounds: int) -> tuple[float, list[dict[str, float]], dict[str, float]]:
    """Returns the audio's length in seconds, each round's seconds by stage, and peak MiB by process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RECORDROUTE_DATA_DIR": folder}
        environment.pop("RECORDROUTE_GATEWAY", None)
        with subprocess.Popen(
            [COMMAND, "up", "--port", "0"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                return run(environment, server.pid, sample, rounds)
            finally:
                server.terminate()


def command(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [COMMAND, *arguments, "--json"], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def run(
    environment: dict[str, str], pid: int, sample: Path, rounds: int
) -> tuple[float, list[dict[str, float]], dict[str, float]]:
    wait_until_ready(environment)
    turns: list[dict[str, float]] = []
    length = 0.0
    for _ in range(rounds):
        began = time.monotonic()
        lines = command(environment, "add", "--allow-duplicate", str(sample)).splitlines()
        wall = time.monotonic() - began
        result = next(line for line in map(json.loads, lines) if line.get("type") == "result")
        length = result["recording"]["duration"]
        turns.append({**stage_seconds(result["workflow"]), "whole command": wall})
    peaks = {
        process.cmdline()[-1].removeprefix("recordroute_"): peak_mib(process.pid)
        for process in psutil.Process(pid).children()
    }
    return length, turns, peaks


def stage_seconds(workflow: dict[str, Any]) -> dict[str, float]:
    """Returns the wall time of each stage, from the gateway's own times."""
    times = {
        stage["stage"]: datetime.fromisoformat(stage["ended_at"])
        - datetime.fromisoformat(stage["started_at"])
        for stage in workflow["stages"]
    }
    return {name: times[name].total_seconds() for name in STAGES}


def wait_until_ready(environment: dict[str, str]) -> None:
    for _ in range(600):
        done = subprocess.run(
            [COMMAND, "doctor", "--json"], env=environment, capture_output=True, check=False
        )
        checks = json.loads(done.stdout)["checks"] if done.returncode == 0 else []
        ready = [check for check in checks if check["area"] == "server" and "ready" in check["text"]]
        if len(ready) == len(PROCESSES) and all(check["state"] == "ok" for check in ready):
            return
        time.sleep(0.2)
    raise SystemExit("the system did not start")


def page(length: float, turns: list[dict[str, float]], peaks: dict[str, float]) -> str:
    """Returns the result as Markdown: medians, with minimum and maximum."""
    lines = [
        "# The main job",
        "",
        "`make bench`: the shipped sample with the default models through the embedded system.",
        "",
        f"{length:.0f} s of audio, {len(turns)} rounds, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}.",
        "",
        "| Stage | Seconds (median) | min - max | Times realtime |",
        "|---|---|---|---|",
    ]
    for stage in turns[0]:
        seconds = [turn[stage] for turn in turns]
        middle = statistics.median(seconds)
        lines.append(
            f"| {stage} | {middle:.2f} | {min(seconds):.2f} - {max(seconds):.2f} | {length / middle:.1f}x |"
        )
    lines += ["", "| Process | Peak resident memory |", "|---|---|"]
    lines += [f"| {name} | {mib:.0f} MiB |" for name, mib in sorted(peaks.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=Path, default=ROOT / "cli/src/recordroute_cli/data/sample.flac")
    arguments = parser.parse_args()
    text = page(*measure(arguments.sample, arguments.rounds))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
