"""Values of options that name things by their numbers: `12=New text`, `3,7-9`."""

from __future__ import annotations

import re

from recordroute_cli.errors import CommandError
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.terminal import plain

_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")
LONGEST_RANGE = 10_000


def parse_pair(option: str, name: str, example: str) -> tuple[str, str]:
    """Returns what stands before and after the first `=`. Raises CommandError, which shows the example."""
    before, sign, after = option.partition("=")
    if not sign or not before.strip():
        raise CommandError(f"{name}: {plain(option)!r} is not like {example}", ExitCode.USAGE)
    return before.strip(), after


def parse_number(text: str, name: str, example: str) -> int:
    """Returns a number of up to 9 digits. Raises CommandError."""
    if not (text.strip().isascii() and text.strip().isdecimal() and len(text) < 10):
        raise CommandError(f"{name}: {plain(text)!r} is not a number as in {example}", ExitCode.USAGE)
    return int(text)


def parse_range(text: str) -> tuple[int, int] | None:
    """Returns the ends of `FIRST-LAST`; None where `text` is something else."""
    match = _RANGE.fullmatch(text.strip())
    return (int(match[1]), int(match[2])) if match is not None else None


def parse_numbers(text: str, name: str, example: str) -> list[int]:
    """Returns the numbers of a list with commas, in which ranges may stand. Raises CommandError."""
    numbers: list[int] = []
    for part in text.split(","):
        ends = parse_range(part)
        if ends is not None and ends[0] <= ends[1] < ends[0] + LONGEST_RANGE:
            numbers += range(ends[0], ends[1] + 1)
        else:
            numbers.append(parse_number(part, name, example))
    return numbers
