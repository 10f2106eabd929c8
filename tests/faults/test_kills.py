"""SIGKILL in every stage, to the gateway and to each service while it is used.

After each kill the workflow ends by itself, no finished stage runs twice, nothing is indexed twice, and a watcher that
reconnects sees the numbers 1, 2, 3 without gap or repetition. RECORDROUTE_KILL_ROUNDS repeats everything.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from recordroute.gateway.v1 import library_pb2, workflow_pb2

ROUNDS = int(os.environ.get("RECORDROUTE_KILL_ROUNDS", "1"))
TRANSCRIBE = workflow_pb2.WORKFLOW_STAGE_TRANSCRIBE
SUMMARISE = workflow_pb2.WORKFLOW_STAGE_SUMMARISE
EMBED = workflow_pb2.WORKFLOW_STAGE_EMBED
INDEX = workflow_pb2.WORKFLOW_STAGE_INDEX
RUNNING = workflow_pb2.WORKFLOW_STATE_RUNNING
SUCCEEDED = workflow_pb2.WORKFLOW_STATE_SUCCEEDED
# What a stage asks of its service, once.
CALLS = {
    TRANSCRIBE: ("stt", "SttService/Transcribe"),
    SUMMARISE: ("llm", "LlmService/Summarize"),
    EMBED: ("vector", "EmbeddingService/SplitPassages"),
    INDEX: ("vector", "IndexService/Upsert"),
}
# Who is killed in which stage, and for how many seconds, at most, the stage runs before that: about its length, so
# that over many rounds every place in it is hit.
KILLS = [
    ("gateway", TRANSCRIBE, 0.8),
    ("gateway", SUMMARISE, 2.0),
    ("gateway", EMBED, 0.05),
    ("gateway", INDEX, 0.05),
    ("stt", TRANSCRIBE, 0.8),
    ("llm", SUMMARISE, 2.0),
    ("vector", EMBED, 0.05),
    ("vector", INDEX, 0.05),
]


@pytest.fixture(scope="module")
def speech(data: Path) -> Path:
    return data / "jfk.flac"


@pytest.fixture(scope="module")
def undisturbed(system, speech: Path) -> tuple[int, int]:
    """Segments and passages of the speech when nobody is killed."""
    recording = system.upload(speech)
    events = list(system.watch(system.start_workflow(recording)))
    assert events[-1].state == SUCCEEDED, events[-1]
    return len(segments(system, recording)), system.passage_count(recording)


def segments(system, recording: str) -> list[str]:
    request = library_pb2.GetTranscriptRequest(recording_id=recording)
    answer = system.library.GetTranscript(request, timeout=60, wait_for_ready=True)
    return [segment.text for segment in answer.segments]


def told(events: Iterable[workflow_pb2.WorkflowEvent]) -> list[str]:
    """What a watcher sees of the past; how long it was thought to take is foretold anew each time."""
    texts = []
    for event in events:
        copy = workflow_pb2.WorkflowEvent()
        copy.CopyFrom(event)
        copy.ClearField("remaining")
        texts.append(str(copy))
    return texts


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize(("victim", "stage", "longest"), KILLS)
def test_killed_in_a_stage(
    system, speech: Path, undisturbed, victim: str, stage: int, longest: float, turn: int
) -> None:
    delay = random.Random(f"{victim} {stage} {turn}").uniform(0, longest)
    before = {key: system.finished_calls(*call) for key, call in CALLS.items()}
    recording = system.upload(speech)
    workflow = system.start_workflow(recording)
    events, killed = [], False
    for event in system.watch(workflow):
        events.append(event)
        if not killed and event.stage == stage and event.state == RUNNING:
            time.sleep(delay)
            system.kill(victim)
            killed = True
    assert killed
    # The stage may have ended before the kill: then the service is still on its way back.
    system.wait_until_ready()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert (events[-1].stage, events[-1].state) == (0, SUCCEEDED), events[-1]
    # What is told again after a service was waited for is no repetition; nor is it that the waiting is over.
    waiting = [event.HasField("waiting_for") for event in events]
    news = [
        (event.stage, event.state, event.percent, waits, is_waiting)
        for event, waits, is_waiting in zip(events, itertools.accumulate(waiting), waiting, strict=True)
    ]
    assert len(set(news)) == len(news)
    assert told(system.watch(workflow)) == told(events)
    for finished in CALLS:
        if finished < stage:
            assert system.finished_calls(*CALLS[finished]) - before[finished] == 1
    assert (len(segments(system, recording)), system.passage_count(recording)) == undisturbed


def test_everything_killed_and_up_again(system, speech: Path, undisturbed) -> None:
    recording = system.upload(speech)
    workflow = system.start_workflow(recording)
    seen = []
    for event in system.watch(workflow):
        seen.append(event)
        if event.stage == SUMMARISE and event.state == RUNNING:
            break
    system.kill_supervisor()
    system.start()
    seen += system.watch(workflow, after=seen[-1].sequence)
    assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].state == SUCCEEDED, seen[-1]
    assert (len(segments(system, recording)), system.passage_count(recording)) == undisturbed
    assert list((system.data_dir / "incoming").iterdir()) == []
