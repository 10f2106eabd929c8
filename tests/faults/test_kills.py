"""SIGKILL in every stage, to the gateway and to each service while it is used.

After each kill the workflow ends by itself, no finished stage runs twice, nothing is indexed twice, and a watcher that
reconnects sees the numbers 1, 2, 3 without gap or repetition. RECORDROUTE_KILL_ROUNDS repeats everything.
"""

from __future__ import annotations

import os
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
KILLS = [
    ("gateway", TRANSCRIBE),
    ("gateway", SUMMARISE),
    ("gateway", EMBED),
    ("gateway", INDEX),
    ("stt", TRANSCRIBE),
    ("llm", SUMMARISE),
    ("vector", EMBED),
    ("vector", INDEX),
]


@pytest.fixture(scope="module")
def undisturbed(system, sample: Path) -> tuple[int, int]:
    """Segments and passages of the sample when nobody is killed."""
    recording = system.upload(sample)
    events = list(system.watch(system.start_workflow(recording)))
    assert events[-1].state == SUCCEEDED, events[-1]
    return len(segments(system, recording)), system.passage_count(recording)


def segments(system, recording: str) -> list[str]:
    request = library_pb2.GetTranscriptRequest(recording_id=recording)
    answer = system.library.GetTranscript(request, timeout=30, wait_for_ready=True)
    return [segment.text for segment in answer.segments]


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize(("victim", "stage"), KILLS)
def test_killed_in_a_stage(system, sample: Path, undisturbed, victim: str, stage: int, turn: int) -> None:
    before = {key: system.finished_calls(*call) for key, call in CALLS.items()}
    recording = system.upload(sample)
    workflow = system.start_workflow(recording)
    events, killed = [], False
    for event in system.watch(workflow):
        events.append(event)
        # In the middle of the stage where it reports one, at its beginning otherwise.
        middle = event.percent > 0 or victim == "gateway" or stage in (EMBED, INDEX)
        if not killed and event.stage == stage and event.state == RUNNING and middle:
            system.kill(victim)
            killed = True
    assert killed
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert (events[-1].stage, events[-1].state) == (0, SUCCEEDED), events[-1]
    news = [(event.stage, event.state, event.percent) for event in events]
    assert len(set(news)) == len(news)
    assert [str(event) for event in system.watch(workflow)] == [str(event) for event in events]
    for finished in CALLS:
        if finished < stage:
            assert system.finished_calls(*CALLS[finished]) - before[finished] == 1
    assert (len(segments(system, recording)), system.passage_count(recording)) == undisturbed


def test_everything_killed_and_up_again(system, sample: Path, undisturbed) -> None:
    recording = system.upload(sample)
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
