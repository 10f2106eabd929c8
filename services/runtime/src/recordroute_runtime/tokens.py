"""The token of an embedded system: a secret in a file that only its user may read."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

TOKEN_FILE = "token"
TOKEN_BYTES = 32
# Shorter ones could be guessed; also the least length of a token that an operator sets.
MIN_TOKEN_LENGTH = 32


class TokenUnusable(Exception):
    """The file of the token is not what it should be; the message says what is wrong and how to mend it."""


def read_token(path: Path) -> str | None:
    """Returns the token in a file, or None where there is no file.

    Raises TokenUnusable where others may read the file, or where it holds no token.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TokenUnusable(f"the token in {path} can't be read: {error.strerror}") from error
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        if os.fstat(descriptor).st_mode & 0o077:
            raise TokenUnusable(f"others may read the token in {path}; delete the file, or: chmod 600 {path}")
        token = file.read().strip()
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        raise TokenUnusable(f"there is no token in {path}; delete the file, and a new one is made")
    return token


def ensure_token(path: Path) -> str:
    """Returns the token in a file, which is made with mode 0600 where there is none.

    Processes that do it at once get the same token. Raises TokenUnusable.
    """
    token = read_token(path)
    if token is not None:
        return token
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp's files are their user's alone; the link appears with the whole token in it, or not at all.
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
                file.flush()
                os.fsync(descriptor)
            os.link(draft, path)
        except FileExistsError:
            # Another process was faster: its token counts.
            pass
        finally:
            Path(draft).unlink()
    except OSError as error:
        raise TokenUnusable(f"the token can't be written to {path}: {error.strerror}") from error
    token = read_token(path)
    if token is None:
        raise TokenUnusable(f"the token in {path} was deleted as it was made")
    return token
