"""Receives a file to disk: many containers have to be read from the end first."""

from __future__ import annotations

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from recordroute_runtime.errors import InvalidInput, StorageFull

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@asynccontextmanager
async def spooled(
    chunks: AsyncIterator[bytes], *, folder: Path | None, max_bytes: int
) -> AsyncIterator[BinaryIO]:
    """Writes `chunks` to a file that has no name, and gives it at its beginning; its room is free again afterwards.

    Raises InvalidInput (MEDIA_EMPTY, MEDIA_TOO_LARGE) and StorageFull.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        size = 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > max_bytes:
                    raise InvalidInput(
                        "MEDIA_TOO_LARGE",
                        f"the file is larger than the limit of {max_bytes} bytes",
                        metadata={"max_bytes": str(max_bytes)},
                    )
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(file.seek, 0)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise StorageFull("the disk of the speech service has no room for the file") from error
            raise
        if not size:
            raise InvalidInput("MEDIA_EMPTY", "the file is empty")
        yield file
