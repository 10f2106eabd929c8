"""Order of texts by a query: Cohere's /v1/rerank and /v2/rerank, and /rerank of text-embeddings-inference.

https://docs.cohere.com/reference/rerank
https://huggingface.github.io/text-embeddings-inference/
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from recordroute.vector.v1 import embedding_pb2
from starlette.responses import JSONResponse, Response

from recordroute_gateway.http.backend import (
    INFERENCE_SECONDS,
    Backend,
    BackendOf,
    ReaderActs,
    while_connected,
)

router = APIRouter(max_body_size=32 << 20)
MAX_TEXTS = 256
MAX_BYTES = 2 << 20
MAX_DOCUMENTS = 1000


Text = Annotated[str, Field(min_length=1, max_length=16384)]
Query = Annotated[str, Field(pattern=r"\S", max_length=2048)]


class TextDocument(BaseModel):
    text: Text


class CohereRequest(BaseModel):
    query: Query
    documents: list[Text | TextDocument] = Field(min_length=1, max_length=MAX_DOCUMENTS)
    model: str | None = None
    top_n: int | None = Field(default=None, ge=1)
    return_documents: bool = False

    def texts(self) -> list[str]:
        return [document if isinstance(document, str) else document.text for document in self.documents]


class TeiRequest(BaseModel):
    query: Query
    texts: list[Text] = Field(min_length=1, max_length=MAX_DOCUMENTS)
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool = False


async def _scores(backend: Backend, query: str, texts: Sequence[str], *, raw: bool) -> list[float]:
    """Returns a score for each text: as the service gives them, or from 0 to 1."""
    scores: list[float] = []
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and end - start < MAX_TEXTS and (end == start or size <= MAX_BYTES):
            size += len(texts[end].encode())
            end += 1
        answer = await backend.vector.Rerank(
            embedding_pb2.RerankRequest(query=query, texts=texts[start:end]), timeout=INFERENCE_SECONDS
        )
        # A cosine; the other method gives probabilities.
        is_cosine = answer.method == embedding_pb2.RERANK_METHOD_LATE_INTERACTION
        scores += [
            min(1.0, max(0.0, (1 + score) / 2)) if is_cosine and not raw else score for score in answer.scores
        ]
        start = end
    return scores


def _ranked(scores: Sequence[float]) -> list[tuple[int, float]]:
    return sorted(enumerate(scores), key=lambda item: (-item[1], item[0]))


async def _cohere(request: Request, body: CohereRequest, backend: Backend, version: str) -> Response:
    texts = body.texts()
    scores = await while_connected(request, _scores(backend, body.query, texts, raw=False))
    results: list[dict[str, Any]] = [
        {"index": i, "relevance_score": score}
        | ({"document": {"text": texts[i]}} if body.return_documents else {})
        for i, score in _ranked(scores)[: body.top_n]
    ]
    meta = {"api_version": {"version": version}, "billed_units": {"search_units": 1}}
    return JSONResponse({"id": str(uuid.uuid4()), "results": results, "meta": meta})


@router.post("/v1/rerank", tags=["cohere"], operation_id="rerank_v1", response_class=Response)
async def rerank_v1(request: Request, body: CohereRequest, backend: BackendOf, _: ReaderActs) -> Response:
    """Order documents by a query, as Cohere's API does. The service's own model does it, whichever is named."""
    return await _cohere(request, body, backend, "1")


@router.post("/v2/rerank", tags=["cohere"], operation_id="rerank_v2", response_class=Response)
async def rerank_v2(request: Request, body: CohereRequest, backend: BackendOf, _: ReaderActs) -> Response:
    """Order documents by a query, as Cohere's API does. The service's own model does it, whichever is named."""
    return await _cohere(request, body, backend, "2")


@router.post("/rerank", tags=["text-embeddings-inference"], operation_id="rerank", response_class=Response)
async def rerank(request: Request, body: TeiRequest, backend: BackendOf, _: ReaderActs) -> Response:
    """Order texts by a query, as text-embeddings-inference does."""
    scores = await while_connected(request, _scores(backend, body.query, body.texts, raw=body.raw_scores))
    return JSONResponse(
        [
            {"index": i, "score": score} | ({"text": body.texts[i]} if body.return_text else {})
            for i, score in _ranked(scores)
        ]
    )
