"""Lists of models: OpenAI's /v1/models, and /models for scripts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from recordroute_runtime.documents import document
from starlette.responses import JSONResponse, Response

from recordroute_gateway.http.backend import BackendOf, Reader
from recordroute_gateway.http.models import Model, list_models
from recordroute_gateway.http.problems import Refusal

router = APIRouter(tags=["models"])
OWNER = "recordroute"


def _openai(model: Model) -> dict[str, Any]:
    # Nobody knows when a model's files were made; the field has to be there.
    return {"id": model.info.id, "object": "model", "created": 0, "owned_by": OWNER, "task": model.task}


@router.get("/v1/models", operation_id="openai_models", response_class=Response)
async def openai_models(backend: BackendOf, _: Reader) -> Response:
    """List the models, as OpenAI's API does."""
    data = [_openai(model) for model in await list_models(backend)]
    return JSONResponse({"object": "list", "data": data})


@router.get("/v1/models/{name:path}", operation_id="openai_model", response_class=Response)
async def openai_model(name: str, backend: BackendOf, _: Reader) -> Response:
    """Get one model, as OpenAI's API does."""
    for model in await list_models(backend):
        if model.info.id == name:
            return JSONResponse(_openai(model))
    raise Refusal(404, "MODEL_MISSING", f"there is no model {name}", field="model")


@router.get(
    "/models",
    operation_id="models",
    response_class=Response,
    responses={
        200: {
            "description": "The models.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["models"],
                        "properties": {
                            "models": {
                                "type": "array",
                                "items": {
                                    "allOf": [
                                        {"$ref": "#/components/schemas/ModelInfo"},
                                        {
                                            "type": "object",
                                            "required": ["task"],
                                            "properties": {
                                                "task": {"enum": ["transcription", "chat", "embedding"]}
                                            },
                                        },
                                    ]
                                },
                            }
                        },
                    }
                }
            },
        }
    },
)
async def models(backend: BackendOf, _: Reader) -> Response:
    """List the installed models."""
    return JSONResponse(
        {"models": [{"task": model.task, **document(model.info)} for model in await list_models(backend)]}
    )
