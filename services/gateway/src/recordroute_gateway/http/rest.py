"""REST for scripts: the library, its search and its work, by the gateway's own gRPC methods."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from recordroute.gateway.v1 import library_pb2, search_pb2, upload_pb2, workflow_pb2
from recordroute_runtime.documents import document
from starlette.responses import JSONResponse, Response

from recordroute_gateway.http.backend import (
    CALL_SECONDS,
    INFERENCE_SECONDS,
    BackendOf,
    MetadataOf,
    opened,
    send_all,
    while_connected,
)
from recordroute_gateway.http.forms import MultipartReader, read_field, regrouped
from recordroute_gateway.http.problems import Refusal
from recordroute_gateway.http.streams import CallResponse

MAX_JSON_BYTES = 1 << 20
Text = Annotated[str, Field(max_length=1024)]
EXPORT_TYPES = {
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _rfc3339(value: object) -> object:
    """Leaves numbers no way in: pydantic would take them for seconds since 1970."""
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError("expected a time like 2026-01-31T09:00:00Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]
State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Strict(BaseModel):
    """A body, or the parameters of an address: unknown names are refused, since a filter with a typing error filters
    nothing."""

    model_config = ConfigDict(extra="forbid")


class ProcessOptions(Strict):
    """How a recording is worked on; what is left out is as the server is set."""

    language: str | None = Field(
        None, pattern="^[a-z]{2,3}$", description="Language of the speech; null: detected."
    )
    stt_model: str = Field("", max_length=128, pattern="^[A-Za-z0-9._-]*$")
    llm_model: str = Field("", max_length=128, pattern="^[A-Za-z0-9._:/-]*$")
    profile: Literal["fast", "balanced", "accurate"] | None = None
    translate: bool = Field(False, description="Whether the words are translated into English.")
    hotwords: list[Annotated[str, Field(min_length=1, max_length=32)]] = Field([], max_length=200)
    initial_prompt: str = Field("", max_length=512)
    skip_summary: bool = False
    skip_index: bool = False
    skip_speakers: bool = False
    speaker_count: int = Field(0, ge=0, le=32)

    def message(self) -> workflow_pb2.WorkflowOptions:
        values = self.model_dump(exclude={"profile"}, exclude_none=True)
        options = workflow_pb2.WorkflowOptions(**values)
        if self.profile is not None:
            options.MergeFrom(workflow_pb2.WorkflowOptions(profile=f"PROFILE_{self.profile.upper()}"))
        return options


class ProcessRequest(Strict):
    recording_id: uuid.UUID
    request_id: uuid.UUID | None = Field(
        None, description="Made by the client: the same id again answers with the task of the first request."
    )
    options: ProcessOptions | None = None


class CancelRequest(Strict):
    task_id: uuid.UUID


router = APIRouter(tags=["library"], max_body_size=MAX_JSON_BYTES)
uploads = APIRouter(tags=["library"])


def answers(
    name: str, status: int = 200, description: str = "The answer."
) -> dict[int | str, dict[str, Any]]:
    """Returns the documentation of an answer whose schema is that of a message."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {status: {"description": description, "content": {"application/json": {"schema": schema}}}}


def request_id(given: uuid.UUID | None) -> str:
    return str(given or uuid.uuid4())


def timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    message = Timestamp()
    message.FromDatetime(time.astimezone(UTC))
    return message


UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class UploadParameters(Strict):
    file_name: str | None = Field(
        None,
        min_length=1,
        max_length=1024,
        description="Name of the file; needed where the body is the file itself.",
    )
    title: Text = ""
    folder: Text = ""
    tag: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field([], max_length=64)
    recorded_at: Time | None = None
    allow_duplicate: bool = False
    request_id: uuid.UUID | None = Field(
        None,
        description="Made by the client: the same id again answers with the recording of the first upload.",
    )


@uploads.post(
    "/upload",
    status_code=201,
    responses=answers("Recording", 201),
    openapi_extra=UPLOAD_BODY,
    operation_id="upload",
)
async def upload(
    request: Request,
    parameters: Annotated[UploadParameters, Query()],
    backend: BackendOf,
    metadata: MetadataOf,
) -> Response:
    """Add a recording: a form with one `file`, or the file's bytes as the body."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async for part, chunks in MultipartReader(request):
            if part.file_name is None:
                await read_field(chunks)
                raise Refusal(
                    400, "BAD_FORM", f"{part.name} is given as a parameter of the address", field=part.name
                )
            return await _receive(
                parameters, parameters.file_name or part.file_name, chunks, backend, metadata
            )
        raise Refusal(400, "FILE_MISSING", "the form has no file", field="file")
    if parameters.file_name is None:
        raise Refusal(400, "FILE_NAME_MISSING", "file_name is needed", field="file_name")
    return await _receive(parameters, parameters.file_name, request.stream(), backend, metadata)


async def _receive(
    parameters: UploadParameters,
    name: str,
    chunks: AsyncIterator[bytes],
    backend: BackendOf,
    metadata: MetadataOf,
) -> Response:
    config = upload_pb2.UploadConfig(
        request_id=request_id(parameters.request_id),
        file_name=name or "recording",
        recorded_at=timestamp(parameters.recorded_at),
        allow_duplicate=parameters.allow_duplicate,
        title=parameters.title,
        folder=parameters.folder,
        tags=parameters.tag,
    )

    async def messages() -> AsyncIterator[upload_pb2.UploadRecordingRequest]:
        yield upload_pb2.UploadRecordingRequest(config=config)
        async for chunk in regrouped(chunks):
            yield upload_pb2.UploadRecordingRequest(chunk=chunk)

    answer = await send_all(backend.uploads.UploadRecording, messages(), metadata)
    return JSONResponse(document(answer.recording), 201)


@router.post(
    "/process", status_code=202, responses=answers("Workflow", 202, "The task."), operation_id="process"
)
async def process(body: ProcessRequest, backend: BackendOf, metadata: MetadataOf) -> Response:
    """Start the work on a recording: transcript, minutes, search. Returns at once."""
    answer = await backend.workflows.StartWorkflow(
        workflow_pb2.StartWorkflowRequest(
            request_id=request_id(body.request_id),
            recording_id=str(body.recording_id),
            options=None if body.options is None else body.options.message(),
        ),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    return JSONResponse(document(answer.workflow), 202)


class HistoryParameters(Strict):
    page_size: int = Field(50, ge=1, le=1000)
    page_token: str = Field("", max_length=2048)
    text: str = Field(
        "", max_length=256, description="Words that title, file name, tags or speakers contain."
    )
    folder: str = Field("", max_length=256)
    tag: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field([], max_length=64)
    language: list[Annotated[str, Field(pattern="^[a-z]{2,3}$")]] = Field([], max_length=64)
    speaker: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field([], max_length=64)
    recorded_from: Time | None = None
    recorded_before: Time | None = None


@router.get("/history", responses=answers("ListRecordingsResponse"), operation_id="history")
async def history(
    parameters: Annotated[HistoryParameters, Query()], backend: BackendOf, metadata: MetadataOf
) -> Response:
    """List the recordings, newest first."""
    answer = await backend.library.ListRecordings(
        library_pb2.ListRecordingsRequest(
            page_size=parameters.page_size,
            page_token=parameters.page_token,
            text=parameters.text,
            folder=parameters.folder,
            tags=parameters.tag,
            languages=parameters.language,
            speakers=parameters.speaker,
            recorded_from=timestamp(parameters.recorded_from),
            recorded_before=timestamp(parameters.recorded_before),
        ),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    return JSONResponse(document(answer))


RecordingId = Annotated[uuid.UUID, Path(description="Id of a recording.")]
TaskId = Annotated[uuid.UUID, Path(description="Id of a task.")]


@router.get("/history/{recording_id}", responses=answers("Recording"), operation_id="recording")
async def recording(recording_id: RecordingId, backend: BackendOf, metadata: MetadataOf) -> Response:
    """Get one recording."""
    answer = await backend.library.GetRecording(
        library_pb2.GetRecordingRequest(recording_id=str(recording_id)),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    return JSONResponse(document(answer.recording))


class DownloadParameters(Strict):
    format: Literal["txt", "md", "srt", "vtt", "json", "docx"] = "md"


@router.get(
    "/download/{recording_id}",
    response_class=Response,
    responses={
        200: {
            "description": "The file.",
            "content": {
                kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in EXPORT_TYPES.values()
            }
            | {"application/json": {"schema": {"type": "object"}}},
        }
    },
    operation_id="download",
)
async def download(
    recording_id: RecordingId,
    backend: BackendOf,
    metadata: MetadataOf,
    parameters: Annotated[DownloadParameters, Query()],
) -> Response:
    """Download a recording's texts as one file. The uploaded file itself is at /media."""
    named = await backend.library.GetRecording(
        library_pb2.GetRecordingRequest(recording_id=str(recording_id)),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    wanted = library_pb2.ExportRequest(
        recording_id=str(recording_id), format=f"EXPORT_FORMAT_{parameters.format.upper()}"
    )
    stream = await opened(backend.library.Export(wanted, metadata=metadata), library_pb2.ExportResponse)

    async def chunks() -> AsyncIterator[bytes]:
        async for part in stream:
            yield part.chunk

    name = quote(f"{named.recording.title or named.recording.file_name}.{parameters.format}", safe="")
    return CallResponse(
        chunks(),
        end_call=stream.close,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
        media_type=EXPORT_TYPES[parameters.format],
    )


class SearchParameters(Strict):
    q: str = Field(min_length=1, max_length=2048, description="Words, a question, a phrase.")
    limit: int = Field(10, ge=1, le=100)
    recording_id: list[uuid.UUID] = Field([], max_length=100, description="Only these recordings.")
    recorded_from: Time | None = None
    recorded_before: Time | None = None


@router.get("/search", responses=answers("SearchResponse"), tags=["search"], operation_id="search")
async def search(
    request: Request,
    parameters: Annotated[SearchParameters, Query()],
    backend: BackendOf,
    metadata: MetadataOf,
) -> Response:
    """Find what was said, best first."""
    call = backend.search.Search(
        search_pb2.SearchRequest(
            query=parameters.q,
            limit=parameters.limit,
            recording_ids=[str(id_) for id_ in parameters.recording_id],
            recorded_from=timestamp(parameters.recorded_from),
            recorded_before=timestamp(parameters.recorded_before),
        ),
        metadata=metadata,
        timeout=INFERENCE_SECONDS,
    )
    return JSONResponse(document(await while_connected(request, call)))


class SimilarParameters(Strict):
    limit: int = Field(10, ge=1, le=100)


@router.get(
    "/similar/{recording_id}",
    responses=answers("FindSimilarResponse"),
    tags=["search"],
    operation_id="similar",
)
async def similar(
    recording_id: RecordingId,
    backend: BackendOf,
    metadata: MetadataOf,
    parameters: Annotated[SimilarParameters, Query()],
) -> Response:
    """Find the recordings that speak of the same, most alike first."""
    answer = await backend.search.FindSimilar(
        search_pb2.FindSimilarRequest(recording_id=str(recording_id), limit=parameters.limit),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    return JSONResponse(document(answer))


class TaskParameters(Strict):
    recording_id: uuid.UUID | None = None
    state: list[State] = Field([], max_length=5)
    page_size: int = Field(50, ge=1, le=1000)
    page_token: str = Field("", max_length=256)


@router.get("/tasks", responses=answers("ListWorkflowsResponse"), tags=["tasks"], operation_id="tasks")
async def tasks(
    parameters: Annotated[TaskParameters, Query()], backend: BackendOf, metadata: MetadataOf
) -> Response:
    """List the tasks, newest first. /ws tells how they go on."""
    answer = await backend.workflows.ListWorkflows(
        workflow_pb2.ListWorkflowsRequest(
            recording_id=str(parameters.recording_id or ""),
            states=[f"WORKFLOW_STATE_{state.upper()}" for state in parameters.state],
            page_size=parameters.page_size,
            page_token=parameters.page_token,
        ),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    return JSONResponse(document(answer))


@router.get("/tasks/{task_id}", responses=answers("Workflow"), tags=["tasks"], operation_id="task")
async def task(task_id: TaskId, backend: BackendOf, metadata: MetadataOf) -> Response:
    """Get one task."""
    answer = await backend.workflows.GetWorkflow(
        workflow_pb2.GetWorkflowRequest(workflow_id=str(task_id)), metadata=metadata, timeout=CALL_SECONDS
    )
    return JSONResponse(document(answer.workflow))


@router.post("/cancel", responses=answers("Workflow"), tags=["tasks"], operation_id="cancel")
async def cancel(body: CancelRequest, backend: BackendOf, metadata: MetadataOf) -> Response:
    """Stop a task, the inference that runs for it included. Results of finished stages stay."""
    answer = await backend.workflows.CancelWorkflow(
        workflow_pb2.CancelWorkflowRequest(request_id=request_id(None), workflow_id=str(body.task_id)),
        metadata=metadata,
        timeout=CALL_SECONDS,
    )
    return JSONResponse(document(answer.workflow))
