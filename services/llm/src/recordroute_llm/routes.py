"""Which model does what: the file of servers, model files, routes, prices and budgets."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError
from recordroute_runtime.settings import SettingsError

from recordroute_llm.engine import Task, Usage

MILLION = 1_000_000
MODEL_ID = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(_Strict):
    """A server that speaks the OpenAI API. Its models are called `<name>/<model>`."""

    url: HttpUrl
    api_key_env: str = Field(
        default="", description="Name of the variable that holds the key; empty: none is sent."
    )
    parallel: int = Field(default=4, ge=1, le=256, description="Requests at the same time.")
    timeout_seconds: float = Field(default=120.0, gt=0, description="Longest silence that is waited through.")
    context_tokens: int = Field(default=0, ge=0, description="Context of its models; 0 asks the server.")

    @property
    def api_key(self) -> str:
        return os.environ.get(self.api_key_env, "") if self.api_key_env else ""


class File(_Strict):
    """A GGUF file anywhere on the disk."""

    path: Path
    context_tokens: int = Field(
        default=0, ge=0, description="Context that the model was made for; 0: not bounded."
    )


class Tiers(_Strict):
    """Ids of models by size; empty: the service's default model."""

    small: str = ""
    medium: str = ""
    large: str = ""


class Route(_Strict):
    """Which tier a task takes, and from how many prompt tokens on it takes the large one (0: never)."""

    tier: str = Field(default="medium", pattern="^(small|medium|large)$")
    hard_tokens: int = Field(default=0, ge=0)


class Routes(_Strict):
    """A route for each task."""

    generate: Route = Route()
    summarize: Route = Route(hard_tokens=30_000)
    title: Route = Route(tier="small")
    correct: Route = Route()
    answer: Route = Route(hard_tokens=6_000)


class Price(_Strict):
    """What a model costs, in the table's currency for a million tokens."""

    prompt: float = Field(default=0.0, ge=0)
    completion: float = Field(default=0.0, ge=0)


class Budgets(_Strict):
    """What each owner may use in a calendar month (UTC); 0: as much as it likes."""

    tokens_per_month: int = Field(default=0, ge=0)
    cost_per_month: float = Field(default=0.0, ge=0)
    alarm_percent: float = Field(default=80.0, gt=0, le=100)


class ModelRules(_Strict):
    """The whole file. Without one every task takes the service's default model."""

    servers: dict[str, Server] = {}
    files: dict[str, File] = {}
    tiers: Tiers = Tiers()
    routes: Routes = Routes()
    prices: dict[str, Price] = {}
    budgets: Budgets = Budgets()

    def model_for(self, task: Task, prompt_tokens: int, default: str) -> str:
        """Returns the id of the model for a task of this size."""
        route: Route = getattr(self.routes, task.value)
        hard = bool(route.hard_tokens) and prompt_tokens >= route.hard_tokens
        tier: str = getattr(self.tiers, "large" if hard else route.tier)
        return tier or self.tiers.medium or default

    def cost_micros(self, model: str, usage: Usage) -> int:
        """Returns what a generation costs, in millionths of the currency: 0 where the model has no price."""
        price = self.prices.get(model, Price())
        # A price for a million tokens is as many millionths for each token.
        return round(price.prompt * usage.prompt_tokens + price.completion * usage.completion_tokens)


def read_rules(path: Path | None) -> ModelRules:
    """Reads the file. Raises SettingsError where it can't be read or says what is not understood."""
    if path is None:
        return ModelRules()
    try:
        rules = ModelRules.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{path}: {place}: {first['msg']}") from error
    for name, server in rules.servers.items():
        if server.api_key_env and not server.api_key:
            raise SettingsError(f"{path}: servers.{name}: variable {server.api_key_env} is not set")
    return rules
