"""The same code on PostgreSQL: the main job, with the gateway killed in two of its stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recordroute.gateway.v1 import workflow_pb2

from tests.conftest import was_killed_in


@pytest.fixture(scope="module")
def system(make_system: Callable[..., object], new_postgresql: Callable[[], str]) -> Iterator[object]:
    running = make_system(RECORDROUTE_GATEWAY_DATABASE_URL=new_postgresql())
    running.start()
    yield running
    assert running.stop() == 0


def test_main_job_survives_kills(system, data: Path) -> None:
    recording = system.upload(data / "conversation_30s.flac")
    workflow = system.start_workflow(recording, skip_speakers=True)
    stages = [workflow_pb2.WORKFLOW_STAGE_TRANSCRIBE, workflow_pb2.WORKFLOW_STAGE_SUMMARISE]
    events, killed_at = [], {}
    for event in system.watch(workflow):
        events.append(event)
        begins = event.state == workflow_pb2.WORKFLOW_STATE_RUNNING and event.stage not in killed_at
        if begins and event.stage in stages:
            killed_at[event.stage] = system.kill("gateway")
    assert list(killed_at) == stages
    assert all(was_killed_in(events, stage, moment) for stage, moment in killed_at.items())
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED
    assert system.passage_count(recording) > 0
    files = {path.name.partition(".sqlite")[0] for path in system.data_dir.glob("*.sqlite*")}
    assert files <= {"llm"}, "the gateway keeps nothing in files of its own"
