"""The options of the work on a recording, alike for `recordroute add` and `recordroute redo`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from recordroute.gateway.v1 import workflow_pb2


class Profile(StrEnum):
    """How much work is put into the words."""

    FAST = "fast"
    BALANCED = "balanced"
    ACCURATE = "accurate"


class Channels(StrEnum):
    """What is done with several channels."""

    MIXED = "mixed"
    SEPARATE = "separate"


class FirstStage(StrEnum):
    """Where the work begins."""

    TRANSCRIBE = "transcribe"
    SUMMARISE = "summarise"
    EMBED = "embed"
    INDEX = "index"


Language = Annotated[
    str | None, typer.Option(help="Language of the speech, for instance en or ko; detected if not given.")
]
MixedLanguages = Annotated[
    bool, typer.Option("--mixed-languages", help="Tell the language anew for each stretch of speech.")
]
Translate = Annotated[bool, typer.Option("--translate", help="Write down what was said in English.")]
ProfileOption = Annotated[Profile, typer.Option("--profile", help="How much work is put into the words.")]
Vocabulary = Annotated[
    list[str] | None,
    typer.Option("--word", metavar="WORD", help="Name or term that is likely to be said; may be repeated."),
]
Prompt = Annotated[
    str, typer.Option("--prompt", help="Text that might have been said before: sets names and style.")
]
Speakers = Annotated[
    str,
    typer.Option(
        "--speakers", metavar="auto|off|NUMBER", help="Tell who said what: how many people speak, or off."
    ),
]
ChannelsOption = Annotated[
    Channels, typer.Option("--channels", help="Transcribe each channel by itself, or all mixed.")
]
AudioStream = Annotated[
    int | None,
    typer.Option("--audio-stream", min=0, max=255, help="Number of the file's audio stream, from 0."),
]
NoSummary = Annotated[bool, typer.Option("--no-summary", help="Leave out title and minutes.")]
NoIndex = Annotated[bool, typer.Option("--no-index", help="Leave it out of the search.")]
SttModel = Annotated[
    str, typer.Option("--stt-model", "--model", help="Id of the speech model; the default if not given.")
]
LlmModel = Annotated[
    str, typer.Option("--llm-model", help="Id of the language model; the default if not given.")
]
Template = Annotated[
    str,
    typer.Option(
        "--template", metavar="NAME", help="Template of the minutes: see recordroute templates list."
    ),
]
MinutesLanguage = Annotated[
    str,
    typer.Option(
        "--minutes-language", metavar="CODE", help="Language of the minutes; that of the speech if not given."
    ),
]
First = Annotated[
    FirstStage,
    typer.Option("--from", help="First stage that is done again; what the ones before it made is used."),
]
NoVocabulary = Annotated[
    bool, typer.Option("--no-vocabulary", help="Do not look out for the terms of your vocabulary.")
]

MAX_SPEAKERS = 32


@dataclass(frozen=True)
class WorkOptions:
    """What the command line said."""

    language: str | None
    mixed_languages: bool
    translate: bool
    profile: Profile
    vocabulary: list[str] | None
    prompt: str
    speakers: str
    channels: Channels
    audio_stream: int | None
    no_summary: bool
    no_index: bool
    stt_model: str
    llm_model: str
    template: str = ""
    minutes_language: str = ""
    no_vocabulary: bool = False
    first: FirstStage = FirstStage.TRANSCRIBE

    def message(self) -> workflow_pb2.WorkflowOptions:
        """Returns the contract's form. Raises CommandError where the options don't fit together."""
        from recordroute.gateway.v1 import workflow_pb2

        if self.language and self.mixed_languages:
            raise CommandError("--language and --mixed-languages exclude each other", ExitCode.USAGE)
        return workflow_pb2.WorkflowOptions(
            language=self.language,
            detect_language_per_segment=self.mixed_languages,
            translate=self.translate,
            profile=f"PROFILE_{self.profile.name}",
            hotwords=self.vocabulary or (),
            initial_prompt=self.prompt,
            skip_speakers=self.speakers == "off",
            speaker_count=self._speaker_count(),
            channel_mode=f"CHANNEL_MODE_{self.channels.name}",
            audio_stream=self.audio_stream,
            skip_summary=self.no_summary,
            skip_index=self.no_index,
            stt_model=self.stt_model,
            llm_model=self.llm_model,
            template=self.template,
            output_language=self.minutes_language,
            skip_vocabulary=self.no_vocabulary,
            first_stage=None if self.first is FirstStage.TRANSCRIBE else f"WORKFLOW_STAGE_{self.first.name}",
        )

    def _speaker_count(self) -> int:
        if self.speakers in ("auto", "off"):
            return 0
        if self.speakers.isdecimal() and 1 <= int(self.speakers) <= MAX_SPEAKERS:
            return int(self.speakers)
        raise CommandError(f"--speakers takes auto, off, or 1 to {MAX_SPEAKERS}", ExitCode.USAGE)
