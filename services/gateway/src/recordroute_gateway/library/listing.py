"""Lists of recordings: their filters, their orders, and page tokens that no insert can shift."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from recordroute_runtime.errors import InvalidInput
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from recordroute_gateway.library.access import seen
from recordroute_gateway.library.labels import clean_folder, clean_line, comparable
from recordroute_gateway.library.speaker_names import one_speaks
from recordroute_gateway.tables import artifacts, recording_tags, recordings, workflows

BAD_TOKEN = "page_token is not one that this server gave for this very list"


class Order(StrEnum):
    CREATED_AT = "created_at"
    RECORDED_AT = "recorded_at"
    TITLE = "title"
    DURATION = "duration"
    SIZE = "size"


@dataclass(frozen=True)
class ListQuery:
    """What to list; conditions that are set have to hold all. States and kinds are names as they are kept."""

    text: str = ""
    tags: tuple[str, ...] = ()
    folder: str = ""
    recorded_from: datetime | None = None
    recorded_before: datetime | None = None
    languages: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    workflow_states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    in_bin: bool = False
    order: Order = Order.CREATED_AT
    ascending: bool = False

    def digest(self, user: str) -> str:
        """Names the list: tokens of one are no good for another."""
        content = json.dumps([user, asdict(self)], default=str, sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=12).hexdigest()


_media_size = (
    select(artifacts.c.size_bytes)
    .where(artifacts.c.recording_id == recordings.c.id, artifacts.c.kind == "media")
    .scalar_subquery()
)
_latest_state = (
    select(workflows.c.state)
    .where(workflows.c.recording_id == recordings.c.id)
    .order_by(workflows.c.created_at.desc(), workflows.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
# What each order sorts by; never null. What has no length is shorter than everything.
_KEYS: dict[Order, ColumnElement[Any]] = {
    Order.CREATED_AT: recordings.c.created_at,
    Order.RECORDED_AT: recordings.c.recorded_at,
    Order.TITLE: recordings.c.title_key,
    Order.DURATION: func.coalesce(recordings.c.duration_seconds, -1.0),
    Order.SIZE: func.coalesce(_media_size, 0),
}
_TIMES = (Order.CREATED_AT, Order.RECORDED_AT)


def select_page(user: str, query: ListQuery, page_size: int, page_token: str) -> Select[Any]:
    """Returns the statement for the rows of a page and one more, with their `sort_key`.

    Raises InvalidInput (PAGE_TOKEN).
    """
    key = _KEYS[query.order]
    statement = select(recordings, key.label("sort_key")).where(seen(user), *conditions(query))
    if page_token:
        value, row_id = _read_token(page_token, query, user)
        after: Callable[[Any, Any], Any] = (lambda a, b: a > b) if query.ascending else (lambda a, b: a < b)
        statement = statement.where(
            or_(after(key, value), and_(key == value, after(recordings.c.id, row_id)))
        )
    columns = (key, recordings.c.id)
    return statement.order_by(
        *(column.asc() if query.ascending else column.desc() for column in columns)
    ).limit(page_size + 1)


def select_count(user: str, query: ListQuery) -> Select[int]:
    """Returns the statement for the number of recordings on all pages."""
    return select(func.count()).select_from(recordings).where(seen(user), *conditions(query))


def make_token(query: ListQuery, user: str, sort_key: Any, row_id: str) -> str:
    """Returns the token of the page that follows a row."""
    value = sort_key.isoformat() if isinstance(sort_key, datetime) else sort_key
    return base64.urlsafe_b64encode(json.dumps([query.digest(user), value, row_id]).encode()).decode()


def conditions(query: ListQuery) -> list[ColumnElement[bool]]:
    """Returns the conditions of a list but whose it is."""
    found: list[ColumnElement[bool]] = [
        recordings.c.deleted_at.is_not(None) if query.in_bin else recordings.c.deleted_at.is_(None)
    ]
    found += [
        recordings.c.search_text.contains(word, autoescape=True) for word in comparable(query.text).split()
    ]
    for tag in query.tags:
        found.append(
            exists().where(
                recording_tags.c.recording_id == recordings.c.id, recording_tags.c.tag == clean_line(tag)
            )
        )
    if query.folder:
        folder = clean_folder(query.folder.strip("/"))
        found.append(
            or_(recordings.c.folder == folder, recordings.c.folder.startswith(f"{folder}/", autoescape=True))
        )
    if query.recorded_from is not None:
        found.append(recordings.c.recorded_at >= query.recorded_from)
    if query.recorded_before is not None:
        found.append(recordings.c.recorded_at < query.recorded_before)
    if query.languages:
        found.append(
            or_(
                recordings.c.language.in_(query.languages),
                *(recordings.c.language.startswith(f"{language}-") for language in query.languages),
            )
        )
    if query.speakers:
        found.append(one_speaks(tuple(clean_line(name) for name in query.speakers)))
    if query.workflow_states:
        found.append(_latest_state.in_(query.workflow_states))
    if query.kinds:
        found.append(recordings.c.kind.in_(query.kinds))
    return found


def _read_token(token: str, query: ListQuery, user: str) -> tuple[Any, str]:
    try:
        digest, value, row_id = json.loads(base64.urlsafe_b64decode(token.encode()))
        if query.order in _TIMES:
            value = datetime.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise InvalidInput("PAGE_TOKEN", BAD_TOKEN) from error
    if (
        digest != query.digest(user)
        or not isinstance(row_id, str)
        or "\0" in row_id
        or not _fits(value, query.order)
    ):
        raise InvalidInput("PAGE_TOKEN", BAD_TOKEN)
    return value, row_id


def _fits(value: Any, order: Order) -> bool:
    if order in _TIMES:
        return isinstance(value, datetime) and value.tzinfo is not None
    if order is Order.TITLE:
        return isinstance(value, str) and "\0" not in value
    if order is Order.SIZE:
        return type(value) is int and 0 <= value < 2**63
    return type(value) in (int, float)
