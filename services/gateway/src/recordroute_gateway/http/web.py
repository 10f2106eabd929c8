"""The browser client: the files that its build left in `recordroute_gateway/web/static`."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_DIR = Path(__file__).parent.parent / "web" / "static"
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        # Files are hashed by WebAssembly before they are sent: twice as fast as in JavaScript. It allows no eval.
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# The build puts a hash of their content into the names of these files.
IMMUTABLE_FOLDER = "assets"
IMMUTABLE = "public, max-age=31536000, immutable"
PERMISSIONS = "camera=(), geolocation=(), microphone=(self)"


class WebClient(StaticFiles):
    """Static files; a page's address that is no file is the client's own: it gets index.html."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, html=True)
        self._index = directory / "index.html"

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope) if self._is_file(path) else self._page(scope)
        first = PurePosixPath(path).parts[:1]
        is_hashed = first == (IMMUTABLE_FOLDER,) and response.status_code in (200, 304)
        response.headers["cache-control"] = IMMUTABLE if is_hashed else "no-cache"
        response.headers["content-security-policy"] = CONTENT_SECURITY_POLICY
        response.headers["permissions-policy"] = PERMISSIONS
        return response

    def _is_file(self, path: str) -> bool:
        found, status = self.lookup_path(path)
        return status is not None and Path(found).is_file()

    def _page(self, scope: Scope) -> Response:
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if scope["method"] not in ("GET", "HEAD") or not wants_page:
            return Response("there is nothing at this address", 404, media_type="text/plain")
        return FileResponse(self._index, headers={"vary": "accept"})
