"""Stretches of a file that have come: sorted, without overlaps, joined where they touch."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PAIR = struct.Struct("<QQ")


@dataclass(frozen=True)
class Ranges:
    """Half-open ranges of bytes."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Ranges:
        """Joins ranges in any order."""
        starts, ends = list[int](), list[int]()
        for start, end in sorted(pairs):
            if ends and start <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        return cls(tuple(starts), tuple(ends))

    @classmethod
    def unpack(cls, data: bytes) -> Ranges:
        """Reads what `pack` made."""
        pairs = list(_PAIR.iter_unpack(data))
        return cls(tuple(start for start, _ in pairs), tuple(end for _, end in pairs))

    def pack(self) -> bytes:
        """Returns 16 bytes a range."""
        return b"".join(_PAIR.pack(start, end) for start, end in self)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.starts, self.ends, strict=True)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(self.ends) - sum(self.starts)

    @property
    def prefix(self) -> int:
        """Bytes from the start of the file without a gap."""
        return self.ends[0] if self.starts and self.starts[0] == 0 else 0

    def add(self, start: int, end: int) -> Ranges:
        """Returns the ranges with one more."""
        first, last = bisect_left(self.ends, start), bisect_right(self.starts, end)
        if first < last:
            start, end = min(start, self.starts[first]), max(end, self.ends[last - 1])
        return Ranges(
            (*self.starts[:first], start, *self.starts[last:]), (*self.ends[:first], end, *self.ends[last:])
        )

    def missing(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yields what is not there of a range, in order."""
        for position in range(bisect_right(self.ends, start), len(self.starts)):
            if self.starts[position] >= end:
                break
            if start < self.starts[position]:
                yield start, self.starts[position]
            start = self.ends[position]
        if start < end:
            yield start, end
