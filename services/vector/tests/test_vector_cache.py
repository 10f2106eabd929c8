"""The cache of results, and page tokens."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from recordroute_runtime.errors import InvalidInput
from recordroute_vector.page_tokens import PageTokens
from recordroute_vector.result_cache import ResultCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def make_cache(max_bytes: int = 100, ttl_seconds: float = 60.0) -> tuple[ResultCache[str], Clock]:
    clock = Clock()
    return ResultCache(max_bytes=max_bytes, ttl_seconds=ttl_seconds, clock=clock), clock


def put(cache: ResultCache[str], owner: str, revision: str, request: str, value: str) -> None:
    cache.put(owner, revision, request, value, size_bytes=len(value))


def lookups(result: str) -> float:
    return REGISTRY.get_sample_value("recordroute_search_cache_total", {"result": result}) or 0.0


def test_only_the_same_owner_revision_and_request_hit() -> None:
    cache, _ = make_cache()
    hits, misses = lookups("hit"), lookups("miss")
    put(cache, "me", "1", "budget", "found")
    assert cache.get("you", "1", "budget") is None
    assert cache.get("me", "1", "server") is None
    assert cache.get("me", "1", "budget") == "found"
    assert cache.get("me", "2", "budget") is None
    assert cache.get("me", "1", "budget") is None, "what a write has ended does not come back"
    assert (lookups("hit") - hits, lookups("miss") - misses) == (1, 4)


def test_entries_end_after_their_time() -> None:
    cache, clock = make_cache(ttl_seconds=60)
    put(cache, "me", "1", "budget", "found")
    clock.now = 59.9
    assert cache.get("me", "1", "budget") == "found"
    clock.now = 60
    assert cache.get("me", "1", "budget") is None
    assert cache.size_bytes == 0


def test_the_longest_unused_goes_first_and_what_is_too_large_is_not_kept() -> None:
    cache, _ = make_cache(max_bytes=100)
    for name in "abc":
        put(cache, "me", "1", name, name * 30)
    assert cache.get("me", "1", "a") is not None
    put(cache, "me", "1", "d", "d" * 30)
    assert [cache.get("me", "1", name) is not None for name in "abcd"] == [True, False, True, True]
    put(cache, "me", "1", "huge", "x" * 101)
    assert cache.get("me", "1", "huge") is None
    assert cache.size_bytes == 90


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 70))))
def test_the_size_is_that_of_what_is_kept(puts: list[tuple[str, str, int]]) -> None:
    cache, _ = make_cache(max_bytes=100)
    for owner, request, size in puts:
        put(cache, owner, "1", request, "v" * size)
        kept = [cache.get(one, "1", two) for one in "ab" for two in "xyz"]
        assert sum(len(value) for value in kept if value is not None) == cache.size_bytes <= 100


def test_no_time_means_no_cache() -> None:
    cache, _ = make_cache(ttl_seconds=0)
    put(cache, "me", "1", "budget", "found")
    assert cache.get("me", "1", "budget") is None


@given(st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_a_token_is_read_by_whoever_has_the_secret(offset: int, request: bytes) -> None:
    token = PageTokens(b"secret").make(offset, request)
    assert PageTokens(b"secret").read(token, request) == offset
    for other, asked in ((PageTokens(b"other"), request), (PageTokens(b"secret"), request + b"x")):
        with pytest.raises(InvalidInput) as caught:
            other.read(token, asked)
        assert caught.value.reason == "PAGE_TOKEN_INVALID"


def test_every_change_of_a_token_is_noticed() -> None:
    tokens = PageTokens(b"secret")
    token = tokens.make(10, b"request")
    alphabet = string.ascii_letters + string.digits + "-_=+ é"
    changed = {token[:place] + sign + token[place + 1 :] for place in range(len(token)) for sign in alphabet}
    changed |= {token[:-1], token + "A", token + "=", "\n" + token, "x", "=", "A" * 200}
    for tampered in changed - {token}:
        with pytest.raises(InvalidInput):
            tokens.read(tampered, b"request")
    assert tokens.read("", b"request") == 0
