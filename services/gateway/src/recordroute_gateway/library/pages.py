"""Page tokens: where a page ended, so that new rows before it shift nothing."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from recordroute_runtime.errors import InvalidInput
from sqlalchemy import ColumnElement, Table, and_, or_

BAD_TOKEN = "page_token is not one that this server gave"


def encode_token(created_at: datetime, row_id: str) -> str:
    """Returns the token that follows a row of a list ordered by creation, newest first."""
    return base64.urlsafe_b64encode(json.dumps([created_at.isoformat(), row_id]).encode()).decode()


def after_token(table: Table, token: str) -> ColumnElement[bool]:
    """Returns the condition for the rows after a token. Raises InvalidInput for a token that is not ours."""
    try:
        time, row_id = json.loads(base64.urlsafe_b64decode(token.encode()))
        created_at = datetime.fromisoformat(time)
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidInput("PAGE_TOKEN", BAD_TOKEN) from error
    if created_at.tzinfo is None or not isinstance(row_id, str):
        raise InvalidInput("PAGE_TOKEN", BAD_TOKEN)
    return or_(table.c.created_at < created_at, and_(table.c.created_at == created_at, table.c.id < row_id))
