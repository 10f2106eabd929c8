"""Reads what a failed call says: the client's side of the error catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import grpc
import grpc.aio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# The call may not have reached the service, or the service died in it. CANCELLED and UNKNOWN come from a service
# that was stopped in the middle of a stream; refusals of ours always carry a reason.
BROKEN_CALL = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)


@dataclass(frozen=True)
class RemoteError:
    """A failed call: status, stable reason (empty where the other side gave none), sentence, trace id, and the values
    in the sentence by name."""

    code: grpc.StatusCode
    reason: str
    message: str
    trace_id: str
    retry_after: timedelta | None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def can_retry(self) -> bool:
        """Whether the same call can succeed later."""
        return self.retry_after is not None or (not self.reason and self.code in BROKEN_CALL)


def read_error(error: grpc.Call | grpc.aio.AioRpcError) -> RemoteError:
    """Returns what a failed call says, of the blocking client or of grpc.aio."""
    reason, trace_id, retry_after = "", "", None
    metadata: dict[str, str] = {}
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # it reads what both kinds have
    for detail in status.details if status is not None else ():
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
            trace_id = metadata.pop("trace_id", "")
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta()
    return RemoteError(
        code=error.code(),
        reason=reason,
        message=error.details() or "",
        trace_id=trace_id,
        retry_after=retry_after,
        metadata=metadata,
    )
