"""A model hub on loopback: it has the files of the models that are installed here, at the addresses of the catalogue.

What it does with them can be told by requests, so that a test sees a download begin, stand still, fail and go on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from recordroute_models.catalogue import Catalogue, HubSource
from recordroute_models.hub import Hub

PIECE = 1 << 20


def hub_files(catalogue: Catalogue, models_dir: Path) -> dict[str, Path]:
    """Returns where the installed files are by their paths on a hub."""
    hub = Hub("http://hub")
    return {
        urlsplit(hub.url_of(source, source.path_of(file))).path: models_dir / model.id / file.path
        for model in catalogue.models
        for source in model.sources
        if isinstance(source, HubSource)
        for file in model.files_from(source)
    }


@contextmanager
def running_hub(catalogue: Catalogue, models_dir: Path) -> Iterator[str]:
    """Serves; yields the address. `POST /hold` stops large files in their middle until `POST /go`, and after
    `POST /fail` nothing is had until `POST /go`.
    """
    files = hub_files(catalogue, models_dir)
    going = threading.Event()
    failing = threading.Event()
    going.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path == "/hold":
                going.clear()
            elif self.path == "/fail":
                failing.set()
            else:
                failing.clear()
                going.set()
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

        def do_GET(self) -> None:
            path = files.get(urlsplit(self.path).path)
            if failing.is_set() or path is None:
                self.send_error(HTTPStatus.NOT_FOUND if path is None else HTTPStatus.SERVICE_UNAVAILABLE)
                return
            content = path.read_bytes()
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            self.send_response(HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("ETag", '"one"')
            self.end_headers()
            middle = max(start, len(content) // 2) if len(content) > PIECE else len(content)
            # Who downloads may have been told to stop.
            with suppress(OSError):
                self.wfile.write(content[start:middle])
                self.wfile.flush()
                going.wait()
                self.wfile.write(content[middle:])

        def log_message(self, format: str, *args: object) -> None:
            return

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}"
    finally:
        going.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()
