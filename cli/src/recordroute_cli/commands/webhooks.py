"""`recordroute webhooks`: other systems that are told when work ends."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Annotated

import typer

from recordroute_cli import terminal
from recordroute_cli.terminal import JsonOption, plain

app = typer.Typer(help="Tell other systems when work on a recording ends.", no_args_is_help=True)


class Event(StrEnum):
    """What a webhook can tell."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@app.command("add", epilog="Example: recordroute webhooks add https://example.org/hook --event failed")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the requests go.")],
    events: Annotated[
        list[Event] | None, typer.Option("--event", help="What it tells; several are given one by one.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Add a webhook and print the secret that its requests are signed with; it is shown this once only."""
    from recordroute.gateway.v1 import webhook_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import short

    request = webhook_pb2.CreateWebhookRequest(
        request_id=str(uuid.uuid4()),
        url=url,
        events=[f"WEBHOOK_EVENT_WORKFLOW_{event.name}" for event in dict.fromkeys(events or Event)],
    )
    with connect() as gateway:
        made = gateway.call(gateway.webhooks.CreateWebhook, request)
    if json_output:
        terminal.write_json({"webhook": document(made.webhook), "secret": made.secret})
        return
    terminal.out().print(f"{short(made.webhook.id)}  {plain(made.webhook.url)}", soft_wrap=True)
    terminal.out().print(f"secret  {made.secret}", soft_wrap=True)


@app.command("list")
def list_webhooks(json_output: JsonOption = False) -> None:
    """List the webhooks, and how their last requests went."""
    from recordroute.gateway.v1 import webhook_pb2
    from recordroute_runtime.documents import document

    from recordroute_cli.client import connect
    from recordroute_cli.render import moment, short

    with connect() as gateway:
        found = gateway.call(gateway.webhooks.ListWebhooks, webhook_pb2.ListWebhooksRequest()).webhooks
    if json_output:
        terminal.write_json({"webhooks": [document(webhook) for webhook in found]})
        return
    if not found:
        terminal.note("there is no webhook; add one with: recordroute webhooks add URL")
    for webhook in found:
        state = "nothing sent yet"
        if webhook.HasField("last_attempt_at"):
            state = f"{moment(webhook.last_attempt_at)} {plain(webhook.last_error) or 'taken'}"
        waiting = f", {webhook.pending_count} wait" if webhook.pending_count else ""
        terminal.out().print(
            f"{short(webhook.id)}  {plain(webhook.url)}  {state}{waiting}", soft_wrap=True, highlight=False
        )


@app.command("rm", epilog="Example: recordroute webhooks rm 1f3a9c0e")
def remove(
    webhook: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the webhook, or its first 4 or more characters.")
    ],
    json_output: JsonOption = False,
) -> None:
    """Remove a webhook; what waits to be sent by it is dropped."""
    from recordroute.gateway.v1 import webhook_pb2

    from recordroute_cli.client import connect, resolve_id
    from recordroute_cli.render import short

    with connect() as gateway:
        known = gateway.call(gateway.webhooks.ListWebhooks, webhook_pb2.ListWebhooksRequest()).webhooks
        webhook_id = resolve_id(webhook, "webhook", lambda: (each.id for each in known))
        request = webhook_pb2.DeleteWebhookRequest(request_id=str(uuid.uuid4()), webhook_id=webhook_id)
        gateway.call(gateway.webhooks.DeleteWebhook, request)
    if json_output:
        terminal.write_json({"deleted": [webhook_id]})
    else:
        terminal.out().print(f"{short(webhook_id)} is gone")
