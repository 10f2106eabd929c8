"""`python -m recordroute_gateway`."""

from __future__ import annotations

from recordroute_runtime.server import Service, serve
from recordroute_runtime.settings import CommonSettings

from recordroute_gateway.settings import GatewaySettings


async def make(settings: GatewaySettings, common: CommonSettings) -> Service:
    from recordroute_gateway.service import GatewayService

    return GatewayService(settings, common)


if __name__ == "__main__":
    serve("gateway", GatewaySettings, make)
