"""Reads dates and times from the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode


def parse_moment(text: str, option: str, *, end_of_day: bool = False) -> datetime:
    """Returns the time that `text` (ISO 8601) means, in UTC; local time where it names no zone.

    A date alone is its first moment, or with `end_of_day` the first moment after it. Raises CommandError.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    try:
        moment = datetime.fromisoformat(text)
        if day is not None and end_of_day:
            moment += timedelta(days=1)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandError(
            f"{option}: {text!r} is not a date such as 2026-01-31, nor a time such as 2026-01-31T09:30",
            ExitCode.USAGE,
        ) from error
