"""Runs the speech service: `python -m recordroute_stt`."""

from recordroute_runtime.server import serve

from recordroute_stt.service import make_service
from recordroute_stt.settings import SttSettings

if __name__ == "__main__":
    serve("stt", SttSettings, make_service)
