"""Uploaded files, read as they come: memory stays flat whatever their size."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from recordroute_runtime.threads import in_thread
from starlette.requests import Request

from recordroute_gateway.http.problems import Refusal

# Fields beside files are options: small.
MAX_FIELD_BYTES = 1 << 20
MAX_PARTS = 256
MAX_PART_HEAD_BYTES = 16 << 10
CHUNK_BYTES = 1 << 20


def bad_form(message: str) -> Refusal:
    return Refusal(400, "BAD_FORM", message)


@dataclass
class Part:
    """The head of a part: of a field, or of a file where it has a file name."""

    name: str
    file_name: str | None
    content_type: str


class _Mark(Enum):
    PART_END = auto()
    FORM_END = auto()


@dataclass
class _Events:
    """What the parser found in the bytes so far; the parser itself calls back and can't wait."""

    found: deque[Part | bytes | _Mark] = field(default_factory=deque)
    header_name: bytes = b""
    header_value: bytes = b""
    head_size: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)

    def begin(self) -> None:
        self.headers, self.head_size = {}, 0

    def name(self, data: bytes, start: int, end: int) -> None:
        self._grow(end - start)
        self.header_name += data[start:end]

    def value(self, data: bytes, start: int, end: int) -> None:
        self._grow(end - start)
        self.header_value += data[start:end]

    def header_end(self) -> None:
        self.headers[self.header_name.lower()] = self.header_value
        self.header_name = self.header_value = b""

    def headers_end(self) -> None:
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise bad_form("a part of the form has no name")
        file_name = options.get(b"filename")
        self.found.append(
            Part(
                options[b"name"].decode(errors="replace"),
                None if file_name is None else file_name.decode(errors="replace"),
                self.headers.get(b"content-type", b"").decode("latin-1"),
            )
        )

    def data(self, data: bytes, start: int, end: int) -> None:
        self.found.append(data[start:end])

    def end(self) -> None:
        self.found.append(_Mark.PART_END)

    def _grow(self, size: int) -> None:
        self.head_size += size
        if self.head_size > MAX_PART_HEAD_BYTES:
            raise bad_form("the head of a part is too large")


class MultipartReader:
    """Reads multipart/form-data part by part: `async for part, chunks in reader`, each part's chunks in turn."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Refusal(415, "FORM_EXPECTED", "the body must be multipart/form-data")
        self._events = _Events()
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._events.begin,
                "on_header_field": self._events.name,
                "on_header_value": self._events.value,
                "on_header_end": self._events.header_end,
                "on_headers_finished": self._events.headers_end,
                "on_part_data": self._events.data,
                "on_part_end": self._events.end,
            },
        )
        self._body = request.stream()

    async def __aiter__(self) -> AsyncIterator[tuple[Part, AsyncIterator[bytes]]]:
        count = 0
        while (event := await self._next()) is not _Mark.FORM_END:
            if isinstance(event, Part):
                count += 1
                if count > MAX_PARTS:
                    raise bad_form("the form has too many parts")
                chunks = self._chunks()
                yield event, chunks
                async for _ in chunks:
                    # What the caller did not want.
                    pass

    async def _chunks(self) -> AsyncIterator[bytes]:
        while (event := await self._next()) is not _Mark.PART_END:
            if not isinstance(event, bytes):
                raise bad_form("the form ends inside a part")
            yield event

    async def _next(self) -> Part | bytes | _Mark:
        try:
            while not self._events.found:
                chunk = await anext(self._body, None)
                if chunk is None:
                    self._parser.finalize()
                    return _Mark.FORM_END
                self._parser.write(chunk)
        except FormParserError as error:
            raise bad_form("the body is not multipart/form-data") from error
        return self._events.found.popleft()


async def read_field(chunks: AsyncIterator[bytes]) -> str:
    """Returns the text of a field."""
    value = bytearray()
    async for chunk in chunks:
        value += chunk
        if len(value) > MAX_FIELD_BYTES:
            raise bad_form("a field of the form is too large")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise bad_form("a field of the form is not UTF-8") from error


@dataclass(frozen=True)
class SpooledForm:
    """A form whose file lies on disk: its fields, whose order clients choose, are known before the file is read."""

    fields: dict[str, list[str]]
    file_name: str
    size_bytes: int
    _file: IO[bytes]

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the file's bytes."""
        self._file.seek(0)
        while chunk := await in_thread(self._file.read, CHUNK_BYTES):
            yield chunk

    def get(self, name: str) -> str | None:
        """Returns a field's last value."""
        values = self.fields.get(name)
        return values[-1] if values else None

    def all(self, name: str) -> list[str]:
        """Returns a list's values; clients write its name with brackets or without."""
        return [*self.fields.get(name, []), *self.fields.get(f"{name}[]", [])]


@asynccontextmanager
async def spooled_form(
    request: Request, *, file: str, folder: os.PathLike[str], max_bytes: int
) -> AsyncIterator[SpooledForm]:
    """Reads a form with one file, the field `file`, which is on disk for as long as the block runs."""
    fields: dict[str, list[str]] = {}
    file_name: str | None = None
    size = 0
    with tempfile.TemporaryFile(dir=folder) as spool:
        async for part, chunks in MultipartReader(request):
            if part.file_name is None:
                fields.setdefault(part.name, []).append(await read_field(chunks))
            elif part.name == file and file_name is None:
                file_name = part.file_name
                async for chunk in chunks:
                    size += len(chunk)
                    if size > max_bytes:
                        raise Refusal(413, "MEDIA_TOO_LARGE", f"the file is larger than {max_bytes} bytes")
                    await in_thread(spool.write, chunk)
            else:
                raise bad_form(f"only one file is expected, as the field {file}")
        if file_name is None:
            raise Refusal(400, "FILE_MISSING", f"the form has no file {file}", field=file)
        yield SpooledForm(fields, file_name, size, spool)


async def regrouped(chunks: AsyncIterator[bytes], size: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
    """Yields the same bytes in chunks of `size`: each becomes a message, and small ones cost as much as large ones."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)
