"""`recordroute whoami`, `keys` and `audit`: who calls, with what, and who did what."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recordroute_cli import terminal
from recordroute_cli.dates import parse_moment
from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import JsonOption, plain

if TYPE_CHECKING:
    from recordroute.gateway.v1 import identity_pb2

    from recordroute_cli.client import Gateway

keys = typer.Typer(help="Make, list and revoke the API keys that programs call with.", no_args_is_help=True)
AUDIT_PAGE = 500


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


AllUsersOption = Annotated[
    bool, typer.Option("--all-users", help="Of everybody: for whoever runs the system.")
]


def whoami(json_output: JsonOption = False) -> None:
    """Show who you are to the server, what you may do, and how much room your recordings take."""
    from recordroute.gateway.v1 import identity_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import size

    with connect() as gateway:
        caller = gateway.call(gateway.identity.GetCaller, identity_pb2.GetCallerRequest())
    values = document(caller)
    if json_output:
        terminal.write_json({"caller": values})
        return
    console = terminal.out()
    name = f" ({plain(caller.name)})" if caller.name else ""
    operator = ", with the system's own token" if caller.is_operator else ""
    console.print(f"{plain(caller.user)}{name}{operator}", soft_wrap=True)
    console.print(f"  may      {', '.join(values['scopes']) or 'nothing'}", soft_wrap=True)
    if caller.api_key_id:
        console.print(f"  key      {plain(caller.api_key_id)}", soft_wrap=True)
    limit = f" of {size(caller.storage_limit_bytes)}" if caller.storage_limit_bytes else ""
    console.print(f"  storage  {size(caller.storage_bytes)}{limit}", soft_wrap=True)


@keys.command("create", epilog="Example: recordroute keys create backup --scope read --expires 2027-01-31")
def create_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    scopes: Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope", help="What it may do; several are given one by one. Default: read and write."
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="When it ends; else it never does.")
    ] = None,
    user: Annotated[
        str, typer.Option("--user", help="For another user: only with the system's own token.")
    ] = "",
    json_output: JsonOption = False,
) -> None:
    """Make an API key and print its secret, which is shown this once only."""
    from recordroute.gateway.v1 import identity_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect

    request = identity_pb2.CreateApiKeyRequest(
        request_id=str(uuid.uuid4()),
        name=name,
        scopes=[f"SCOPE_{scope.name}" for scope in dict.fromkeys(scopes or (Scope.READ, Scope.WRITE))],
        user=user,
    )
    if expires is not None:
        request.expires_at.FromDatetime(parse_moment(expires, "--expires"))
    with connect() as gateway:
        made = gateway.call(gateway.identity.CreateApiKey, request)
    if json_output:
        terminal.write_json({"api_key": document(made.api_key), "secret": made.secret})
        return
    terminal.note(f"key {made.api_key.id} of {plain(made.api_key.user)}; its secret is not shown again:")
    # Alone on standard output: for a variable, a file, a password manager.
    terminal.out().print(made.secret, soft_wrap=True, highlight=False)


@keys.command("list")
def list_keys(all_users: AllUsersOption = False, json_output: JsonOption = False) -> None:
    """List the API keys, newest first."""
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment

    with connect() as gateway:
        found = _keys(gateway, all_users=all_users)
    if json_output:
        terminal.write_json({"api_keys": [document(key) for key in found]})
        return
    if not found:
        terminal.note("there are no API keys; make one with: recordroute keys create NAME")
    for key in found:
        used = moment(key.last_used_at) if key.HasField("last_used_at") else "never"
        ends = ""
        if key.HasField("revoked_at"):
            ends = f"  revoked {moment(key.revoked_at)}"
        elif key.HasField("expires_at"):
            ends = f"  expires {moment(key.expires_at)}"
        owner = f"{plain(key.user)}  " if all_users else ""
        scopes = ",".join(document(key)["scopes"])
        terminal.out().print(
            f"{key.id}  {owner}{plain(key.name)}  {scopes}  last used {used}{ends}", soft_wrap=True
        )


@keys.command("revoke", epilog="Example: recordroute keys revoke rrk_0123456789abcdef")
def revoke_key(
    key_id: Annotated[
        str, typer.Argument(metavar="KEY", help="Id of the key, as `keys list` shows it, or its name.")
    ],
    json_output: JsonOption = False,
) -> None:
    """Make an API key useless for good, and those that were made with it."""
    from recordroute.gateway.v1 import identity_pb2

    from recordroute_cli.client import connect

    if "." in key_id:
        raise CommandError("give the key's id, not its secret", ExitCode.USAGE)
    with connect() as gateway:
        if not key_id.startswith("rrk_"):
            key_id = _key_named(gateway, key_id)
        request = identity_pb2.RevokeApiKeyRequest(request_id=str(uuid.uuid4()), api_key_id=key_id)
        gateway.call(gateway.identity.RevokeApiKey, request)
    if json_output:
        terminal.write_json({"revoked": [key_id]})
    else:
        terminal.out().print(f"{plain(key_id)} is revoked", soft_wrap=True)


def audit(
    recording: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="Id of a recording, or its first 4 or more characters; none: of all.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most events to show.")] = 50,
    all_users: AllUsersOption = False,
    json_output: JsonOption = False,
) -> None:
    """Show who did what, newest first: what you did, and what was done to your recordings."""
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment, short

    with connect() as gateway:
        recording_id = gateway.recording_id(recording) if recording else ""
        events = list(_events(gateway, recording_id, limit, all_users=all_users))
    if json_output:
        terminal.write_json({"events": [document(event) for event in events]})
        return
    if not events:
        terminal.note("nothing has been done yet")
    for event in events:
        parts = (
            moment(event.time),
            plain(event.user),
            event.action.partition("/")[2],
            short(event.recording_id) if event.recording_id else "-",
            event.outcome,
            event.peer,
        )
        terminal.out().print("  ".join(part for part in parts if part), soft_wrap=True, highlight=False)


def _keys(gateway: Gateway, *, all_users: bool) -> list[identity_pb2.ApiKey]:
    from recordroute.gateway.v1 import identity_pb2

    request = identity_pb2.ListApiKeysRequest(all_users=all_users)
    return list(gateway.call(gateway.identity.ListApiKeys, request).api_keys)


def _key_named(gateway: Gateway, name: str) -> str:
    found = [
        key.id
        for key in _keys(gateway, all_users=False)
        if key.name == name and not key.HasField("revoked_at")
    ]
    if len(found) != 1:
        raise CommandError(
            f"{len(found) or 'none'} of your API keys {'are' if found else 'is'} called {plain(name)!r}; "
            "the id names any: recordroute keys list",
            ExitCode.NOT_FOUND,
        )
    return found[0]


def _events(gateway: Gateway, recording_id: str, limit: int, *, all_users: bool) -> Iterator[Any]:
    from recordroute.gateway.v1 import identity_pb2

    request = identity_pb2.ListAuditEventsRequest(recording_id=recording_id, all_users=all_users)
    while limit:
        request.page_size = min(limit, AUDIT_PAGE)
        page = gateway.call(gateway.identity.ListAuditEvents, request)
        yield from page.events
        limit -= len(page.events)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return
