"""`recordroute voices`: the voices that are recognised in new recordings."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

app = typer.Typer(help="Remember, list and forget people's voices.", no_args_is_help=True)


@app.command("remember", epilog="Example: recordroute voices remember 1f3a9c0e S1 'Kim Minji' --consent")
def remember(
    recording: RecordingArgument,
    speaker: Annotated[
        str,
        typer.Argument(metavar="SPEAKER", help="Label of the speaker in the transcript, for instance S1."),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the person.")],
    consent: Annotated[
        bool, typer.Option("--consent", help="The person agrees to being recognised; required.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Remember a speaker's voice: recordings from now on tell the person's name."""
    if not consent:
        raise CommandError(
            "a voice identifies a person: ask for consent, then say so with --consent", ExitCode.USAGE
        )
    from recordroute.gateway.v1 import voice_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import short

    with connect() as gateway:
        request = voice_pb2.RememberVoiceRequest(
            request_id=str(uuid.uuid4()),
            recording_id=gateway.recording_id(recording),
            speaker=speaker,
            name=name,
            consent=consent,
        )
        voice = gateway.call(gateway.voices.RememberVoice, request).voice
    if json_output:
        terminal.write_json({"voice": document(voice)})
    else:
        terminal.out().print(f"{short(voice.id)}  {plain(voice.name)}", soft_wrap=True)


@app.command("list")
def list_voices(json_output: JsonOption = False) -> None:
    """List the remembered voices."""
    from recordroute.gateway.v1 import voice_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment, short

    with connect() as gateway:
        voices = gateway.call(gateway.voices.ListVoices, voice_pb2.ListVoicesRequest()).voices
    if json_output:
        terminal.write_json({"voices": [document(voice) for voice in voices]})
        return
    if not voices:
        terminal.note(
            "no voice is remembered; remember one with: recordroute voices remember ID SPEAKER NAME --consent"
        )
    for voice in voices:
        terminal.out().print(
            f"{short(voice.id)}  {plain(voice.name)}  {moment(voice.created_at)}", soft_wrap=True
        )


@app.command("forget", epilog="Example: recordroute voices forget 'Kim Minji'")
def forget(
    voice: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of the person, or id of the voice, or its first 4 or more characters."
        ),
    ],
    json_output: JsonOption = False,
) -> None:
    """Forget a voice for good. Names that stand in transcripts stay."""
    from recordroute.gateway.v1 import voice_pb2

    from recordroute_cli.client import ID_PREFIX, connect

    with connect() as gateway:
        voices = gateway.call(gateway.voices.ListVoices, voice_pb2.ListVoicesRequest()).voices
        found = [known for known in voices if voice == known.name]
        if not found and ID_PREFIX.fullmatch(voice.lower()):
            found = [known for known in voices if known.id.startswith(voice.lower())]
        if not found:
            raise CommandError(f"no voice is called {plain(voice)!r}", ExitCode.NOT_FOUND)
        if len(found) > 1:
            raise CommandError(
                f"{len(found)} voices are meant by {plain(voice)!r}: give an id", ExitCode.USAGE
            )
        request = voice_pb2.DeleteVoiceRequest(request_id=str(uuid.uuid4()), voice_id=found[0].id)
        gateway.call(gateway.voices.DeleteVoice, request)
    if json_output:
        terminal.write_json({"deleted": [found[0].id]})
    else:
        terminal.out().print(f"{plain(found[0].name)} is forgotten", soft_wrap=True)
