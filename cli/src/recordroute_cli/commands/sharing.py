"""`recordroute share`, `unshare` and `shares`: recordings that others may see or change."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.commands.library import RecordingArgument
from recordroute_cli.terminal import JsonOption, plain

UserArgument = Annotated[
    str, typer.Argument(metavar="USER", help="Id of the other user, as `whoami` tells it.")
]


def share(
    recording: RecordingArgument,
    user: UserArgument,
    write: Annotated[
        bool, typer.Option("--write", help="Let the user change title, tags, transcript and minutes, too.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Let another user see a recording; again with or without --write changes what it may do."""
    from recordroute.gateway.v1 import library_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect

    with connect() as gateway:
        request = library_pb2.ShareRecordingRequest(
            request_id=str(uuid.uuid4()),
            recording_id=gateway.recording_id(recording),
            user=user,
            access=library_pb2.ACCESS_WRITE if write else library_pb2.ACCESS_READ,
        )
        shared = gateway.call(gateway.library.ShareRecording, request).share
    values = document(shared)
    if json_output:
        terminal.write_json({"share": values})
    else:
        terminal.out().print(f"{plain(shared.user)} may {values['access']} it", soft_wrap=True)


def unshare(recording: RecordingArgument, user: UserArgument, json_output: JsonOption = False) -> None:
    """Take a user's access to a recording away. Your own user id leaves somebody else's recording."""
    from recordroute.gateway.v1 import library_pb2

    from recordroute_cli.client import connect

    with connect() as gateway:
        request = library_pb2.UnshareRecordingRequest(
            request_id=str(uuid.uuid4()), recording_id=gateway.recording_id(recording), user=user
        )
        gateway.call(gateway.library.UnshareRecording, request)
    if json_output:
        terminal.write_json({"unshared": [user]})
    else:
        terminal.out().print(f"{plain(user)} sees it no more", soft_wrap=True)


def shares(recording: RecordingArgument, json_output: JsonOption = False) -> None:
    """List with whom a recording is shared."""
    from recordroute.gateway.v1 import library_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment

    with connect() as gateway:
        request = library_pb2.ListSharesRequest(recording_id=gateway.recording_id(recording))
        found = gateway.call(gateway.library.ListShares, request).shares
    if json_output:
        terminal.write_json({"shares": [document(share) for share in found]})
        return
    if not found:
        terminal.note("nobody else sees it; share it with: recordroute share")
    for each in found:
        access = document(each)["access"]
        terminal.out().print(f"{plain(each.user)}  {access}  since {moment(each.created_at)}", soft_wrap=True)
