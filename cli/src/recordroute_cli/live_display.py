"""Shows captions as they come: settled words in black, those that may change in grey; lines elsewhere; JSON."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from recordroute_runtime.documents import document

from recordroute_cli import terminal
from recordroute_cli.render import clock, seconds, short
from recordroute_cli.terminal import plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import live_pb2
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

HINT = "Enter marks the moment, Ctrl-C ends the recording"


class LiveDisplay(AbstractContextManager["LiveDisplay"]):
    """Base of the displays: final captions as lines on standard output, the rest on standard error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def event(self, event: live_pb2.LiveEvent) -> None:
        """Shows an event of the session."""
        match event.WhichOneof("event"):
            case "caption" if event.caption.result.is_final:
                if event.caption.result.stable_text:
                    self.final(event.caption)
            case "warning":
                self.say(event.warning.message)
            case "ended" if event.ended.reason:
                self.say(f"the server ended the session ({event.ended.reason})")

    def final(self, caption: live_pb2.LiveCaption) -> None:
        """Shows words that stay."""
        print(f"{clock(seconds(caption.result.start))}  {plain(caption.result.stable_text)}", flush=True)

    def say(self, text: str) -> None:
        """Shows a line that is no caption."""
        terminal.note(text)

    def lost(self) -> None:
        """Says that the connection is lost."""
        self.say("the server does not answer; the recording goes on, and is sent when it does")

    def continued(self) -> None:
        """Says that another session follows."""
        self.say("the session had ended; the recording goes on in another one")

    def stopping(self) -> None:
        """Says that the recording ends."""
        self.say("ending; Ctrl-C again leaves at once")


class JsonLiveDisplay(LiveDisplay):
    """A JSON line for each event."""

    def event(self, event: live_pb2.LiveEvent) -> None:
        kind = event.WhichOneof("event") or ""
        value = getattr(event, kind)
        fields = {"saved_audio_sequence": value} if isinstance(value, int) else document(value)
        name = "saved" if kind == "saved_audio_sequence" else kind
        terminal.write_json_line({"type": name, "sequence": event.sequence, **fields})

    def lost(self) -> None:
        terminal.write_json_line({"type": "lost"})

    def continued(self) -> None:
        terminal.write_json_line({"type": "continued"})

    def stopping(self) -> None:
        terminal.write_json_line({"type": "stopping"})


class TerminalLiveDisplay(LiveDisplay):
    """The words of the running utterance below those that are settled, and a line that says how it goes."""

    def __init__(self, console: Console, hint: str = HINT) -> None:
        from rich.live import Live

        self._console = console
        self._hint = hint
        self._began: float | None = None
        self._caption: live_pb2.LiveCaption | None = None
        self._state = "connecting"
        self._live: Live = Live(
            get_renderable=self._render, console=console, refresh_per_second=8, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def event(self, event: live_pb2.LiveEvent) -> None:
        match event.WhichOneof("event"):
            case "opened":
                self._began = time.monotonic() - seconds(event.opened.audio_duration)
                self._state = "recording"
                if not event.opened.next_audio_sequence:
                    self.say(f"session {short(event.opened.id)}: {plain(event.opened.title)}")
            case "caption":
                self._caption = None if event.caption.result.is_final else event.caption
        super().event(event)
        self._live.refresh()

    def final(self, caption: live_pb2.LiveCaption) -> None:
        from rich.text import Text

        line = Text.assemble(
            (f"{clock(seconds(caption.result.start)):>7}  ", "dim"), plain(caption.result.stable_text)
        )
        self._console.print(line, soft_wrap=True)

    def say(self, text: str) -> None:
        self._console.print(plain(text), style="yellow", soft_wrap=True)

    def lost(self) -> None:
        self._state = "no connection, recording"
        super().lost()

    def stopping(self) -> None:
        self._state = "ending"
        super().stopping()

    def _render(self) -> Text:
        from rich.text import Text

        shown = Text()
        if self._caption is not None:
            result = self._caption.result
            shown.append(f"{clock(seconds(result.start)):>7}  ", "dim")
            shown.append(plain(result.stable_text))
            shown.append(" " if result.stable_text and result.unstable_text else "")
            shown.append(plain(result.unstable_text), "bright_black")
            shown.append("\n")
        elapsed = clock(time.monotonic() - self._began) if self._began is not None else ""
        shown.append("● ", "red" if self._state == "recording" else "yellow")
        shown.append(f"{self._state} {elapsed}  {self._hint}", "dim")
        return shown


def make_live_display(hint: str = HINT) -> LiveDisplay:
    """Returns the display that fits what the command was asked for and where it runs."""
    if terminal.json_mode():
        return JsonLiveDisplay()
    if sys.stdout.isatty():
        return TerminalLiveDisplay(terminal.out(), hint)
    return LiveDisplay()
