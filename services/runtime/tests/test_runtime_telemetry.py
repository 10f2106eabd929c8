"""What logs say, and what they must not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FAILING = """
import sys
import structlog
from recordroute_runtime.settings import CommonSettings
from recordroute_runtime.telemetry import configure_telemetry

configure_telemetry("stt", CommonSettings(log_format=sys.argv[1]))

def transcribe(text):
    raise ValueError("no such model")

try:
    transcribe("what was " + "said in confidence")
except ValueError:
    structlog.get_logger().exception("call failed", method="Transcribe")
"""


@pytest.mark.parametrize("log_format", ["human", "json"])
def test_a_failure_is_logged_with_its_place_and_without_the_variables(log_format: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FAILING, log_format], capture_output=True, text=True, check=True
    )
    assert "in transcribe" in ran.stderr
    assert "ValueError: no such model" in ran.stderr
    assert "said in confidence" not in ran.stderr
    if log_format == "json":
        assert json.loads(ran.stderr)["service"] == "stt"
