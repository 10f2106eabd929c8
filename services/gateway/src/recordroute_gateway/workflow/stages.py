"""The four stages of the work on a recording. Each can be repeated at any time: it writes the same artifact again."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from recordroute_runtime.errors import NotFound

from recordroute_gateway.clients.llm import LlmClient
from recordroute_gateway.clients.stt import SttClient
from recordroute_gateway.clients.vector import EmbeddedTranscript, VectorClient
from recordroute_gateway.library.records import ArtifactKind, Recording
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.voices import VoiceStore
from recordroute_gateway.workflow.records import Stage, Workflow

Report = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class StageContext:
    """What a stage works on. `report` takes the percentage that is done."""

    workflow: Workflow
    recording: Recording
    report: Report


@dataclass(frozen=True)
class Stages:
    """The stages with the services that they use. Each returns False where there was nothing to do."""

    library: LibraryStore
    voices: VoiceStore
    stt: SttClient
    llm: LlmClient
    vector: VectorClient

    async def run(self, stage: Stage, context: StageContext) -> bool:
        """Runs one stage."""
        work = {
            Stage.TRANSCRIBE: self.transcribe,
            Stage.SUMMARISE: self.summarise,
            Stage.EMBED: self.embed,
            Stage.INDEX: self.index,
        }
        return await work[stage](context)

    async def transcribe(self, context: StageContext) -> bool:
        """Media to transcript."""
        recording, options = context.recording, context.workflow.options
        media = recording.artifact(ArtifactKind.MEDIA)
        if media is None:
            raise NotFound("ARTIFACT_NOT_READY", f"recording {recording.id} has no media")
        transcription = await self.stt.transcribe(
            self.library.blobs.stream(media.sha256),
            options,
            known_voices=await self.voices.list(recording.owner) if self.voices.allowed else None,
            expected_seconds=recording.duration_seconds,
            report=context.report,
        )
        transcript = transcription.transcript
        await self.voices.keep(recording.id, transcription.voices)
        await self.library.put_artifact(
            recording.id,
            ArtifactKind.TRANSCRIPT,
            json.dumps(transcript.to_json(), ensure_ascii=False).encode(),
            model=transcript.model,
            workflow_id=context.workflow.id,
            recording_values={"language": transcript.language, "duration_seconds": transcript.duration},
        )
        return True

    async def summarise(self, context: StageContext) -> bool:
        """Transcript to title and minutes."""
        if context.workflow.options.skip_summary:
            return False
        transcript = await self.library.transcript(context.recording)
        if not any(segment.text.strip() for segment in transcript.segments):
            return False
        model = context.workflow.options.llm_model
        minutes = await self.llm.summarize(transcript, model=model, report=context.report)
        title = await self.llm.title(transcript, model=model)
        await self.library.put_artifact(
            context.recording.id,
            ArtifactKind.MINUTES,
            json.dumps(minutes.to_json(), ensure_ascii=False).encode(),
            model=minutes.model,
            workflow_id=context.workflow.id,
            recording_values={"title": title},
        )
        return True

    async def embed(self, context: StageContext) -> bool:
        """Transcript to passages with vectors."""
        if context.workflow.options.skip_index:
            return False
        transcript = await self.library.transcript(context.recording)
        artifact = context.recording.artifact(ArtifactKind.EMBEDDINGS)
        previous = None
        if artifact is not None:
            data = await self.library.read_artifact(context.recording, ArtifactKind.EMBEDDINGS)
            previous = EmbeddedTranscript(data, artifact.model)
        embedded = await self.vector.embed(transcript, report=context.report, previous=previous)
        if embedded is None:
            return False
        await self.library.put_artifact(
            context.recording.id,
            ArtifactKind.EMBEDDINGS,
            embedded.data,
            model=embedded.model,
            workflow_id=context.workflow.id,
        )
        return True

    async def index(self, context: StageContext) -> bool:
        """Passages into the search index. What an earlier transcript left there is replaced, also by nothing."""
        if context.workflow.options.skip_index:
            return False
        recording = context.recording
        artifact = recording.artifact(ArtifactKind.EMBEDDINGS)
        if artifact is None or artifact.workflow_id != context.workflow.id:
            await self.vector.delete(recording.owner, recording.id)
            return False
        await self.vector.upsert(
            recording,
            await self.library.read_artifact(recording, ArtifactKind.EMBEDDINGS),
            model=artifact.model,
            report=context.report,
        )
        await self.library.put_artifact(
            recording.id, ArtifactKind.INDEX, None, model=artifact.model, workflow_id=context.workflow.id
        )
        return True


ARTIFACT_OF_STAGE = {
    Stage.TRANSCRIBE: ArtifactKind.TRANSCRIPT,
    Stage.SUMMARISE: ArtifactKind.MINUTES,
    Stage.EMBED: ArtifactKind.EMBEDDINGS,
    Stage.INDEX: ArtifactKind.INDEX,
}
