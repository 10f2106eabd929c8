"""Every reason that a user of the page can meet has words of the page's own."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web/src"
REASON = re.compile(r"[A-Z]{2,}(_[A-Z]+)*")
# What carries a reason as its first argument.
ERRORS = {
    *(
        "InvalidInput",
        "OutOfRange",
        "NotFound",
        "Unauthenticated",
        "PermissionDenied",
        "Conflict",
        "Outdated",
    ),
    *("PreconditionFailed", "RateLimited", "QuotaExceeded", "ProcessingFailed", "Failure", "Trouble"),
    *("Refused", "Warned", "TooMany", "SessionAway"),
}
# The page never makes such a call: they are for programs, for the command line, or for the services among themselves.
NOT_OF_THE_PAGE = {
    *(
        "AUDIO",
        "AUDIO_TOO_FAST",
        "AUDIO_UNREADABLE",
        "CANCELLED",
        "FRAME",
        "METADATA",
        "TIMEOUT",
        "STREAM_PROTOCOL",
        "FIELD_MASK",
        "RANGE",
    ),
    *("BAD_ARCHIVE", "BAD_CHAT", "CHUNK_OUT_OF_RANGE", "DEADLINE_REQUIRED", "DIMENSION_MISMATCH"),
    *("DOCUMENT_NOT_FOUND", "INDEX_SERVER", "MODEL_MISMATCH", "PAGE_TOKEN_INVALID", "PASSAGE_NOT_FOUND"),
    *("RERANKER_MISSING", "SNAPSHOT_INVALID", "TEXT_TOO_LONG", "TOKEN_OUT_OF_RANGE", "TOKEN_VECTORS_MISSING"),
    *("TOO_MANY_DIMENSIONS", "TOO_MANY_PASSAGES", "TOO_MANY_TOKENS", "UNSUPPORTED_SCHEMA"),
    *("VECTOR_NOT_NORMALISED", "VECTORS_MISSING", "VOICE_UNREADABLE"),
    # A service that can't load is not ready, and the reason stands in its log.
    *("DEVICE_MISSING", "INDEX_IN_USE", "INDEX_MODEL_MISMATCH", "INDEX_UNREADABLE", "SETTINGS_INVALID"),
}
# The page acts on them in place of telling them.
ACTED_ON = {
    *("AUDIO_AHEAD", "CAPTIONS_RESUMED", "CAPTIONS_SKIPPED", "DUPLICATE_RECORDING", "SESSION_ENDED"),
    *("SESSION_NOT_FOUND", "TOO_MANY_GAPS"),
}


def reasons_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        is_error = name in ERRORS or (name == "__init__" and isinstance(first, ast.Constant))
        if is_error and isinstance(first, ast.Constant) and REASON.fullmatch(str(first.value)):
            yield str(first.value)


@pytest.fixture(scope="module")
def reasons() -> set[str]:
    """The reasons that services raise."""
    return {
        reason
        for path in ROOT.glob("services/*/src/**/*.py")
        if path.is_file()
        for reason in reasons_in(path)
    }


def translated() -> set[str]:
    keys = {key for path in WEB.rglob("locales/en.json") for key in json.loads(path.read_text())}
    return {key.removeprefix("trouble_") for key in keys}


def test_every_reason_has_words(reasons: set[str]) -> None:
    assert {"MODEL_MISSING", "WEBHOOK_REFUSED", "SERVICE_UNREACHABLE", "NOT_SYNCED"} <= reasons
    assert reasons - translated() - NOT_OF_THE_PAGE - ACTED_ON == set()


def test_no_reason_is_let_off_without_need(reasons: set[str]) -> None:
    assert reasons >= NOT_OF_THE_PAGE | ACTED_ON
    assert translated() & (NOT_OF_THE_PAGE | ACTED_ON) == set()


def test_the_page_acts_on_what_it_does_not_tell() -> None:
    code = "".join(
        path.read_text()
        for path in WEB.rglob("*.ts*")
        if "gen" not in path.parts and ".test." not in path.name
    )
    assert {reason for reason in ACTED_ON if not re.search(rf"\b{reason}\b", code)} == set()
