"""`recordroute watch`, `cancel`, `retry` and `redo`: the work on a recording."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands import work_options
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.commands.work_options import Channels, FirstStage, Profile, WorkOptions
from recordroute_cli.terminal import JsonOption

if TYPE_CHECKING:
    from recordroute.gateway.v1 import workflow_pb2

    from recordroute_cli.client import Gateway

WatchedArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="WORKFLOW",
        help="Id of the workflow, or its first 4 or more characters; none: the whole library.",
    ),
]
WorkflowArgument = Annotated[
    str, typer.Argument(metavar="WORKFLOW", help="Id of the workflow, or its first 4 or more characters.")
]


def watch(
    workflow: WatchedArgument = None,
    after: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Begin after the event with this number. Without it: all events of a workflow, and of the library "
            "what happens from now on.",
        ),
    ] = None,
    json_output: JsonOption = False,
) -> int:
    """Watch a workflow to its end, or whatever happens in the library. A lost connection is taken up again."""
    from recordroute_cli.client import connect

    with connect() as gateway:
        if workflow is None:
            from recordroute_cli.watch_library import watch_library

            return watch_library(gateway, after)
        return _follow(gateway, gateway.workflow(gateway.workflow_id(workflow)), after or 0)


def cancel(workflow: WorkflowArgument, json_output: JsonOption = False) -> None:
    """Stop a workflow, with whatever runs for it. Finished stages stay."""
    from recordroute.gateway.v1 import workflow_pb2
    from recordroute_runtime.documents import document, enum_name

    from recordroute_cli.client import connect
    from recordroute_cli.render import short

    with connect() as gateway:
        request = workflow_pb2.CancelWorkflowRequest(
            request_id=str(uuid.uuid4()), workflow_id=gateway.workflow_id(workflow)
        )
        cancelled = gateway.call(gateway.workflows.CancelWorkflow, request).workflow
    state = enum_name(cancelled, "state")
    if json_output:
        terminal.write_json({"workflow": document(cancelled)})
    elif state == "cancelled":
        terminal.out().print(f"{short(cancelled.id)} cancelled")
    elif cancelled.HasField("ended_at"):
        terminal.out().print(f"{short(cancelled.id)} had already ended: {state}")
    else:
        terminal.out().print(f"{short(cancelled.id)} is being cancelled")


def retry(
    workflow: WorkflowArgument,
    watch: Annotated[
        bool, typer.Option("--watch/--detach", help="Stay until the work is done, or only start it.")
    ] = True,
    json_output: JsonOption = False,
) -> int:
    """Go on with a failed or cancelled workflow, from the first stage that is not done."""
    from recordroute_cli.client import connect
    from recordroute_cli.follow import report

    with connect() as gateway:
        before = gateway.workflow(gateway.workflow_id(workflow))
        retried = gateway.retry(before.id)
        if watch:
            return _follow(gateway, retried, before.last_sequence)
        recording = gateway.recording(retried.recording_id)
        return report(recording.file_name, recording, retried)


def redo(
    recording: RecordingArgument,
    language: work_options.Language = None,
    mixed_languages: work_options.MixedLanguages = False,
    translate: work_options.Translate = False,
    profile: work_options.ProfileOption = Profile.BALANCED,
    word: work_options.Vocabulary = None,
    prompt: work_options.Prompt = "",
    speakers: work_options.Speakers = "auto",
    channels: work_options.ChannelsOption = Channels.MIXED,
    audio_stream: work_options.AudioStream = None,
    no_summary: work_options.NoSummary = False,
    no_index: work_options.NoIndex = False,
    stt_model: work_options.SttModel = "",
    llm_model: work_options.LlmModel = "",
    template: work_options.Template = "",
    minutes_language: work_options.MinutesLanguage = "",
    no_vocabulary: work_options.NoVocabulary = False,
    first: work_options.First = FirstStage.TRANSCRIBE,
    watch: Annotated[
        bool, typer.Option("--watch/--detach", help="Stay until the work is done, or only start it.")
    ] = True,
    json_output: JsonOption = False,
) -> int:
    """Work on a recording again, from the beginning or a later stage, with other options."""
    options = WorkOptions(
        language=language,
        mixed_languages=mixed_languages,
        translate=translate,
        profile=profile,
        vocabulary=word,
        prompt=prompt,
        speakers=speakers,
        channels=channels,
        audio_stream=audio_stream,
        no_summary=no_summary,
        no_index=no_index,
        stt_model=stt_model,
        llm_model=llm_model,
        template=template,
        minutes_language=minutes_language,
        no_vocabulary=no_vocabulary,
        first=first,
    ).message()
    from recordroute_cli.client import connect
    from recordroute_cli.follow import report

    with connect() as gateway:
        recording_id = gateway.recording_id(recording)
        workflow = gateway.start(recording_id, options, str(uuid.uuid4()))
        if watch:
            return _follow(gateway, workflow, 0)
        found = gateway.recording(recording_id)
        return report(found.file_name, found, workflow)


def _follow(gateway: Gateway, workflow: workflow_pb2.Workflow, after_sequence: int) -> int:
    from recordroute_cli.follow import follow, report
    from recordroute_cli.progress import make_display
    from recordroute_cli.render import short

    name = gateway.recording(workflow.recording_id).file_name
    try:
        with make_display() as display:
            item = display.add(name, workflow.id)
            ended = follow(gateway, display, item, workflow.id, after_sequence)
    except KeyboardInterrupt:
        terminal.note(f"the work goes on; watch with: recordroute watch {short(workflow.id)}")
        raise
    return report(name, gateway.recording(workflow.recording_id), ended)
