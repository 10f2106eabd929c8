"""The server interceptors of every service, outermost first."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import grpc.aio

from recordroute_runtime.interceptors.deadline import DeadlineInterceptor
from recordroute_runtime.interceptors.errors import ErrorInterceptor
from recordroute_runtime.interceptors.observe import ObserveInterceptor
from recordroute_runtime.interceptors.validation import ValidationInterceptor


def server_interceptors(
    own: Sequence[grpc.aio.ServerInterceptor] = (), *, quiet: Collection[str] = ()
) -> list[grpc.aio.ServerInterceptor]:
    """Returns a new chain: trace and metrics, then errors, deadline, the service's `own`, validation; `quiet` as in
    `ObserveInterceptor`."""
    outer = [ObserveInterceptor(quiet), ErrorInterceptor(), DeadlineInterceptor()]
    return [*outer, *own, ValidationInterceptor()]
