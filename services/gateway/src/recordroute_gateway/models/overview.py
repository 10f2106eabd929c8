"""Every model with what is known of it and what may be done to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from recordroute_gateway.models import errors
from recordroute_gateway.models.records import (
    ModelEntry,
    PullState,
    Served,
    ServedModel,
    Shelf,
    ShelfModel,
    Source,
    State,
    Task,
)

SERVICES: Mapping[Task, str] = {
    Task.STT: "stt",
    Task.LLM: "llm",
    Task.EMBEDDING: "vector",
    Task.RERANK: "vector",
    Task.OTHER: "",
}
# Their services take the model that a request names.
SWITCHABLE = (Task.STT, Task.LLM)


def overview(
    shelf: Shelf | None,
    served: Served,
    choices: Mapping[Task, str],
    pull_of: Callable[[str], PullState | None],
) -> list[ModelEntry]:
    """Returns all models by task and id. `shelf` None: models are managed elsewhere."""
    models = dict(shelf.models) if shelf is not None else {}
    by_service = {(model.task, model.id): model for model in served.models}
    for found in served.models:
        models.setdefault(found.id, _served_only(found, has_shelf=shelf is not None))
    for task, chosen in choices.items():
        # What was chosen once and is gone: requests fail until somebody does something about it.
        models.setdefault(chosen, ShelfModel(chosen, task, State.NOT_INSTALLED, in_catalogue=False))
    entries = [
        _entry(
            model,
            shelf,
            by_service.get((model.task, model.id)),
            is_available=SERVICES[model.task] not in served.unavailable,
            chosen=choices.get(model.task, ""),
            pull=pull_of(model.id),
        )
        for model in models.values()
    ]
    order = list(Task)
    return sorted(entries, key=lambda entry: (order.index(entry.model.task), entry.model.id))


def _served_only(served: ServedModel, *, has_shelf: bool) -> ShelfModel:
    source = Source.SERVER if served.server else Source.LOCAL if has_shelf else Source.UNSPECIFIED
    return ShelfModel(
        served.id,
        served.task,
        State.INSTALLED,
        languages=served.languages,
        license=served.license,
        source=source,
        size_bytes=served.size_bytes,
        in_catalogue=False,
    )


def _entry(
    model: ShelfModel,
    shelf: Shelf | None,
    served: ServedModel | None,
    *,
    is_available: bool,
    chosen: str,
    pull: PullState | None,
) -> ModelEntry:
    is_default = served is not None and served.is_default
    is_current = model.id == chosen if chosen else is_default
    if pull is not None and pull.is_running:
        model = replace(model, state=State.PULLING)
    return ModelEntry(
        model=model,
        service=SERVICES[model.task],
        pull=pull,
        is_current=is_current,
        is_service_default=is_default,
        is_loaded=served is not None and served.is_loaded,
        pull_refusal=_pull_refusal(model, shelf),
        remove_refusal=_remove_refusal(
            model, shelf, is_used=is_current or is_default, is_available=is_available
        ),
        use_refusal="" if is_current else _use_refusal(model, served, is_available=is_available),
    )


def _pull_refusal(model: ShelfModel, shelf: Shelf | None) -> str:
    if shelf is None:
        return errors.MANAGED_ELSEWHERE
    return "" if model.in_catalogue else errors.UNKNOWN


def _remove_refusal(model: ShelfModel, shelf: Shelf | None, *, is_used: bool, is_available: bool) -> str:
    if shelf is None or model.id not in shelf.models:
        return errors.MANAGED_ELSEWHERE
    if model.state is State.PULLING:
        return errors.PULLING
    # Nobody tells which model the search results are reranked with.
    if is_used or model.task is Task.RERANK:
        return errors.IN_USE
    return "" if is_available or model.state is State.NOT_INSTALLED else errors.UPSTREAM_UNAVAILABLE


def _use_refusal(model: ShelfModel, served: ServedModel | None, *, is_available: bool) -> str:
    if model.task not in SWITCHABLE:
        return errors.FIXED_AT_START if SERVICES[model.task] else errors.WRONG_TASK
    match model.state:
        case State.PULLING:
            return errors.PULLING
        case State.NOT_INSTALLED:
            return errors.NOT_INSTALLED
        case State.BROKEN:
            return errors.BROKEN
    if not is_available:
        return errors.UPSTREAM_UNAVAILABLE
    return "" if served is not None else errors.NOT_INSTALLED
