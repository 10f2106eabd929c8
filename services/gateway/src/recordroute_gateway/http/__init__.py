"""The HTTP edge of the gateway: one ASGI application beside its gRPC server."""
