"""The four stages of the work on a recording. Each can be repeated at any time: it writes the same artifact again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from recordroute_runtime.errors import NotFound

from recordroute_gateway.clients.llm import LlmClient, Style
from recordroute_gateway.clients.stt import SttClient
from recordroute_gateway.clients.vector import EmbeddedTranscript, VectorClient
from recordroute_gateway.library.artifact_json import minutes_bytes, transcript_bytes
from recordroute_gateway.library.documents import read_document, with_places
from recordroute_gateway.library.records import Artifact, ArtifactKind, Recording, RecordingKind
from recordroute_gateway.library.store import LibraryStore
from recordroute_gateway.library.templates import TemplateStore
from recordroute_gateway.library.vocabulary import VocabularyStore
from recordroute_gateway.library.voices import VoiceStore
from recordroute_gateway.models.choices import ModelChoices
from recordroute_gateway.models.records import Task
from recordroute_gateway.workflow.records import Options, Stage, Workflow

Report = Callable[[float], Awaitable[None]]
# As many as the stt service takes.
MAX_HOTWORDS = 200


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
    vocabulary: VocabularyStore
    templates: TemplateStore
    models: ModelChoices

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
        recording = context.recording
        media = recording.artifact(ArtifactKind.MEDIA)
        if media is None:
            raise NotFound("ARTIFACT_NOT_READY", f"recording {recording.id} has no media")
        if recording.kind is RecordingKind.DOCUMENT:
            return await self._read_document(context, media)
        transcription = await self.stt.transcribe(
            self.library.blobs.stream(media.sha256),
            replace(
                await self._with_vocabulary(context),
                stt_model=await self.models.model_for(Task.STT, context.workflow.options.stt_model),
            ),
            known_voices=await self.voices.list(recording.owner) if self.voices.allowed else None,
            expected_seconds=recording.duration_seconds,
            report=context.report,
        )
        transcript = transcription.transcript
        await self.voices.keep(recording.id, transcription.voices)
        await self.library.put_artifact(
            recording.id,
            ArtifactKind.TRANSCRIPT,
            transcript_bytes(transcript),
            model=transcript.model,
            workflow_id=context.workflow.id,
            recording_values={"language": transcript.language, "duration_seconds": transcript.duration},
        )
        return True

    async def _read_document(self, context: StageContext, file: Artifact) -> bool:
        recording = context.recording
        async with self.library.blobs.local_path(file.sha256) as path:
            transcript = await read_document(
                path, recording.media_type, context.workflow.options.language or None
            )
        await self.library.put_artifact(
            recording.id,
            ArtifactKind.TRANSCRIPT,
            transcript_bytes(transcript),
            model="",
            workflow_id=context.workflow.id,
            recording_values={"language": transcript.language},
        )
        return True

    async def summarise(self, context: StageContext) -> bool:
        """Transcript to title and minutes."""
        if context.workflow.options.skip_summary:
            return False
        transcript = await self.library.transcript(context.recording)
        if not any(segment.text.strip() for segment in transcript.segments):
            return False
        options, user = context.workflow.options, context.workflow.owner
        model = await self.models.model_for(Task.LLM, options.llm_model)
        own = await self.templates.find(user, options.template) if options.template else None
        minutes = await self.llm.summarize(
            transcript,
            owner=user,
            model=model,
            style=Style(options.template, own.markdown if own else "", options.output_language),
            report=context.report,
        )
        if transcript.is_document:
            minutes = with_places(minutes, transcript)
        title = await self.llm.title(transcript, owner=user, model=model)
        await self.library.put_artifact(
            context.recording.id,
            ArtifactKind.MINUTES,
            minutes_bytes(minutes),
            model=minutes.model,
            workflow_id=context.workflow.id,
            recording_values={"title": title},
            source=context.recording.artifact(ArtifactKind.TRANSCRIPT),
        )
        return True

    async def _with_vocabulary(self, context: StageContext) -> Options:
        """Returns the options with the user's vocabulary after the hotwords that were given."""
        options = context.workflow.options
        if options.skip_vocabulary:
            return options
        terms = await self.vocabulary.hotwords(context.workflow.owner, MAX_HOTWORDS)
        return replace(options, hotwords=tuple(dict.fromkeys((*options.hotwords, *terms)))[:MAX_HOTWORDS])

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
            source=context.recording.artifact(ArtifactKind.TRANSCRIPT),
        )
        return True

    async def index(self, context: StageContext) -> bool:
        """Passages into the search index. What an earlier transcript left there is replaced, also by nothing."""
        if context.workflow.options.skip_index:
            return False
        recording = context.recording
        artifact = recording.artifact(ArtifactKind.EMBEDDINGS)
        is_new = artifact is not None and artifact.workflow_id == context.workflow.id
        if artifact is None or not (is_new or context.workflow.options.first_stage is Stage.INDEX):
            await self.vector.delete(recording.owner, recording.id)
            await self.library.drop_artifacts(recording.id, (ArtifactKind.EMBEDDINGS, ArtifactKind.INDEX))
            return False
        await self.vector.upsert(
            recording,
            await self.library.read_artifact(recording, ArtifactKind.EMBEDDINGS),
            model=artifact.model,
            report=context.report,
        )
        await self.library.put_artifact(
            recording.id,
            ArtifactKind.INDEX,
            None,
            model=artifact.model,
            workflow_id=context.workflow.id,
            indexed_version=recording.version,
            source=artifact,
        )
        return True
