"""The whole system for browser tests: `recordroute up` on a private data folder, Envoy before it, recordings in it.

Prints one line of JSON when it is ready and stops when its standard input ends, so that it can't outlive what it was
started for. web/tests/support/global-setup.ts starts it with tests/deploy on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from deploy_files import ROOT
from envoy_process import rendered_config, running, wait_until_live
from model_hub import running_hub
from recordroute_models import ModelsSettings
from recordroute_models.catalogue import load_catalogue
from recordroute_runtime.settings import CommonSettings, load_settings
from speech import write_speech

COMMAND = Path(sys.executable).with_name("recordroute")
DATA = ROOT / "tests/data"
SAMPLE = ROOT / "cli/src/recordroute_cli/data/sample.flac"
WRITTEN = ROOT / "web/tests/data"
SMALL_MODELS = {
    "RECORDROUTE_STT_MODEL": "faster-whisper-tiny.en",
    "RECORDROUTE_LLM_MODEL": "smollm2-135m-instruct",
}
SETTINGS = {
    # In the pages' recordings nobody is in earnest.
    "RECORDROUTE_GATEWAY_REMEMBER_VOICES": "true",
}
# The model that is not installed, of those that the system does not begin with: a hub on loopback has it.
PULLED = {"small": "faster-whisper-base", "default": "faster-whisper-tiny.en"}
# What is added: the file, its title, folder and tags.
Shelved = tuple[Path, str, str, tuple[str, ...]]
SHELF: dict[str, tuple[Shelved, ...]] = {
    "none": (),
    "many": (
        (DATA / "multilingual.mp3", "A licence, read in three languages", "", ()),
        (DATA / "librivox_0920.wav", "Sense and Sensibility, chapter 1", "reading", ()),
        (DATA / "sonnet_1.mp3", "Shakespeare, first sonnet", "reading", ("poetry",)),
        (DATA / "jfk.flac", "Inaugural address, 1961", "speeches", ("history",)),
        (DATA / "ami_trn04.flac", "Remote control: industrial design", "work/2026", ("design",)),
        (DATA / "conversation_30s.flac", "Telephone call", "calls", ()),
        (WRITTEN / "weekly-ko.txt", "주간 회의: 새 도서관 개관 준비", "회의", ("주간", "도서관")),
        (
            WRITTEN / "weekly-en.txt",
            "Weekly meeting: opening of the new library",
            "work/2026",
            ("weekly", "library"),
        ),
        (SAMPLE, "Design meeting", "work/2026", ("design",)),
    ),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def embedded(data_dir: Path, http_port: int, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Runs `recordroute up`; yields what it says of itself when every service serves."""
    log = (data_dir / "up.log").open("w")
    process = subprocess.Popen(
        [COMMAND, "up", "--port", "0", "--http-port", str(http_port), "--data-dir", data_dir, "--json"],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "serving":
                yield event
                break
        else:
            raise SystemExit(f"the system did not start:\n{(data_dir / 'up.log').read_text()}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def models(folder: Path, left_out: str) -> Iterator[dict[str, str]]:
    """A models folder of its own with all that is installed here but for one, and a hub that has that one, too.

    Yields the settings.
    """
    installed = load_settings(CommonSettings).models_dir.absolute()
    catalogue = load_catalogue(load_settings(ModelsSettings).catalogue)
    folder.mkdir()
    for manifest in installed.glob("*/model.json"):
        if manifest.parent.name != left_out:
            (folder / manifest.parent.name).symlink_to(manifest.parent)
    with running_hub(catalogue, installed) as address:
        yield {
            "RECORDROUTE_MODELS_DIR": str(folder),
            "RECORDROUTE_MODELS_SOURCE": "hub",
            "RECORDROUTE_MODELS_HUB_ENDPOINT": address,
            "RECORDROUTE_MODELS_ATTEMPTS": "2",
        }


@contextmanager
def envoy(folder: Path, grpc_port: int, http_port: int) -> Iterator[str]:
    config = folder / "envoy.yaml"
    config.write_text(yaml.safe_dump(rendered_config(grpc_port, http_port)))
    with running(config, folder / "admin", folder / "log") as process:
        yield asyncio.run(wait_until_live(folder / "admin", process, folder / "log"))


def fill(shelf: str, call: Callable[..., str]) -> None:
    """Adds what is not there yet."""
    there = {recording["file_name"] for recording in json.loads(call("list"))["recordings"]}
    for path, title, folder, tags in SHELF[shelf]:
        if path.name not in there:
            call(
                "add", str(path), f"--title={title}", f"--folder={folder}", *(f"--tag={tag}" for tag in tags)
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="kept, and taken up again; else a temporary folder")
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--shelf", choices=SHELF, default="none")
    parser.add_argument("--models", choices=("small", "default"), default="small")
    parser.add_argument("--envoy", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recordroute-web-")))
        data_dir = (arguments.data_dir or folder / "data").absolute()
        data_dir.mkdir(parents=True, exist_ok=True)
        environment = stack.enter_context(models(folder / "models", PULLED[arguments.models]))
        hub = environment["RECORDROUTE_MODELS_HUB_ENDPOINT"]
        environment |= SETTINGS
        if arguments.models == "small":
            environment |= SMALL_MODELS
        serving = stack.enter_context(embedded(data_dir, arguments.http_port or free_port(), environment))
        token = (data_dir / "token").read_text().strip()

        def call(*words: str) -> str:
            done = subprocess.run(
                [COMMAND, *words, "--json"],
                env={**os.environ, "RECORDROUTE_DATA_DIR": str(data_dir)},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{' '.join(words)}: {done.stderr or done.stdout}")
            return done.stdout

        fill(arguments.shelf, call)
        microphone = folder / "microphone.wav"
        write_speech(microphone)
        addresses = {"bridge": serving["http_address"]}
        if arguments.envoy:
            grpc_port = int(serving["address"].rpartition(":")[2])
            http_port = int(serving["http_address"].rpartition(":")[2])
            addresses["envoy"] = stack.enter_context(envoy(folder, grpc_port, http_port))
        ready = {
            **addresses,
            "hub": hub,
            "token": token,
            "dataDir": str(data_dir),
            "microphone": str(microphone),
        }
        print(json.dumps(ready), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
