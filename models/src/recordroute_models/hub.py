"""Where the files of a model hub are, and how to ask for them."""

from __future__ import annotations

from huggingface_hub import get_token, hf_hub_url

from recordroute_models.catalogue import HubSource


class Hub:
    """A model hub. A token of the user goes along, for repositories that ask for one."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint

    def url_of(self, source: HubSource, path: str) -> str:
        """Returns where a file of the repository is, at the pinned commit."""
        return hf_hub_url(source.repository, path, revision=source.revision, endpoint=self._endpoint)

    def headers(self) -> dict[str, str]:
        token = get_token()
        return {"Authorization": f"Bearer {token}"} if token else {}
