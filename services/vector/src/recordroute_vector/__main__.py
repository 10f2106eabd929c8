"""Runs the vector service: `python -m recordroute_vector`."""

from recordroute_runtime.server import serve

from recordroute_vector.service import make_service
from recordroute_vector.settings import VectorSettings

if __name__ == "__main__":
    serve("vector", VectorSettings, make_service)
