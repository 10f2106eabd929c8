"""The server interceptors of every service, outermost first."""

from __future__ import annotations

from collections.abc import Sequence

import grpc.aio

from recordroute_runtime.interceptors.deadline import DeadlineInterceptor
from recordroute_runtime.interceptors.errors import ErrorInterceptor
from recordroute_runtime.interceptors.observe import ObserveInterceptor
from recordroute_runtime.interceptors.validation import ValidationInterceptor


def server_interceptors(
    own: Sequence[grpc.aio.ServerInterceptor] = (),
) -> list[grpc.aio.ServerInterceptor]:
    """Returns a new chain: trace and metrics, then errors, deadline, the service's `own`, validation."""
    return [ObserveInterceptor(), ErrorInterceptor(), DeadlineInterceptor(), *own, ValidationInterceptor()]
