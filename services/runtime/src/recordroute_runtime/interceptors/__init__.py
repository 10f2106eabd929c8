"""The server interceptors of every service, outermost first."""

from __future__ import annotations

import grpc.aio

from recordroute_runtime.interceptors.deadline import DeadlineInterceptor
from recordroute_runtime.interceptors.errors import ErrorInterceptor
from recordroute_runtime.interceptors.observe import ObserveInterceptor
from recordroute_runtime.interceptors.validation import ValidationInterceptor


def server_interceptors() -> list[grpc.aio.ServerInterceptor]:
    """Returns a new chain: what it sees of a call is trace and metrics, then errors, deadline, validation."""
    return [ObserveInterceptor(), ErrorInterceptor(), DeadlineInterceptor(), ValidationInterceptor()]
