"""A browser's session: its token in a cookie that scripts can't read and other sites' pages can't send."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from recordroute_gateway.http.backend import BackendOf, MetadataOf, Reader
from recordroute_gateway.http.guard import COOKIE
from recordroute_gateway.http.problems import Refusal

router = APIRouter(tags=["session"])
# As long as browsers keep a cookie at most.
MAX_AGE_SECONDS = 400 * 24 * 3600


@router.post(
    "/session",
    status_code=204,
    operation_id="open_session",
    responses={204: {"description": "The cookie is set."}},
)
async def open_session(request: Request, backend: BackendOf, metadata: MetadataOf, _: Reader) -> Response:
    """Keep the token of `Authorization: Bearer` in a cookie, for the pages and players of this server."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refusal(401, "TOKEN_MISSING", "a token is needed, as Authorization: Bearer")
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        token.strip(),
        max_age=MAX_AGE_SECONDS,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.delete(
    "/session",
    status_code=204,
    operation_id="close_session",
    responses={204: {"description": "The cookie is gone."}},
)
async def close_session() -> Response:
    """Forget the token."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response
