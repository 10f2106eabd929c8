"""Shows what happens in the library, a line a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recordroute_runtime.documents import document, enum_name

from recordroute_cli import terminal
from recordroute_cli.render import short
from recordroute_cli.terminal import plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import watch_pb2

    from recordroute_cli.client import Gateway


def watch_library(gateway: Gateway, after_sequence: int | None) -> int:
    """Prints changes until it is interrupted. Raises CommandError."""
    from recordroute_cli.client import Lost

    for change in gateway.watch_library(after_sequence):
        if isinstance(change, Lost):
            if terminal.json_mode():
                terminal.write_json_line({"type": "lost"})
            else:
                terminal.note("the server does not answer; trying again")
        elif terminal.json_mode():
            terminal.write_json_line(_json(change))
        elif line := _line(change):
            terminal.out().print(line, soft_wrap=True)
    return 0


def _json(change: watch_pb2.WatchLibraryResponse) -> dict[str, object]:
    kind = change.WhichOneof("change") or "start"
    fields = {name: value for name, value in document(change).items() if name in ("sequence", "time", kind)}
    return {"type": kind, **fields}


def _line(change: watch_pb2.WatchLibraryResponse) -> str:
    match change.WhichOneof("change"):
        case "recording":
            recording = change.recording
            place = "in the bin" if recording.HasField("deleted_at") else plain(recording.title)
            return f"{short(recording.id)}  {place}"
        case "recording_removed":
            return f"{short(change.recording_removed.recording_id)}  gone"
        case "workflow":
            workflow = change.workflow
            running = [stage for stage in workflow.stages if enum_name(stage, "state") == "running"]
            state = enum_name(workflow, "state")
            if running and state == "running":
                state = f"{enum_name(running[0], 'stage')} {running[0].percent:.0f} %"
            return f"{short(workflow.recording_id)}  {state}"
        case "reset":
            return "changes were missed; what is shown from here on is complete again"
    return ""
