"""Asks a server for its health: `python -m recordroute_runtime.probe ADDRESS`; exit status 0 means SERVING."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recordroute_runtime.tls import ClientTls


def probe(address: str, service: str, timeout: float, tls: ClientTls | None = None) -> str:
    """Returns the health of a server as its enum's name, or the status code of a failed call."""
    options = [("grpc.enable_http_proxy", 0)]
    with (
        grpc.insecure_channel(address, options=options)
        if tls is None
        else grpc.secure_channel(address, tls.credentials(), options=options)
    ) as channel:
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
    parser.add_argument("--tls-ca", type=Path, help="PEM file of authorities: the server is asked over TLS")
    parser.add_argument("--tls-cert", type=Path, help="PEM file of a certificate to show (mTLS)")
    parser.add_argument("--tls-key", type=Path, help="PEM file of that certificate's key")
    arguments = parser.parse_args()
    files = (arguments.tls_ca, arguments.tls_cert, arguments.tls_key)
    tls = ClientTls(*(path.read_bytes() if path else None for path in files)) if any(files) else None
    health = probe(arguments.address, arguments.service, arguments.timeout, tls)
    print(health)
    sys.exit(health != "SERVING")


if __name__ == "__main__":
    main()
