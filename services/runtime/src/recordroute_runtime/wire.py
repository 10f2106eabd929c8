"""What servicers and clients convert alike: times, configured streams, models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Iterable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from recordroute.common.v1 import model_pb2

from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.models import InstalledModel


def to_duration(seconds: float) -> Duration:
    """Returns `seconds` as a Duration, to the nanosecond."""
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration


def to_seconds(duration: Duration) -> float:
    """Returns a Duration in seconds."""
    return duration.seconds + duration.nanos / 1e9


def enum_name(message: Message, field: str) -> str:
    """Returns the name of an enum field's value without its prefix, in lower case: WORKFLOW_STATE_RUNNING is
    "running", and what is not set "unspecified"."""
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    if enum is None:
        raise TypeError(f"{field} of {message.DESCRIPTOR.full_name} is not an enum")
    values = enum.values_by_number
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    return values[getattr(message, field)].name.removeprefix(prefix).lower()


def enum_names(message: Message, field: str) -> list[str]:
    """Returns the names of a repeated enum field's values, as `enum_name` does."""
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    if enum is None:
        raise TypeError(f"{field} of {message.DESCRIPTOR.full_name} is not an enum")
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    names = (enum.values_by_number[number].name for number in getattr(message, field))
    return [name.removeprefix(prefix).lower() for name in names]


def to_timestamp(time: datetime) -> Timestamp:
    """Returns a time with a time zone as a Timestamp."""
    timestamp = Timestamp()
    timestamp.FromDatetime(time.astimezone(UTC))
    return timestamp


def to_datetime(timestamp: Timestamp) -> datetime:
    """Returns a Timestamp as a time in UTC. Raises InvalidInput (BAD_TIME) where it is none."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("BAD_TIME", "times must be between the years 1 and 9999") from error


class ConfiguredMessage(Protocol):
    """A message with `oneof payload { config, ... }`."""

    def WhichOneof(self, oneof_group: str) -> str | None: ...


Configured = TypeVar("Configured", bound=ConfiguredMessage)


async def read_configured(
    messages: AsyncIterator[Configured],
) -> tuple[Configured, AsyncIterator[Configured]]:
    """Splits an uploading stream into its configuration message and the messages after it.

    Raises InvalidInput (STREAM_PROTOCOL) where the configuration is missing, not the first, or repeated.
    """
    first = await anext(messages, None)
    if first is None or first.WhichOneof("payload") != "config":
        raise InvalidInput("STREAM_PROTOCOL", "the first message of the stream must be the configuration")

    async def rest() -> AsyncIterator[Configured]:
        async for message in messages:
            if message.WhichOneof("payload") == "config":
                raise InvalidInput("STREAM_PROTOCOL", "the configuration may be sent only once")
            yield message

    return first, rest()


def model_messages(
    models: Iterable[InstalledModel], *, loaded: Container[str], default: str
) -> list[model_pb2.ModelInfo]:
    """Returns what a service says of its models; `loaded` and `default` are ids."""
    return [
        model_pb2.ModelInfo(
            id=model.id,
            languages=model.languages,
            license=model.license,
            size_bytes=model.size_bytes,
            loaded=model.id in loaded,
            is_default=model.id == default,
        )
        for model in models
    ]
