"""`recordroute live`: record what is said, with captions while it is said."""

from __future__ import annotations

import sys
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands import work_options
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recordroute.gateway.v1 import live_pb2, workflow_pb2

    from recordroute_cli.client import Gateway
    from recordroute_cli.live_audio import Source
    from recordroute_cli.live_client import LiveClient
    from recordroute_cli.live_display import LiveDisplay
    from recordroute_cli.stop_signals import StopSignals

WAIT_SECONDS = 0.2

app = typer.Typer(
    help="Record what is said, with captions while it is said.",
    epilog="Example: recordroute live --title 'Weekly' --language en",
    invoke_without_command=True,
)
SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Id of the session, or its first 4 or more characters.")
]


@app.callback()
def record(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--file", help="Play this recording at the speed of life, no microphone.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="Number of the microphone, or a part of its name; else the system's default.")
    ] = "",
    title: Annotated[str, typer.Option(help="Title; else the time until the work gives it one.")] = "",
    folder: Annotated[
        str, typer.Option(help="Folder to put the recording into, for instance work/2026.")
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="Tag to give it; may be repeated.")
    ] = None,
    language: work_options.Language = None,
    word: work_options.Vocabulary = None,
    prompt: work_options.Prompt = "",
    no_summary: work_options.NoSummary = False,
    no_index: work_options.NoIndex = False,
    stt_model: work_options.SttModel = "",
    llm_model: work_options.LlmModel = "",
    final_only: Annotated[
        bool, typer.Option("--final-only", help="Show words only once they are settled.")
    ] = False,
    keep_only: Annotated[
        bool, typer.Option("--keep-only", help="Only keep the recording, without the work on it.")
    ] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch/--detach", help="After the recording stay until the work is done, or not."),
    ] = True,
    json_output: JsonOption = False,
) -> int:
    """Record from the microphone, or a file at the speed of life, until Ctrl-C, and have it transcribed, summarised and
    indexed. The audio is safe at the server while it is spoken; a lost connection is made again and loses nothing."""
    if context.invoked_subcommand is not None:
        return ExitCode.OK
    from recordroute.gateway.v1 import live_pb2, workflow_pb2
    from recordroute.stt.v1 import stt_pb2

    from recordroute_cli.client import connect
    from recordroute_cli.live_audio import RATE
    from recordroute_cli.stop_signals import stop_signals

    config = live_pb2.LiveConfig(
        request_id=str(uuid.uuid4()),
        encoding=stt_pb2.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hertz=RATE,
        title=title,
        folder=folder,
        tags=tag or (),
        options=workflow_pb2.WorkflowOptions(
            language=language,
            hotwords=word or (),
            initial_prompt=prompt,
            skip_summary=no_summary,
            skip_index=no_index,
            stt_model=stt_model,
            llm_model=llm_model,
        ),
        interim_results=not final_only,
        skip_workflow=keep_only,
    )
    with _source(file, device) as source, connect() as gateway:
        with stop_signals() as stops:
            recorded = _record(gateway, config, source, stops)
        code = _follow(gateway, recorded.sessions, watch=watch)
        if recorded.error is not None:
            raise recorded.error
        return code


@app.command("list")
def list_sessions(json_output: JsonOption = False) -> None:
    """List the sessions that are open."""
    from recordroute.gateway.v1 import live_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import clock, moment, seconds, short

    with connect() as gateway:
        sessions = gateway.call(gateway.live.ListLiveSessions, live_pb2.ListLiveSessionsRequest()).sessions
    if json_output:
        terminal.write_json({"sessions": [document(session) for session in sessions]})
        return
    if not sessions:
        terminal.note("no live session is open; begin one with: recordroute live")
    for session in sessions:
        terminal.out().print(
            f"{short(session.id)}  {clock(seconds(session.audio_duration)):>7}  {moment(session.created_at)}  "
            f"{plain(session.title)}",
            soft_wrap=True,
        )


@app.command("mark", epilog="Example: recordroute live mark 1f3a9c0e 'the decision'")
def mark(
    session: SessionArgument,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What for.")] = "",
    at: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Where, from the start; else now.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Mark a moment of a session: the recording will have it as a bookmark."""
    from recordroute_cli.client import connect
    from recordroute_cli.render import clock

    with connect() as gateway:
        session_id = _session_id(gateway, session)
        position = _mark(gateway, session_id, label, at)
    if json_output:
        terminal.write_json({"session_id": session_id, "position": position, "label": label})
    else:
        terminal.out().print(f"marked at {clock(position)}", soft_wrap=True)


@app.command("watch", epilog="Example: recordroute live watch 1f3a9c0e")
def watch_session(session: SessionArgument, json_output: JsonOption = False) -> None:
    """Show the captions of a session that somebody else records, from its start to its end."""
    from recordroute.gateway.v1 import live_pb2

    from recordroute_cli.client import connect
    from recordroute_cli.live_display import make_live_display

    with connect() as gateway, make_live_display("Ctrl-C leaves") as display, gateway.translated():
        resume = live_pb2.LiveResume(session_id=_session_id(gateway, session), watch_only=True)
        for response in gateway.live.OpenLiveSession(live_pb2.OpenLiveSessionRequest(resume=resume)):
            display.event(response.event)


@contextmanager
def _source(file: Path | None, device: str) -> Iterator[Source]:
    from recordroute_cli.live_audio import FileSource, microphone

    if file is not None:
        if device:
            raise CommandError("--file and --device exclude each other", ExitCode.USAGE)
        yield FileSource(file)
        return
    with microphone(device) as opened:
        yield opened


@dataclass
class _Recorded:
    """What came of it: one session, in bad times several; and what went wrong all the same."""

    sessions: list[live_pb2.LiveEnded] = field(default_factory=list)
    error: CommandError | None = None


def _record(gateway: Gateway, config: live_pb2.LiveConfig, source: Source, stops: StopSignals) -> _Recorded:
    """Records until the source or its user ends."""
    from recordroute_cli.live_client import Continued, LiveClient, Lost, Over
    from recordroute_cli.live_display import make_live_display

    recorded = _Recorded()
    client = LiveClient(gateway, config, source)
    asked_to_stop = threading.Event()

    def stop() -> None:
        if asked_to_stop.is_set():
            raise KeyboardInterrupt
        asked_to_stop.set()
        client.stop()

    display = make_live_display()
    said = False
    try:
        with stops.calling(stop), display:
            client.start()
            _mark_on_enter(gateway, client, display)
            while True:
                notice = client.notice(WAIT_SECONDS)
                if asked_to_stop.is_set() and not said:
                    said = True
                    display.stopping()
                match notice:
                    case None:
                        continue
                    case Over(error):
                        if error is not None and (client.unsent or not recorded.sessions):
                            raise error
                        recorded.error = error
                        return recorded
                    case Lost():
                        display.lost()
                    case Continued():
                        display.continued()
                    case event:
                        display.event(event)
                        if event.HasField("ended"):
                            recorded.sessions.append(event.ended)
    except BaseException:
        client.abandon()
        _rescue(client)
        raise


def _rescue(client: LiveClient) -> None:
    """Keeps what no server has taken."""
    from recordroute_cli.live_audio import write_wave

    audio = client.unsent
    if client.session_id:
        terminal.note("what the server has of the recording becomes a recording there within a minute or so")
    if not any(audio):
        return
    path = Path(f"recordroute-live-{datetime.now().astimezone():%Y%m%d-%H%M%S}.wav")
    try:
        write_wave(path, audio)
    except OSError as error:
        terminal.complain(
            f"what was not sent can't be kept: {path}: {(error.strerror or str(error)).lower()}"
        )
    else:
        terminal.note(f"what is not safe there is kept here; send it with: recordroute add {path}")


def _mark_on_enter(gateway: Gateway, client: LiveClient, display: LiveDisplay) -> None:
    if terminal.json_mode() or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    from recordroute_cli.render import clock

    def read() -> None:
        for line in sys.stdin:
            if not client.session_id:
                continue
            try:
                position = _mark(gateway, client.session_id, line.strip(), None)
            except CommandError as error:
                display.say(f"not marked: {error.message}")
            else:
                display.say(f"marked at {clock(position)}")

    threading.Thread(target=read, name="live-marks", daemon=True).start()


def _mark(gateway: Gateway, session_id: str, label: str, at: float | None) -> float:
    from recordroute.gateway.v1 import live_pb2
    from recordroute_runtime.wire import to_duration, to_seconds

    request = live_pb2.AddLiveBookmarkRequest(
        request_id=str(uuid.uuid4()),
        session_id=session_id,
        label=label,
        position=to_duration(at) if at is not None else None,
    )
    return to_seconds(gateway.call(gateway.live.AddLiveBookmark, request).position)


def _session_id(gateway: Gateway, text: str) -> str:
    from recordroute.gateway.v1 import live_pb2

    from recordroute_cli.client import resolve_id

    def ids() -> Iterator[str]:
        answer = gateway.call(gateway.live.ListLiveSessions, live_pb2.ListLiveSessionsRequest())
        return (session.id for session in answer.sessions)

    return resolve_id(text, "live session", ids)


def _follow(gateway: Gateway, sessions: list[live_pb2.LiveEnded], *, watch: bool) -> ExitCode:
    from recordroute_cli.follow import follow, report
    from recordroute_cli.progress import make_display
    from recordroute_cli.render import short

    code = ExitCode.OK
    for session in sessions:
        if not session.recording_id:
            terminal.note("nothing was recorded")
            continue
        recording = gateway.recording(session.recording_id)
        if not session.workflow_id:
            if not terminal.json_mode():
                terminal.out().print(f"{short(recording.id)}  {plain(recording.title)}", soft_wrap=True)
            continue
        if watch:
            with make_display() as display:
                item = display.add(recording.title, session.workflow_id)
                workflow: workflow_pb2.Workflow = follow(gateway, display, item, session.workflow_id)
            recording = gateway.recording(session.recording_id)
        else:
            workflow = gateway.workflow(session.workflow_id)
        code = max(code, report(recording.file_name, recording, workflow))
    return code
