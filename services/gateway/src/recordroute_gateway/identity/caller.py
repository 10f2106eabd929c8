"""The caller of the running RPC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

# The one user of a system without accounts.
LOCAL_USER = "local"


class Scope(StrEnum):
    """What a caller may do; each stands for itself."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """Who calls.

    `api_key_id` is empty where the call came without an API key. `is_operator` is whether it came with the system's
    own token: whoever has that can read the data folder as well.
    """

    user: str
    scopes: frozenset[Scope]
    name: str = ""
    api_key_id: str = ""
    is_operator: bool = False


_caller: ContextVar[Caller] = ContextVar("recordroute_caller")


def current_caller() -> Caller:
    """Returns the caller of the RPC that runs.

    Raises LookupError outside of one: nobody is taken for somebody.
    """
    return _caller.get()


@contextmanager
def calling(caller: Caller) -> Iterator[None]:
    """Makes `caller` the caller of what runs inside, tasks that are begun there included."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        # A generator that is closed from another task ends in another context, where nothing was set.
        with suppress(ValueError):
            _caller.reset(token)
