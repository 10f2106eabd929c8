"""What outlives a request: cached answers, and what every owner has used. SQLite in one process, Redis for several."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import redis
from recordroute_runtime.errors import UpstreamUnavailable

USAGE_DAYS = 400
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class TaskUsage:
    """The use of one model for one task."""

    request_count: int = 0
    cached_count: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    milliseconds: int = 0
    cost_micros: int = 0

    def __add__(self, other: TaskUsage) -> TaskUsage:
        return TaskUsage(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(TaskUsage))
        )


FIGURES = tuple(field.name for field in fields(TaskUsage))


class Store(Protocol):
    """Every method may be called from several threads at once and raises UpstreamUnavailable where the store is on
    another machine that does not answer."""

    def get_answer(self, owner: str, key: str) -> str | None:
        """Returns the cached answer, or None."""
        ...

    def put_answer(self, owner: str, key: str, answer: str) -> None:
        """Caches an answer; the ones that were not asked for longest make room."""
        ...

    def forget_answers(self, owner: str) -> int:
        """Deletes every cached answer of an owner and returns how many there were."""
        ...

    def add_usage(self, owner: str, task: str, model: str, usage: TaskUsage) -> None:
        """Adds to what was used today (UTC)."""
        ...

    def usage(self, owner: str, since: date) -> Mapping[tuple[str, str], TaskUsage]:
        """Returns what was used from a day (UTC) on, by task and model."""
        ...

    def close(self) -> None: ...


class SqliteStore:
    """One file. `max_cache_bytes` bounds the cached answers."""

    def __init__(self, path: Path, *, max_cache_bytes: int) -> None:
        self._max_cache_bytes = max_cache_bytes
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
        figures = ", ".join(f"{name} INTEGER NOT NULL" for name in FIGURES)
        with self._lock:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS answers (owner TEXT, key TEXT, answer TEXT NOT NULL, "
                "size INTEGER NOT NULL, used_at REAL NOT NULL, PRIMARY KEY (owner, key)) WITHOUT ROWID"
            )
            self._connection.execute("CREATE INDEX IF NOT EXISTS answers_used_at ON answers (used_at)")
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS usage (owner TEXT, day TEXT, task TEXT, model TEXT, {figures}, "
                "PRIMARY KEY (owner, day, task, model)) WITHOUT ROWID"
            )
        self._size = self._connection.execute("SELECT coalesce(sum(size), 0) FROM answers").fetchone()[0]

    def get_answer(self, owner: str, key: str) -> str | None:
        with self._lock, closing(self._connection.cursor()) as cursor:
            cursor.execute(
                "UPDATE answers SET used_at = ? WHERE owner = ? AND key = ? RETURNING answer",
                (time.time(), owner, key),
            )
            row = cursor.fetchone()
        return None if row is None else str(row[0])

    def put_answer(self, owner: str, key: str, answer: str) -> None:
        size = len(answer.encode())
        if size > self._max_cache_bytes:
            return
        with self._lock:
            self._forget("owner = ? AND key = ?", (owner, key))
            self._connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?)", (owner, key, answer, size, time.time())
            )
            self._size += size
            while self._size > self._max_cache_bytes:
                self._forget("(owner, key) IN (SELECT owner, key FROM answers ORDER BY used_at LIMIT 16)", ())

    def forget_answers(self, owner: str) -> int:
        with self._lock:
            return self._forget("owner = ?", (owner,))

    def _forget(self, condition: str, values: tuple[str, ...]) -> int:
        sizes = self._connection.execute(
            f"DELETE FROM answers WHERE {condition} RETURNING size", values
        ).fetchall()
        self._size -= sum(size for (size,) in sizes)
        return len(sizes)

    def add_usage(self, owner: str, task: str, model: str, usage: TaskUsage) -> None:
        marks = ", ".join("?" for _ in FIGURES)
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in FIGURES)
        values = [getattr(usage, name) for name in FIGURES]
        with self._lock:
            self._connection.execute(
                f"INSERT INTO usage VALUES (?, ?, ?, ?, {marks}) ON CONFLICT DO UPDATE SET {added}",
                (owner, _today().isoformat(), task, model, *values),
            )

    def usage(self, owner: str, since: date) -> Mapping[tuple[str, str], TaskUsage]:
        sums = ", ".join(f"sum({name})" for name in FIGURES)
        with self._lock:
            rows = self._connection.execute(
                f"SELECT task, model, {sums} FROM usage WHERE owner = ? AND day >= ? GROUP BY task, model",
                (owner, since.isoformat()),
            ).fetchall()
        return {(task, model): TaskUsage(*figures) for task, model, *figures in rows}

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class RedisStore:
    """A Redis that all replicas share. Answers end `cache_days` after they were last asked for; how much memory they
    may take is Redis's own setting (`maxmemory`)."""

    def __init__(self, url: str, *, cache_days: int = 30) -> None:
        self._cache_seconds = cache_days * SECONDS_A_DAY
        self._redis = redis.Redis.from_url(url, decode_responses=True, socket_timeout=5.0)

    def get_answer(self, owner: str, key: str) -> str | None:
        with _answering():
            found = self._redis.getex(_answer_key(owner, key), ex=self._cache_seconds)
        return None if found is None else str(found)

    def put_answer(self, owner: str, key: str, answer: str) -> None:
        with _answering():
            self._redis.set(_answer_key(owner, key), answer, ex=self._cache_seconds)

    def forget_answers(self, owner: str) -> int:
        # The owner's name may have what is special in a pattern.
        prefix = re.sub(r"([\\*?\[\]^-])", r"\\\1", _answer_key(owner, ""))
        count = 0
        with _answering():
            for name in self._redis.scan_iter(match=f"{prefix}*", count=1000):
                count += int(self._redis.delete(name))
        return count

    def add_usage(self, owner: str, task: str, model: str, usage: TaskUsage) -> None:
        name = _usage_key(owner, _today())
        with _answering(), self._redis.pipeline() as pipeline:
            for figure in FIGURES:
                pipeline.hincrby(name, json.dumps([task, model, figure]), getattr(usage, figure))
            pipeline.expire(name, USAGE_DAYS * SECONDS_A_DAY)
            pipeline.execute()

    def usage(self, owner: str, since: date) -> Mapping[tuple[str, str], TaskUsage]:
        today = _today().toordinal()
        days = range(max(since.toordinal(), today - USAGE_DAYS), today + 1)
        with _answering(), self._redis.pipeline(transaction=False) as pipeline:
            for day in days:
                pipeline.hgetall(_usage_key(owner, date.fromordinal(day)))
            answers = pipeline.execute()
        used: dict[tuple[str, str], TaskUsage] = {}
        for answer in answers:
            for name, value in answer.items():
                task, model, figure = json.loads(name)
                known = used.get((task, model), TaskUsage())
                used[task, model] = known + TaskUsage(**{figure: int(value)})
        return used

    def close(self) -> None:
        self._redis.close()


@contextmanager
def _answering() -> Iterator[None]:
    """Turns Redis's errors into ours."""
    try:
        yield
    except redis.RedisError as error:
        raise UpstreamUnavailable("Redis") from error


def _answer_key(owner: str, key: str) -> str:
    return f"recordroute:llm:answer:{json.dumps(owner)}:{key}"


def _usage_key(owner: str, day: date) -> str:
    return f"recordroute:llm:usage:{json.dumps(owner)}:{day.isoformat()}"


def _today() -> date:
    return datetime.now(UTC).date()


def open_store(url: str, path: Path, *, max_cache_bytes: int) -> Store:
    """Returns the store: Redis where there is a URL, else SQLite in `path`."""
    return RedisStore(url) if url else SqliteStore(path, max_cache_bytes=max_cache_bytes)
