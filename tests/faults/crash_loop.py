"""Kills random services at random moments, and counts what was lost or done twice.

    make crash-loop ROUNDS=100

Each round uploads a recording, starts its workflow, and kills one of the services, or all of them with their
supervisor, while several workflows are under way. At the end every upload that was acknowledged has to be there once,
every workflow has to have succeeded, its events numbered without gap, its transcript, minutes and passages whole and
once in the index. Exit code 0: nothing lost, nothing duplicated.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from recordroute.gateway.v1 import library_pb2, upload_pb2, upload_pb2_grpc, workflow_pb2

from tests.conftest import CALL_SECONDS, SMALL_MODELS, EmbeddedSystem

SPEECH = Path(__file__).parents[1] / "data" / "librivox_0880.wav"
EVERYBODY = "all"
VICTIMS = ("gateway", "stt", "llm", "vector", EVERYBODY)
SUCCEEDED = workflow_pb2.WORKFLOW_STATE_SUCCEEDED
PATIENCE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 4.0
MOST_UNDER_WAY = 4


@dataclass
class Tally:
    """What went wrong, and what was done."""

    kills: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class CrashLoop:
    def __init__(self, system: EmbeddedSystem, seed: int) -> None:
        self._system = system
        self._chosen = random.Random(seed)
        self._recordings: dict[str, str] = {}
        self._workflows: dict[str, str] = {}
        self.tally = Tally()

    def run(self, rounds: int) -> None:
        for number in range(rounds):
            self._add(number)
            time.sleep(self._chosen.uniform(0, LONGEST_PAUSE_SECONDS))
            victim = self._chosen.choice(VICTIMS)
            self._kill(victim)
            self.tally.kills[victim] += 1
            print(f"{number + 1}/{rounds}  killed {victim}", flush=True)
            self._let_some_end()
        self._system.wait_until_ready()
        self._check()

    def _add(self, number: int) -> None:
        request_id, start_id = str(uuid.uuid4()), str(uuid.uuid4())
        # Other bytes each time, so that each is a recording of its own.
        content = SPEECH.read_bytes() + number.to_bytes(8, "big")
        recording = self._until_done(lambda: self._upload(request_id, f"{number}.wav", content))
        self._recordings[request_id] = recording
        request = workflow_pb2.StartWorkflowRequest(request_id=start_id, recording_id=recording)
        self._workflows[recording] = self._until_done(
            lambda: self._system.workflows.StartWorkflow(request, timeout=CALL_SECONDS).workflow.id
        )

    def _upload(self, request_id: str, name: str, content: bytes) -> str:
        def requests() -> Iterator[upload_pb2.UploadRecordingRequest]:
            config = upload_pb2.UploadConfig(request_id=request_id, file_name=name)
            yield upload_pb2.UploadRecordingRequest(config=config)
            for start in range(0, len(content), 1 << 16):
                yield upload_pb2.UploadRecordingRequest(chunk=content[start : start + (1 << 16)])

        stub = upload_pb2_grpc.UploadServiceStub(self._system.channel())
        return str(stub.UploadRecording(requests(), timeout=CALL_SECONDS).recording.id)

    def _until_done(self, call: Callable[[], Any]) -> Any:
        """Repeats a call as a client does that knows it to be idempotent."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                gone = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
                if error.code() not in gone or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _kill(self, victim: str) -> None:
        if victim == EVERYBODY:
            self._system.kill_supervisor()
            self._system.start()
            return
        # It may be on its way back from the last time.
        with contextlib.suppress(AssertionError):
            self._system.kill(victim)

    def _let_some_end(self) -> None:
        """Keeps the work that is under way bounded, so that kills hit all of its stages."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self._unfinished()) > MOST_UNDER_WAY:
            assert time.monotonic() < deadline, "the workflows do not go on"
            time.sleep(0.2)

    def _unfinished(self) -> list[str]:
        states = (workflow_pb2.WORKFLOW_STATE_QUEUED, workflow_pb2.WORKFLOW_STATE_RUNNING)
        request = workflow_pb2.ListWorkflowsRequest(states=states, page_size=1000)
        answer = self._until_done(lambda: self._system.workflows.ListWorkflows(request, timeout=CALL_SECONDS))
        return [workflow.id for workflow in answer.workflows]

    def _check(self) -> None:
        problems = self.tally.problems
        passages: Counter[int] = Counter()
        for recording, workflow in self._workflows.items():
            events = list(self._system.watch(workflow, seconds=PATIENCE_SECONDS))
            if [event.sequence for event in events] != list(range(1, len(events) + 1)):
                problems.append(f"workflow {workflow}: events with gaps or repetitions")
            if events[-1].state != SUCCEEDED:
                problems.append(f"workflow {workflow}: {events[-1]}")
                continue
            found = self._system.library.GetRecording(
                library_pb2.GetRecordingRequest(recording_id=recording), timeout=CALL_SECONDS
            ).recording
            kinds = Counter(artifact.kind for artifact in found.artifacts)
            if set(kinds) != set(range(1, 6)) or max(kinds.values()) > 1:
                problems.append(f"recording {recording}: artifacts {dict(kinds)}")
            passages[self._system.passage_count(recording)] += 1
        if len(passages) > 1:
            problems.append(f"the same speech has {dict(passages)} passages in the index")
        listed = self._listed()
        lost, extra = set(self._workflows) - set(listed), set(listed) - set(self._workflows)
        problems += [f"recording {each} is lost" for each in lost]
        problems += [f"recording {each} was made twice" for each in extra]
        if len(listed) != len(set(listed)):
            problems.append("a recording is listed twice")
        left = list((self._system.data_dir / "incoming").iterdir())
        problems += [f"half a file is left: {path.name}" for path in left]

    def _listed(self) -> list[str]:
        ids: list[str] = []
        request = library_pb2.ListRecordingsRequest(page_size=1000)
        while True:
            page = self._system.library.ListRecordings(request, timeout=CALL_SECONDS)
            ids += [recording.id for recording in page.recordings]
            if not page.next_page_token:
                return ids
            request.page_token = page.next_page_token


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        system = EmbeddedSystem(Path(folder) / "data", dict(SMALL_MODELS))
        system.start()
        loop = CrashLoop(system, arguments.seed)
        try:
            loop.run(arguments.rounds)
        finally:
            system.stop()
    kills = ", ".join(f"{name} {count}" for name, count in sorted(loop.tally.kills.items()))
    print(f"{arguments.rounds} rounds; killed: {kills}; {len(loop.tally.problems)} problems")
    for problem in loop.tally.problems:
        print(f"  {problem}")
    return 1 if loop.tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
