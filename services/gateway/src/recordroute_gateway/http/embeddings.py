"""Vectors of texts: OpenAI's /v1/embeddings and /embed of text-embeddings-inference, by the vector service.

https://platform.openai.com/docs/api-reference/embeddings
https://huggingface.github.io/text-embeddings-inference/
Models of this kind treat questions and answers differently, which neither API knows: `input_type` (a further field) and
`prompt_name` say "query" or "passage"; without them a text is a passage.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

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
from recordroute_gateway.http.models import check_embedding_model
from recordroute_gateway.http.problems import Refusal

router = APIRouter(max_body_size=32 << 20)
# One call's share: its message stays below gRPC's limit.
MAX_TEXTS = 256
MAX_BYTES = 2 << 20
MAX_INPUTS = 2048
# A vector or a token takes up to this many bytes on the wire.
TOKEN_BYTES = 5
KINDS = {
    "query": embedding_pb2.EMBEDDING_KIND_QUERY,
    "passage": embedding_pb2.EMBEDDING_KIND_PASSAGE,
    "document": embedding_pb2.EMBEDDING_KIND_PASSAGE,
    None: embedding_pb2.EMBEDDING_KIND_PASSAGE,
}

TokenId = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Tokens = Annotated[list[TokenId], Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=MAX_INPUTS)]


class EmbeddingsRequest(BaseModel):
    input: Text | Texts | Tokens | Annotated[list[Tokens], Field(min_length=1, max_length=MAX_INPUTS)]
    model: str
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(default=None, ge=1, lt=2**31)
    input_type: Literal["query", "passage", "document"] | None = None

    def inputs(self) -> list[Any]:
        """Returns texts or token arrays."""
        alone = isinstance(self.input, str) or (bool(self.input) and isinstance(self.input[0], int))
        return [self.input] if alone else list(self.input)


class TeiEmbedRequest(BaseModel):
    inputs: Text | Texts
    normalize: bool = True
    truncate: bool = False
    prompt_name: str | None = None
    dimensions: int | None = Field(default=None, ge=1, lt=2**31)


def _size(item: str | Sequence[int]) -> int:
    return len(item.encode()) if isinstance(item, str) else TOKEN_BYTES * len(item)


def _batches(items: Sequence[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for item in items:
        if batch and (len(batch) == MAX_TEXTS or size + _size(item) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += _size(item)
    yield batch


async def _embed(
    backend: Backend, items: Sequence[Any], options: dict[str, Any]
) -> tuple[list[embedding_pb2.Embedding], str]:
    """Returns the embeddings in the items' order, and the model's id."""
    embeddings: list[embedding_pb2.Embedding] = []
    model = ""
    for batch in _batches(items):
        given = (
            {"texts": batch}
            if isinstance(batch[0], str)
            else {"token_arrays": [embedding_pb2.TokenArray(ids=ids) for ids in batch]}
        )
        answer = await backend.vector.Embed(
            embedding_pb2.EmbedRequest(**given, **options), timeout=INFERENCE_SECONDS
        )
        embeddings += answer.embeddings
        model = answer.model
    return embeddings, model


def _encoded(values: Sequence[float], encoding_format: str) -> list[float] | str:
    if encoding_format == "base64":
        return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode("ascii")
    return list(values)


@router.post("/v1/embeddings", tags=["openai"], operation_id="embeddings", response_class=Response)
async def embeddings(
    request: Request, body: EmbeddingsRequest, backend: BackendOf, _: ReaderActs
) -> Response:
    """Embed texts or token arrays, as OpenAI's API does."""
    await check_embedding_model(backend, body.model)
    options = {
        "kind": KINDS[body.input_type],
        "dimensions": body.dimensions,
        "truncation": embedding_pb2.TRUNCATION_MODE_ERROR,
    }
    found, model = await while_connected(request, _embed(backend, body.inputs(), options))
    tokens = sum(embedding.token_count for embedding in found)
    return JSONResponse(
        {
            "object": "list",
            "data": [
                {
                    "object": "embedding",
                    "index": i,
                    "embedding": _encoded(embedding.values, body.encoding_format),
                }
                for i, embedding in enumerate(found)
            ],
            "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )


@router.post("/embed", tags=["text-embeddings-inference"], operation_id="embed", response_class=Response)
async def embed(request: Request, body: TeiEmbedRequest, backend: BackendOf, _: ReaderActs) -> Response:
    """Embed texts, as text-embeddings-inference does."""
    if body.prompt_name not in KINDS:
        raise Refusal(422, "INVALID_FIELDS", "prompt_name must be query or passage", field="prompt_name")
    options = {
        "kind": KINDS[body.prompt_name],
        "normalize": body.normalize,
        "dimensions": body.dimensions,
        "truncation": (
            embedding_pb2.TRUNCATION_MODE_END if body.truncate else embedding_pb2.TRUNCATION_MODE_ERROR
        ),
    }
    texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    found, _model = await while_connected(request, _embed(backend, texts, options))
    return JSONResponse([list(embedding.values) for embedding in found])
