"""Which model does the work: switched while the system runs, without a restart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from recordroute.gateway.v1 import library_pb2, model_pb2, model_pb2_grpc, search_pb2, workflow_pb2

from tests.conftest import COMMAND, SMALL_MODELS, EmbeddedSystem

SMALL_STT, SMALL_LLM = SMALL_MODELS.values()
STT, LLM = "faster-whisper-base", "qwen2.5-coder-0.5b-instruct"
SECONDS = 120.0


def use(system: EmbeddedSystem, *arguments: str) -> dict[str, str]:
    """Runs `recordroute models use` and returns the model of each task."""
    ran = subprocess.run(
        [COMMAND, "models", "use", *arguments, "--json"],
        env=system.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return {model["task"]: model["id"] for model in json.loads(ran.stdout)["models"]}


@pytest.fixture
def system_as_it_was(system: EmbeddedSystem) -> Iterator[EmbeddedSystem]:
    yield system
    for task in ("stt", "llm"):
        use(system, "--reset", task)


def model_of(system: EmbeddedSystem, recording_id: str, kind: int, **options: object) -> str:
    """Works on a recording and returns the model that made one of its artifacts."""
    events = list(system.watch(system.start_workflow(recording_id, **options)))
    assert events[-1].state == workflow_pb2.WORKFLOW_STATE_SUCCEEDED, events[-1]
    request = library_pb2.GetRecordingRequest(recording_id=recording_id)
    recording = system.library.GetRecording(request, timeout=SECONDS).recording
    (model,) = [artifact.model for artifact in recording.artifacts if artifact.kind == kind]
    return model


def test_the_model_that_was_switched_to_transcribes(system_as_it_was: EmbeddedSystem, data: Path) -> None:
    system, kind = system_as_it_was, library_pb2.ARTIFACT_KIND_TRANSCRIPT
    recording_id = system.upload(data / "jfk.flac")
    only = {"skip_summary": True, "skip_index": True, "skip_speakers": True}
    assert use(system)["stt"] == SMALL_STT
    assert model_of(system, recording_id, kind, **only) == SMALL_STT
    assert use(system, STT)["stt"] == STT
    assert model_of(system, recording_id, kind, **only) == STT
    assert model_of(system, recording_id, kind, stt_model=SMALL_STT, **only) == SMALL_STT
    assert use(system, "--reset", "stt")["stt"] == SMALL_STT
    assert model_of(system, recording_id, kind, **only) == SMALL_STT


def test_the_model_that_was_switched_to_writes_and_answers(
    system_as_it_was: EmbeddedSystem, tmp_path: Path
) -> None:
    system = system_as_it_was
    note = tmp_path / "note.txt"
    note.write_text("Anna sends the invitations by Friday. The library opens in May.\n")
    recording_id = system.upload(note)
    assert use(system, LLM)["llm"] == LLM
    assert model_of(system, recording_id, library_pb2.ARTIFACT_KIND_MINUTES) == LLM
    request = search_pb2.AskRequest(
        question="Who sends the invitations?", recording_ids=[recording_id], language="en"
    )
    answer = list(system.search.Ask(request, timeout=SECONDS))
    assert answer[-1].result.model == LLM
    use(system, "--reset", "llm")
    answer = list(system.search.Ask(request, timeout=SECONDS))
    assert answer[-1].result.model == SMALL_LLM


def test_what_is_used_can_not_be_removed(system: EmbeddedSystem) -> None:
    models = model_pb2_grpc.ModelServiceStub(system.channel())
    listed = models.ListModels(model_pb2.ListModelsRequest(), timeout=SECONDS)
    assert listed.manage_refusal == ""
    assert not listed.unavailable_services
    known = {model.id: model for model in listed.models}
    for name in (SMALL_STT, SMALL_LLM):
        assert known[name].is_current
        assert known[name].is_loaded
        assert known[name].remove_refusal == "MODEL_IN_USE"
    assert known[STT].remove_refusal == known[STT].use_refusal == ""
    assert known["multilingual-e5-small"].is_current
    assert known["all-minilm-l6-v2"].use_refusal == "MODEL_FIXED_AT_START"
    ran = subprocess.run(
        [COMMAND, "models", "use", "all-minilm-l6-v2"],
        env=system.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 1
    assert "RECORDROUTE_VECTOR_MODEL" in ran.stderr
