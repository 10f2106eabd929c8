"""Follows workflows to their end and tells how they ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from recordroute_runtime.documents import document, enum_name

from recordroute_cli import terminal
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.render import clock, seconds, short
from recordroute_cli.terminal import plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import library_pb2, workflow_pb2

    from recordroute_cli.client import Gateway
    from recordroute_cli.progress import Display, Item


def follow(
    gateway: Gateway, display: Display, item: Item, workflow_id: str, after_sequence: int = 0
) -> workflow_pb2.Workflow:
    """Shows a workflow until it has ended and returns it."""
    from recordroute_cli.client import Lost

    for event in gateway.watch(workflow_id, after_sequence):
        if isinstance(event, Lost):
            display.lost(item)
        else:
            display.event(item, event)
    return gateway.workflow(workflow_id)


def exit_code(states: Iterable[str]) -> ExitCode:
    """Returns the exit code for workflows that ended (or were left running) in these states."""
    seen = set(states)
    if "failed" in seen:
        return ExitCode.FAILED
    return ExitCode.CANCELLED if "cancelled" in seen else ExitCode.OK


def report(name: str, recording: library_pb2.Recording, workflow: workflow_pb2.Workflow) -> ExitCode:
    """Prints how a workflow ended, or that it goes on, and returns the exit code for that."""
    state = enum_name(workflow, "state")
    if terminal.json_mode():
        terminal.write_json_line(result(name, recording, workflow))
        return exit_code([state])
    console = terminal.out()
    if state == "succeeded":
        length = f", {clock(seconds(recording.duration))}" if recording.HasField("duration") else ""
        console.print(
            f"{short(recording.id)}  {plain(recording.title)} ({plain(name)}{length})", soft_wrap=True
        )
    elif state == "failed":
        error = workflow.error
        terminal.complain(f"{name}: {error.message} ({error.reason})")
        terminal.note(f"try again with: recordroute retry {short(workflow.id)}")
    elif state == "cancelled":
        terminal.note(f"{name}: cancelled; go on with: recordroute retry {short(workflow.id)}")
    else:
        console.print(
            f"{short(recording.id)}  {plain(name)}: {state}; watch with: recordroute watch {short(workflow.id)}",
            soft_wrap=True,
        )
    return exit_code([state])


def result(name: str, recording: library_pb2.Recording, workflow: workflow_pb2.Workflow) -> dict[str, Any]:
    """Returns the JSON line that closes a file or workflow."""
    return {
        "type": "result",
        "file": name,
        "recording": document(recording),
        "workflow": document(workflow),
    }
