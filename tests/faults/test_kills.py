"""SIGKILL in every stage, to the gateway and to each service while it is used.

After each kill the workflow ends by itself, no finished stage runs twice, nothing is indexed twice, and a watcher that
reconnects sees the numbers 1, 2, 3 without gap or repetition. RECORDROUTE_KILL_ROUNDS repeats everything.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
from recordroute.gateway.v1 import library_pb2, workflow_pb2

from tests.conftest import was_killed_in

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
# Nobody knows how long a stage takes here and now: a kill that came too late is done again, in half the time.
TRIES = 8
# What has less than 40 tokens is its own summary, without a model.
LONG_SPEECH, SHORT_SPEECH = "conversation_30s.flac", "librivox_0870.wav"
Counts = tuple[int, int]


@pytest.fixture(scope="module")
def undisturbed(system, data: Path) -> Callable[[str], Counts]:
    """Segments and passages of a speech when nobody is killed."""

    @cache
    def counts(speech: str) -> Counts:
        recording = system.upload(data / speech)
        events = list(system.watch(system.start_workflow(recording, skip_summary=True, skip_speakers=True)))
        assert events[-1].state == SUCCEEDED, events[-1]
        return counts_of(system, recording)

    return counts


def counts_of(system, recording: str) -> Counts:
    request = library_pb2.GetTranscriptRequest(recording_id=recording)
    answer = system.library.GetTranscript(request, timeout=60, wait_for_ready=True)
    return len(answer.segments), system.passage_count(recording)


def is_under_way(event: workflow_pb2.WorkflowEvent, stage: int) -> bool:
    """Whether the event tells that the stage runs; that of the minutes, that the model is writing them."""
    is_writing = stage != SUMMARISE or 0 < event.percent < 99
    return event.stage == stage and event.state == RUNNING and is_writing


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
    system, data: Path, undisturbed, victim: str, stage: int, longest: float, turn: int
) -> None:
    speech = LONG_SPEECH if stage == SUMMARISE else SHORT_SPEECH
    delay = random.Random(f"{victim} {stage} {turn}").uniform(0, longest)
    for _ in range(TRIES):
        if killed_in_time(system, data / speech, undisturbed(speech), victim, stage, delay):
            return
        delay /= 2
    raise AssertionError(f"{TRIES} times the stage was over before the {victim} was killed")


def killed_in_time(system, speech: Path, expected: Counts, victim: str, stage: int, delay: float) -> bool:
    """Kills somebody so many seconds into a stage, and returns whether the stage still ran then. Whenever it was, all
    has to be well in the end."""
    before = {key: system.finished_calls(*call) for key, call in CALLS.items()}
    recording = system.upload(speech)
    # Looking it up takes longer than some stages do.
    process = system.process(victim)
    workflow = system.start_workflow(recording, skip_speakers=True)
    events, killed_at = [], 0.0
    for event in system.watch(workflow):
        events.append(event)
        if not killed_at and is_under_way(event, stage):
            time.sleep(delay)
            killed_at = system.kill_process(process)
    # Where the stage had ended before, the service is still on its way back.
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
    assert counts_of(system, recording) == expected
    return bool(killed_at) and was_killed_in(events, stage, killed_at)


def test_everything_killed_and_up_again(system, data: Path, undisturbed) -> None:
    expected = undisturbed(LONG_SPEECH)
    recording = system.upload(data / LONG_SPEECH)
    workflow = system.start_workflow(recording, skip_speakers=True)
    seen = []
    for event in system.watch(workflow):
        seen.append(event)
        if is_under_way(event, SUMMARISE):
            break
    killed_at = system.kill_supervisor()
    system.start()
    seen += system.watch(workflow, after=seen[-1].sequence)
    assert was_killed_in(seen, SUMMARISE, killed_at)
    assert [event.sequence for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].state == SUCCEEDED, seen[-1]
    assert counts_of(system, recording) == expected
    assert list((system.data_dir / "incoming").iterdir()) == []
