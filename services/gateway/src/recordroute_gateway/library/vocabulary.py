"""The vocabulary of each user: names and terms that new transcriptions look out for."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recordroute_runtime.errors import InvalidInput, QuotaExceeded
from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from recordroute_gateway.database import Database
from recordroute_gateway.library.labels import clean_line, title_key
from recordroute_gateway.library.learned_terms import LearnedTerm
from recordroute_gateway.library.pages import BAD_TOKEN
from recordroute_gateway.tables import vocabulary_terms

MAX_TERMS = 5000
# Of how a term was misheard, the last ones are kept.
MAX_HEARD_AS = 16


@dataclass(frozen=True)
class VocabularyTerm:
    """A name or a term. `learned` says that it came from corrections only."""

    text: str
    heard_as: tuple[str, ...]
    correction_count: int
    learned: bool
    created_at: datetime


class VocabularyStore:
    """The vocabularies of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_page(
        self, owner: str, page_size: int, page_token: str
    ) -> tuple[list[VocabularyTerm], str]:
        """Returns a page of terms by text, and the next page's token (empty at the end)."""
        terms = vocabulary_terms.c
        query = select(vocabulary_terms).where(terms.owner == owner)
        if page_token:
            key, text = _after(page_token)
            query = query.where(or_(terms.sort_key > key, and_(terms.sort_key == key, terms.text > text)))
        query = query.order_by(terms.sort_key, terms.text).limit(page_size + 1)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        page = rows[:page_size]
        token = _token(page[-1]) if len(rows) > page_size else ""
        return list(map(_term, page)), token

    async def add(self, owner: str, texts: Sequence[str]) -> list[VocabularyTerm]:
        """Adds terms and returns them in their order; one that was learned is from now on one that was added.

        Raises InvalidInput (BAD_TERM) and QuotaExceeded (TOO_MANY_TERMS).
        """
        cleaned = list(map(_clean, texts))
        async with self._database.write() as connection:
            await self._database.hold(connection, f"vocabulary/{owner}")
            known = await self._known(connection, owner, cleaned)
            new = [text for text in dict.fromkeys(cleaned) if text not in known]
            if new and await self._count(connection, owner) + len(new) > MAX_TERMS:
                raise QuotaExceeded(
                    "TOO_MANY_TERMS", f"a vocabulary has {MAX_TERMS} terms at most; remove some first"
                )
            await self._insert(connection, owner, new, learned=False)
            await connection.execute(
                update(vocabulary_terms)
                .where(vocabulary_terms.c.owner == owner, vocabulary_terms.c.text.in_(cleaned))
                .values(learned=False)
            )
            known = await self._known(connection, owner, cleaned)
        return [_term(known[text]) for text in cleaned]

    async def remove(self, owner: str, texts: Sequence[str]) -> None:
        """Removes terms; it is no error if they are gone."""
        wanted = {*texts, *map(clean_line, texts)}
        async with self._database.write() as connection:
            await connection.execute(
                delete(vocabulary_terms).where(
                    vocabulary_terms.c.owner == owner, vocabulary_terms.c.text.in_(wanted)
                )
            )

    async def learn(self, connection: AsyncConnection, owner: str, learned: Iterable[LearnedTerm]) -> None:
        """Counts corrections, in the caller's transaction. What has no room any more is not learned."""
        heard: dict[str, list[str]] = defaultdict(list)
        for term in learned:
            if text := clean_line(term.text):
                heard[text].append(clean_line(term.heard_as))
        if not heard:
            return
        await self._database.hold(connection, f"vocabulary/{owner}")
        known = await self._known(connection, owner, list(heard))
        room = MAX_TERMS - await self._count(connection, owner)
        new = [text for text in heard if text not in known][: max(0, room)]
        await self._insert(connection, owner, new, learned=True)
        for text in (*new, *known):
            before = json.loads(known[text].heard_as) if text in known else []
            said = [*before, *heard[text]]
            # Each once, in the order of when it was heard last.
            last = list(dict.fromkeys(reversed(said)))[:MAX_HEARD_AS][::-1]
            await connection.execute(
                update(vocabulary_terms)
                .where(vocabulary_terms.c.owner == owner, vocabulary_terms.c.text == text)
                .values(
                    correction_count=vocabulary_terms.c.correction_count + len(heard[text]),
                    heard_as=json.dumps(last, ensure_ascii=False),
                )
            )

    async def hotwords(self, owner: str, limit: int) -> list[str]:
        """Returns the terms that matter most: those that were corrected most often, then those that people added."""
        terms = vocabulary_terms.c
        query = (
            select(terms.text)
            .where(terms.owner == owner)
            .order_by(terms.correction_count.desc(), terms.learned, terms.created_at.desc(), terms.text)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def _known(
        self, connection: AsyncConnection, owner: str, texts: Sequence[str]
    ) -> dict[str, Row[Any]]:
        query = select(vocabulary_terms).where(
            vocabulary_terms.c.owner == owner, vocabulary_terms.c.text.in_(texts)
        )
        return {row.text: row for row in await connection.execute(query)}

    async def _count(self, connection: AsyncConnection, owner: str) -> int:
        query = select(func.count()).where(vocabulary_terms.c.owner == owner)
        return int((await connection.execute(query)).scalar_one())

    async def _insert(
        self, connection: AsyncConnection, owner: str, texts: Sequence[str], *, learned: bool
    ) -> None:
        now = datetime.now(UTC)
        rows = [
            {
                "owner": owner,
                "text": text,
                "sort_key": title_key(text),
                "heard_as": "[]",
                "correction_count": 0,
                "learned": learned,
                "created_at": now,
            }
            for text in texts
        ]
        if rows:
            await connection.execute(insert(vocabulary_terms), rows)


def _clean(text: str) -> str:
    cleaned = clean_line(text)
    if not cleaned:
        raise InvalidInput("BAD_TERM", "a term needs something to be read")
    return cleaned


def _term(row: Row[Any]) -> VocabularyTerm:
    return VocabularyTerm(
        text=row.text,
        heard_as=tuple(json.loads(row.heard_as)),
        correction_count=row.correction_count,
        learned=row.learned,
        created_at=row.created_at,
    )


def _token(row: Row[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.sort_key, row.text]).encode()).decode()


def _after(token: str) -> tuple[str, str]:
    try:
        key, text = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidInput("PAGE_TOKEN", BAD_TOKEN) from error
    if not isinstance(key, str) or not isinstance(text, str):
        raise InvalidInput("PAGE_TOKEN", BAD_TOKEN)
    return key, text
