"""Asks a server for its health: `python -m recordroute_runtime.probe ADDRESS`; exit status 0 means SERVING."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def probe(address: str, service: str, timeout: float) -> str:
    """Returns the health of a server as its enum's name, or the status code of a failed call."""
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout, wait_for_ready=True
            )
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="host:port or unix:/path")
    parser.add_argument(
        "--service", default="", help="full name of a gRPC service; default: the whole server"
    )
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds to wait for the answer")
    arguments = parser.parse_args()
    health = probe(arguments.address, arguments.service, arguments.timeout)
    print(health)
    sys.exit(health != "SERVING")


if __name__ == "__main__":
    main()
