"""An engine that keeps accounts: budgets before, cache and metrics around, the ledger after every generation."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram
from recordroute_runtime.errors import BudgetExhausted
from recordroute_runtime.inference import CancelToken

from recordroute_llm.engine import Finish, Generation, ModelEngine, Prompt, Task, TokenCounts, ToolCall, Usage
from recordroute_llm.routes import MILLION, ModelRules
from recordroute_llm.store import Store, TaskUsage

log = structlog.get_logger(__name__)

FIRST_TOKEN_SECONDS = Histogram(
    "recordroute_llm_first_token_seconds",
    "Time to the first token, waiting for a slot included.",
    ["model", "task"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64),
)
QUEUE_SECONDS = Histogram(
    "recordroute_llm_queue_seconds",
    "Time that generations waited for a slot.",
    ["model", "task"],
    buckets=(0.01, 0.05, 0.25, 1, 4, 16, 64, 256),
)
TOKENS_A_SECOND = Histogram(
    "recordroute_llm_tokens_per_second",
    "Tokens written a second, reading the prompt included.",
    ["model"],
    buckets=(0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256),
)
TOKENS = Counter("recordroute_llm_tokens_total", "Tokens.", ["model", "task", "kind"])
CACHE = Counter("recordroute_llm_cache_total", "Generations that the cache was asked for.", ["result"])
COST = Counter(
    "recordroute_llm_cost_micros_total", "Money, in millionths of the currency.", ["model", "task"]
)
BUDGET_USED = Gauge(
    "recordroute_llm_budget_used_ratio",
    "Share of its budget that the last owner used.",
    ["kind"],
)


class Accounts:
    """What the owners have used, against what they may."""

    def __init__(self, store: Store, rules: ModelRules) -> None:
        self.store = store
        self.rules = rules
        self._alarmed: set[tuple[str, str, str]] = set()

    def check(self, owner: str) -> None:
        """Raises BudgetExhausted where the owner has used up a budget of this month."""
        for kind, limit, used in self.budgets(owner):
            BUDGET_USED.labels(kind).set(used / limit)
            if used >= limit:
                raise BudgetExhausted(
                    f"the budget of {limit} {kind} for this month is used up; it begins anew on "
                    f"{next_month():%Y-%m-%d} UTC",
                    metadata={
                        "kind": kind,
                        "limit": str(limit),
                        "used": str(used),
                        "renews_at": next_month().isoformat(),
                    },
                )
            month = f"{datetime.now(UTC):%Y-%m}"
            if (
                used >= limit * self.rules.budgets.alarm_percent / 100
                and (owner, kind, month) not in self._alarmed
            ):
                self._alarmed.add((owner, kind, month))
                log.warning("budget alarm", owner=owner, kind=kind, limit=limit, used=used)

    def budgets(self, owner: str) -> list[tuple[str, int, int]]:
        """Returns the owner's budgets: kind ("tokens", "cost_micros"), limit, and what was used this month."""
        bounds = self.rules.budgets
        limits = {
            "tokens": bounds.tokens_per_month,
            "cost_micros": round(bounds.cost_per_month * MILLION),
        }
        if not any(limits.values()):
            return []
        used = sum(self.store.usage(owner, month_start().date()).values(), TaskUsage())
        spent = {"tokens": used.prompt_tokens + used.completion_tokens, "cost_micros": used.cost_micros}
        return [(kind, limit, spent[kind]) for kind, limit in limits.items() if limit]


class MeteredEngine:
    """An engine at work for one owner and one task."""

    def __init__(
        self, engine: ModelEngine, accounts: Accounts, owner: str, task: Task, *, use_cache: bool = True
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._owner = owner
        self._task = task
        self._use_cache = use_cache

    @property
    def model_id(self) -> str:
        return self._engine.model_id

    @property
    def parallel(self) -> int:
        return self._engine.parallel

    @property
    def context_tokens(self) -> int:
        return self._engine.context_tokens

    def count_tokens(self, texts: Sequence[str]) -> TokenCounts:
        return self._engine.count_tokens(texts)

    def generate(
        self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], bool] | None = None
    ) -> Generation:
        # An answer that `on_text` ended is kept under the rule that ended it, which the key does not know.
        cacheable = self._use_cache and prompt.temperature == 0 and on_text is None
        return self._generate(prompt, token, on_text, cacheable=cacheable)

    def stream(self, prompt: Prompt, token: CancelToken, on_text: Callable[[str], None]) -> Generation:
        """Generates like `generate` with a listener that never ends the answer, so that it can be cached."""

        def listen(text: str) -> bool:
            on_text(text)
            return False

        return self._generate(prompt, token, listen, cacheable=self._use_cache and prompt.temperature == 0)

    def _generate(
        self,
        prompt: Prompt,
        token: CancelToken,
        on_text: Callable[[str], bool] | None,
        *,
        cacheable: bool,
    ) -> Generation:
        key = _cache_key(self.model_id, prompt)
        if cacheable:
            answer = self._accounts.store.get_answer(self._owner, key)
            CACHE.labels("miss" if answer is None else "hit").inc()
            if answer is not None:
                generation = _from_json(answer)
                self._record(TaskUsage(request_count=1, cached_count=1))
                if on_text is not None and generation.text:
                    on_text(generation.text)
                return generation
        self._accounts.check(self._owner)
        begun = time.monotonic()
        first: list[float] = []

        def listen(text: str) -> bool:
            if not first:
                first.append(time.monotonic() - begun)
            return on_text is not None and on_text(text)

        def book(usage: Usage) -> None:
            waited = time.monotonic() - begun - usage.seconds
            self._book(self._priced(usage), waited=waited, first=first)

        generation = self._engine.generate(prompt, token, listen, book)
        generation = replace(generation, usage=self._priced(generation.usage))
        if cacheable:
            self._accounts.store.put_answer(self._owner, key, _to_json(generation))
        return generation

    def _priced(self, usage: Usage) -> Usage:
        return replace(usage, cost_micros=self._accounts.rules.cost_micros(self.model_id, usage))

    def _book(self, usage: Usage, *, waited: float, first: list[float]) -> None:
        """Puts what a generation has used on the owner's account, whatever came of it."""
        self._measure(usage, waited=waited, first=first)
        self._record(
            TaskUsage(
                request_count=1,
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                milliseconds=round(1000 * usage.seconds),
                cost_micros=usage.cost_micros,
            )
        )

    def _record(self, usage: TaskUsage) -> None:
        self._accounts.store.add_usage(self._owner, self._task.value, self.model_id, usage)

    def _measure(self, usage: Usage, *, waited: float, first: list[float]) -> None:
        model, task = self.model_id, self._task.value
        for seconds in first:
            FIRST_TOKEN_SECONDS.labels(model, task).observe(seconds)
        QUEUE_SECONDS.labels(model, task).observe(max(0.0, waited))
        if usage.seconds > 0:
            TOKENS_A_SECOND.labels(model).observe(usage.completion_tokens / usage.seconds)
        TOKENS.labels(model, task, "prompt").inc(usage.prompt_tokens)
        TOKENS.labels(model, task, "completion").inc(usage.completion_tokens)
        COST.labels(model, task).inc(usage.cost_micros)

    def close(self) -> None:
        """Does nothing: the engine belongs to the registry."""


def month_start() -> datetime:
    """Returns the beginning of this month in UTC."""
    return datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month() -> datetime:
    """Returns the beginning of the next month in UTC: when budgets begin anew."""
    start = month_start()
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)


def _cache_key(model: str, prompt: Prompt) -> str:
    parameters = asdict(prompt)
    # Who waits for it does not change the answer.
    del parameters["priority"]
    text = json.dumps([model, parameters], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _to_json(generation: Generation) -> str:
    calls = [asdict(call) for call in generation.tool_calls]
    return json.dumps(
        {"text": generation.text, "finish": generation.finish.name, "tool_calls": calls}, ensure_ascii=False
    )


def _from_json(text: str) -> Generation:
    value: dict[str, Any] = json.loads(text)
    calls = tuple(ToolCall(**call) for call in value["tool_calls"])
    return Generation(value["text"], Usage(), Finish[value["finish"]], calls, cached=True)
