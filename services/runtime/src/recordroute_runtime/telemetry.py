"""Logs, trace context and metrics of a process."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import Counter, Gauge, Histogram, start_http_server

from recordroute_runtime.settings import CommonSettings, ServerSettings

CALLS = Counter("recordroute_rpc_total", "Finished RPCs.", ["method", "code"])
CALL_SECONDS = Histogram(
    "recordroute_rpc_seconds",
    "Wall time of RPCs.",
    ["method"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
CALLS_RUNNING = Gauge("recordroute_rpc_running", "RPCs that run now.", ["method"])

# Spans give every call its trace id, whether or not anybody collects them.
_tracer = TracerProvider().get_tracer("recordroute")
# Not OpenTelemetry's own variable, which logs an error where a stream is closed from another task.
_running: ContextVar[Context | None] = ContextVar("recordroute_trace", default=None)


def _add_trace_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace_id = current_trace_id()
    if trace_id:
        event["trace_id"] = trace_id
    return event


def configure_telemetry(service: str, common: CommonSettings) -> None:
    """Sets up logging to standard error and trace ids, once, at the start of a process."""
    human = common.log_format == "human" or (common.log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_trace_id,
        structlog.processors.TimeStamper(fmt="iso", utc=not human),
    ]
    # The renderer's own tracebacks show variables: texts of recordings, tokens.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer: list[structlog.types.Processor] = (
        [console]
        if human
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=common.log_level.upper(), force=True)
    structlog.contextvars.bind_contextvars(service=service)


def serve_metrics(settings: ServerSettings) -> None:
    """Serves Prometheus metrics if the settings give a port."""
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.metrics_host)


@contextmanager
def call_span(method: str, metadata: Iterable[tuple[str, str | bytes]]) -> Iterator[None]:
    """Runs a call in a span that goes on with the caller's trace, or begins one (W3C `traceparent`)."""
    carrier = {key: value for key, value in metadata if isinstance(value, str)}
    span = _tracer.start_span(method, context=propagate.extract(carrier))
    token = _running.set(trace.set_span_in_context(span))
    try:
        yield
    finally:
        # A generator that is closed from another task ends in another context, where nothing was set.
        with suppress(ValueError):
            _running.reset(token)
        span.end()


def trace_metadata() -> list[tuple[str, str]]:
    """Returns the metadata that carries the running trace to another service."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context=_running.get())
    return list(carrier.items())


def current_trace_id() -> str:
    """Returns the running trace's id, 32 hexadecimal digits; empty outside of a trace."""
    context = trace.get_current_span(_running.get()).get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""
