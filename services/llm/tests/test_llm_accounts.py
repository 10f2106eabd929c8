"""Cache, ledger, budgets and routes, on SQLite and on Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fakeredis
import pytest
from recordroute_llm.engine import Generation, Message, Priority, Prompt, Task, TokenCounts, Usage
from recordroute_llm.metering import Accounts, MeteredEngine, month_start, next_month
from recordroute_llm.routes import ModelRules, read_rules
from recordroute_llm.store import RedisStore, SqliteStore, Store, TaskUsage
from recordroute_runtime.errors import BudgetExhausted, ProcessingFailed, UpstreamUnavailable
from recordroute_runtime.inference import CancelToken
from recordroute_runtime.settings import SettingsError

TODAY = datetime.now(UTC).date()


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        opened: Store = SqliteStore(tmp_path / "llm.sqlite", max_cache_bytes=1000)
        yield opened
        opened.close()
        return
    # Redis's protocol over a real socket; its server can't be had from the package index.
    server = fakeredis.TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    opened = RedisStore(f"redis://127.0.0.1:{server.server_address[1]}/0")
    yield opened
    opened.close()
    server.shutdown()
    server.server_close()


class Counting:
    """An engine that counts how often it is asked, for what stands around it."""

    model_id = "m"
    parallel = 1
    context_tokens = 100

    def __init__(self) -> None:
        self.asked = 0

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        return TokenCounts(tuple(map(len, texts)), exact=True)

    def generate(
        self,
        prompt: Prompt,
        token: CancelToken,
        on_text: Callable[[str], bool] | None = None,
        on_usage: Callable[[Usage], None] | None = None,
    ) -> Generation:
        self.asked += 1
        if on_text is not None:
            on_text("answer")
        if on_usage is not None:
            on_usage(Usage(70, 30, 0.5))
        return Generation("answer", Usage(70, 30, 0.5))

    def close(self) -> None:
        return


def prompt(text: str = "question", temperature: float = 0.0, priority: Priority = Priority.BATCH) -> Prompt:
    return Prompt((Message("user", text),), 16, temperature, priority=priority)


def test_answers_are_kept_for_each_owner_by_itself(store: Store) -> None:
    store.put_answer("anna", "k", "회의")
    assert store.get_answer("anna", "k") == "회의"
    assert store.get_answer("berta", "k") is None
    store.put_answer("anna", "k", "other")
    assert store.get_answer("anna", "k") == "other"


def test_answers_of_an_owner_are_forgotten(store: Store) -> None:
    odd = 'a*[b]\\?"'
    for owner in (odd, "anna", "axxb"):
        for key in "12":
            store.put_answer(owner, key, "x")
    assert store.forget_answers(odd) == 2
    assert store.forget_answers(odd) == 0
    assert store.get_answer(odd, "1") is None
    assert store.get_answer("anna", "1") == store.get_answer("axxb", "2") == "x"
    store.put_answer(odd, "1", "y")
    assert store.get_answer(odd, "1") == "y"


def test_use_adds_up_also_from_many_threads(store: Store) -> None:
    one = TaskUsage(1, 0, 10, 5, 100, 7)
    with ThreadPoolExecutor(8) as threads:
        for _ in range(40):
            threads.submit(store.add_usage, "anna", "title", "server/m:1", one)
    store.add_usage("anna", "answer", "n", one)
    assert store.usage("anna", TODAY) == {
        ("title", "server/m:1"): TaskUsage(40, 0, 400, 200, 4000, 280),
        ("answer", "n"): one,
    }
    assert store.usage("berta", TODAY) == {}
    assert store.usage("anna", TODAY + timedelta(days=1)) == {}


def test_oldest_answers_make_room(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "llm.sqlite", max_cache_bytes=1000)
    for number in range(40):
        store.put_answer("anna", str(number), "x" * 40)
        store.get_answer("anna", "0")
    assert store.get_answer("anna", "39") is not None
    assert store.get_answer("anna", "1") is None
    store.put_answer("anna", "large", "x" * 1001)
    assert store.get_answer("anna", "large") is None
    store.close()
    again = SqliteStore(tmp_path / "llm.sqlite", max_cache_bytes=1000)
    assert again.get_answer("anna", "39") is not None
    again.close()


def test_redis_that_is_away_is_said() -> None:
    away = RedisStore("redis://127.0.0.1:1/0")
    with pytest.raises(UpstreamUnavailable, match="Redis"):
        away.get_answer("anna", "k")


def test_same_request_is_answered_once(store: Store) -> None:
    engine = Counting()
    accounts = Accounts(store, ModelRules())
    anna = MeteredEngine(engine, accounts, "anna", Task.TITLE)
    assert not anna.generate(prompt(), CancelToken()).cached
    pieces: list[str] = []
    again = anna.stream(prompt(priority=Priority.INTERACTIVE), CancelToken(), pieces.append)
    assert (again.text, again.cached, again.usage, pieces) == ("answer", True, Usage(), ["answer"])
    assert engine.asked == 1
    anna.generate(prompt("another"), CancelToken())
    anna.generate(prompt(temperature=0.7), CancelToken())
    anna.generate(prompt(temperature=0.7), CancelToken())
    MeteredEngine(engine, accounts, "berta", Task.TITLE).generate(prompt(), CancelToken())
    MeteredEngine(engine, accounts, "anna", Task.TITLE, use_cache=False).generate(prompt(), CancelToken())
    assert engine.asked == 6
    assert store.usage("anna", TODAY)["title", "m"] == TaskUsage(6, 1, 350, 150, 2500, 0)


def test_budget_stops_and_says_until_when(store: Store) -> None:
    rules = ModelRules.model_validate(
        {
            "budgets": {"tokens_per_month": 150, "cost_per_month": 1},
            "prices": {"m": {"prompt": 1, "completion": 2}},
        }
    )
    engine = Counting()
    accounts = Accounts(store, rules)
    anna = MeteredEngine(engine, accounts, "anna", Task.ANSWER)
    anna.generate(prompt("1"), CancelToken())
    assert anna.generate(prompt("2"), CancelToken()).usage.cost_micros == 130
    with pytest.raises(BudgetExhausted) as caught:
        anna.generate(prompt("3"), CancelToken())
    assert f"{next_month():%Y-%m-%d}" in caught.value.message
    assert caught.value.metadata == {
        "kind": "tokens",
        "limit": "150",
        "used": "200",
        "renews_at": next_month().isoformat(),
    }
    assert caught.value.retry_after is None
    assert engine.asked == 2
    # What is cached costs nothing.
    assert anna.generate(prompt("1"), CancelToken()).cached
    assert accounts.budgets("anna") == [("tokens", 150, 200), ("cost_micros", 1_000_000, 260)]
    MeteredEngine(engine, accounts, "berta", Task.ANSWER).generate(prompt("3"), CancelToken())


class Failing(Counting):
    """Reads and writes something, and fails all the same."""

    def generate(
        self,
        prompt: Prompt,
        token: CancelToken,
        on_text: Callable[[str], bool] | None = None,
        on_usage: Callable[[Usage], None] | None = None,
    ) -> Generation:
        super().generate(prompt, token, on_text, on_usage)
        raise ProcessingFailed("GENERATION_FAILED", "no")


def test_what_came_to_nothing_is_booked_and_not_kept(store: Store) -> None:
    rules = ModelRules.model_validate({"prices": {"m": {"prompt": 1, "completion": 2}}})
    anna = MeteredEngine(Failing(), Accounts(store, rules), "anna", Task.ANSWER)
    for _ in range(2):
        with pytest.raises(ProcessingFailed):
            anna.generate(prompt(), CancelToken())
    assert store.usage("anna", TODAY) == {("answer", "m"): TaskUsage(2, 0, 140, 60, 1000, 260)}


def test_months() -> None:
    assert month_start() <= datetime.now(UTC) < next_month()
    assert (month_start().day, next_month().day) == (1, 1)


def test_routes_by_task_and_size(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        """
        [servers.ollama]
        url = "http://127.0.0.1:11434/v1"
        [tiers]
        small = "tiny"
        medium = "ollama/qwen3:8b"
        large = "openai/large"
        [routes]
        summarize = {tier = "medium", hard_tokens = 1000}
        """
    )
    rules = read_rules(path)
    assert rules.model_for(Task.TITLE, 10, "default") == "tiny"
    assert rules.model_for(Task.SUMMARIZE, 999, "default") == "ollama/qwen3:8b"
    assert rules.model_for(Task.SUMMARIZE, 1000, "default") == "openai/large"
    assert ModelRules().model_for(Task.SUMMARIZE, 10**6, "default") == "default"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[servers.x]\nurl = 'nowhere'", "servers.x.url"),
        (
            "[servers.x]\nurl = 'http://h/v1'\napi_key_env = 'RECORDROUTE_NO_SUCH_KEY'",
            "RECORDROUTE_NO_SUCH_KEY",
        ),
        ("[tears]", "tears"),
        ("[routes]\ntitle = {tier = 'huge'}", "routes.title.tier"),
        ("= 1", "models.toml"),
    ],
)
def test_file_that_is_not_understood(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_rules(path)
