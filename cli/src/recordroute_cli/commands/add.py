"""`recordroute add`: uploads files and starts the work on them."""

from __future__ import annotations

import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands import work_options
from recordroute_cli.commands.work_options import Channels, Profile, WorkOptions
from recordroute_cli.dates import parse_moment
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.render import short
from recordroute_cli.terminal import JsonOption

if TYPE_CHECKING:
    from recordroute.gateway.v1 import library_pb2, upload_pb2, workflow_pb2

    from recordroute_cli.client import Gateway
    from recordroute_cli.progress import Display, Item

WATCHERS = 16


@dataclass(frozen=True)
class _Added:
    name: str
    item: Item
    recording: library_pb2.Recording
    workflow: workflow_pb2.Workflow


def add(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Files, folders and patterns; folders are searched for media."),
    ],
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
    recorded_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="When it was recorded (ISO 8601); else what the file says, else now."
        ),
    ] = None,
    title: Annotated[
        str, typer.Option(help="Title of the recording; only with a single file. Else the work makes one.")
    ] = "",
    folder: Annotated[str, typer.Option(help="Folder to put it into, for instance work/2026.")] = "",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="Tag to give it; may be repeated.")
    ] = None,
    allow_duplicate: Annotated[
        bool,
        typer.Option("--allow-duplicate", help="Add files that the library has already once more."),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch/--detach", help="Stay until the work is done, or only upload and start it."),
    ] = True,
    json_output: JsonOption = False,
) -> int:
    """Upload recordings and have them transcribed, summarised and indexed."""
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
    ).message()
    from recordroute.gateway.v1 import upload_pb2

    from recordroute_cli.client import connect
    from recordroute_cli.files import Unusable, find_files

    about = upload_pb2.UploadConfig(
        title=title, folder=folder, tags=dict.fromkeys(tag or ()), allow_duplicate=allow_duplicate
    )
    if recorded_at:
        about.recorded_at.FromDatetime(parse_moment(recorded_at, "--recorded-at"))

    found = find_files(files)
    paths = [entry for entry in found if isinstance(entry, Path)]
    for entry in found:
        if isinstance(entry, Unusable):
            _complain(entry.name, CommandError(entry.reason))
    if title and len(found) > 1:
        raise CommandError("--title is for a single file", ExitCode.USAGE)
    code = ExitCode.OK if len(paths) == len(found) else ExitCode.FAILED
    if not paths:
        return code
    with connect() as gateway:
        return _run(gateway, paths, options, about, watch) or code


def _run(
    gateway: Gateway,
    paths: list[Path],
    options: workflow_pb2.WorkflowOptions,
    about: upload_pb2.UploadConfig,
    watch: bool,
) -> ExitCode:
    from recordroute_cli.follow import follow, report
    from recordroute_cli.progress import make_display

    following: list[tuple[_Added, Future[workflow_pb2.Workflow]]] = []
    codes: list[ExitCode] = []
    with ExitStack() as stack:
        watchers = ThreadPoolExecutor(WATCHERS, thread_name_prefix="watch")
        stack.callback(watchers.shutdown, wait=True, cancel_futures=True)
        # Closed before the watchers are waited for: nothing else ends their streams on Ctrl-C.
        stack.callback(gateway.close)
        with make_display() as display:
            items = [display.add(str(path), upload=True) for path in paths]
            started: list[_Added] = []
            try:
                for path, item in zip(paths, items, strict=True):
                    added = _upload(gateway, display, item, path, options, about)
                    if isinstance(added, ExitCode):
                        codes.append(added)
                        continue
                    started.append(added)
                    if watch:
                        done = watchers.submit(follow, gateway, display, item, added.workflow.id)
                        following.append((added, done))
                # Waits with an end, for Ctrl-C to be heard between them.
                while wait([done for _, done in following], timeout=0.5).not_done:
                    pass
            except KeyboardInterrupt:
                _say_how_to_go_on(started)
                raise
        if not watch:
            codes += [report(added.name, added.recording, added.workflow) for added in started]
            return _worst(codes)
        for added, done in following:
            try:
                workflow = done.result()
                recording = gateway.recording(added.recording.id)
            except CommandError as error:
                _complain(added.name, error)
                codes.append(error.exit_code)
            else:
                codes.append(report(added.name, recording, workflow))
    return _worst(codes)


def _upload(
    gateway: Gateway,
    display: Display,
    item: Item,
    path: Path,
    options: workflow_pb2.WorkflowOptions,
    about: upload_pb2.UploadConfig,
) -> _Added | ExitCode:
    try:
        recording = gateway.upload(
            path,
            request_id=str(uuid.uuid4()),
            about=about,
            on_sent=lambda sent, size: display.sent(item, sent, size),
        )
    except CommandError as error:
        if error.exit_code is ExitCode.UNREACHABLE:
            raise
        display.failed(item, error)
        return error.exit_code
    except OSError as error:
        display.failed(item, CommandError((error.strerror or str(error)).lower()))
        return ExitCode.FAILED
    try:
        workflow = gateway.start(recording.id, options, str(uuid.uuid4()))
    except CommandError as error:
        if error.exit_code is ExitCode.UNREACHABLE:
            raise
        error.message += (
            f"; the recording is added: start the work with: recordroute redo {short(recording.id)}"
        )
        error.metadata["recording_id"] = recording.id
        display.failed(item, error)
        return error.exit_code
    display.uploaded(item, workflow.id)
    return _Added(str(path), item, recording, workflow)


def _worst(codes: list[ExitCode]) -> ExitCode:
    """Returns the one code for several files: any failure is one, then anything else that is not well."""
    if len(set(codes)) == 1:
        return codes[0]
    bad = [code for code in codes if code is not ExitCode.OK]
    return (
        ExitCode.FAILED
        if any(code is not ExitCode.CANCELLED for code in bad)
        else max(bad, default=ExitCode.OK)
    )


def _complain(name: str, error: CommandError) -> None:
    terminal.complain(f"{name}: {error.message}")
    if terminal.json_mode():
        terminal.write_json_line({"type": "error", "file": name, "error": error.document()})


def _say_how_to_go_on(started: list[_Added]) -> None:
    for added in started:
        if not added.item.ended:
            terminal.note(
                f"{added.name}: the work goes on; watch with: recordroute watch {short(added.workflow.id)}"
            )
