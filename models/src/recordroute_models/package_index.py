"""Where the wheels of a package index are."""

from __future__ import annotations

import os
from functools import cache

import pypi_simple

from recordroute_models.catalogue import Wheel
from recordroute_models.download import Downloader, host_of
from recordroute_models.errors import CorruptFile, FetchError

_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


class PackageIndex:
    """A package index with the simple API (PEP 503 and 691)."""

    def __init__(self, downloader: Downloader, endpoint: str | None) -> None:
        self._downloader = downloader
        self._endpoint = (endpoint or _configured_index() or pypi_simple.PYPI_SIMPLE_ENDPOINT).rstrip("/")
        self._page = cache(self._fetch_page)

    def url_of(self, wheel: Wheel) -> str:
        """Returns where the wheel is. Raises FetchError where the index has none such, or another one."""
        host = host_of(self._endpoint)
        for package in self._page(wheel.project).packages:
            if package.filename != wheel.filename:
                continue
            if package.digests.get("sha256", wheel.sha256) != wheel.sha256:
                raise CorruptFile(
                    f"{host} has another {wheel.filename} than the one that the catalogue names"
                )
            return package.url
        raise FetchError(f"{host} has no {wheel.filename}")

    def _fetch_page(self, project: str) -> pypi_simple.ProjectPage:
        response = self._downloader.get(f"{self._endpoint}/{project}/", {"Accept": pypi_simple.ACCEPT_ANY})
        if response.headers.get("Content-Type", "").startswith("application/vnd.pypi.simple.v1+json"):
            return pypi_simple.ProjectPage.from_json_data(response.json(), base_url=str(response.url))
        return pypi_simple.ProjectPage.from_html(project, response.text, base_url=str(response.url))


def _configured_index() -> str | None:
    """Returns the index that the user's package tools use; uv allows a name before its address."""
    for variable in _INDEX_VARIABLES:
        if value := os.environ.get(variable):
            name, separator, address = value.partition("=")
            return address if separator and "/" not in name else value
    return None
