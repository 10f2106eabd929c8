"""The arithmetic and the looks of the progress display."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from recordroute.gateway.v1 import workflow_pb2
from recordroute_cli.dates import parse_moment
from recordroute_cli.errors import CommandError
from recordroute_cli.progress import LiveDisplay, Stage
from recordroute_cli.render import clock, size
from recordroute_runtime.wire import to_timestamp
from rich.console import Console

BEGIN = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


def event(stage: int, state: int, percent: float = 0.0, at: float = 0.0) -> workflow_pb2.WorkflowEvent:
    time = to_timestamp(datetime.fromtimestamp(BEGIN + at, UTC))
    return workflow_pb2.WorkflowEvent(sequence=1, time=time, stage=stage, state=state, percent=percent)


def shown(display: LiveDisplay, at: float) -> list[str]:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(display._table(BEGIN + at))
    return console.file.getvalue().splitlines()


def test_remaining_time():
    stage = Stage("transcribe")
    assert stage.elapsed(10.0) is None
    stage.state, stage.started, stage.percent = "running", 100.0, 0.5
    assert stage.remaining(110.0) is None
    stage.percent = 25.0
    assert stage.elapsed(110.0) == 10.0
    assert stage.remaining(110.0) == 30.0
    stage.state, stage.ended = "succeeded", 140.0
    assert (stage.elapsed(999.0), stage.remaining(999.0)) == (40.0, None)


def test_one_file_has_a_row_for_each_stage():
    display = LiveDisplay(Console(file=io.StringIO()))
    item = display.add("[red].mp3", upload=True)
    display.sent(item, 500_000, 1_000_000)
    display.uploaded(item, "w")
    display.event(item, event(1, 2, at=0))
    display.event(item, event(1, 2, 25.0, at=10))
    display.event(item, event(2, 6))
    rows = shown(display, 20)
    assert [row.split()[1] for row in rows] == ["upload", "transcribe", "summarise", "embed", "index"]
    assert rows[0].startswith("✓")
    assert "25 %" in rows[1]
    assert "0:20 1:00 left" in rows[1]
    assert rows[2].rstrip().endswith("skipped")
    assert "%" not in rows[3]


def test_several_files_have_a_row_each():
    display = LiveDisplay(Console(file=io.StringIO()))
    first, second = display.add("[red].mp3", upload=True), display.add("b.mp3", upload=True)
    display.uploaded(first, "w")
    display.event(first, event(3, 2, 40.0))
    display.failed(second, CommandError("the file is not media"))
    rows = shown(display, 1)
    assert len(rows) == 2
    assert "[red].mp3" in rows[0]
    assert "embed" in rows[0]
    assert rows[1].startswith("✗ b.mp3")
    display.event(first, event(0, 3))
    assert shown(display, 1)[0].startswith("✓ [red].mp3")


def test_a_lost_server_is_told_beside_the_stage_that_runs():
    display = LiveDisplay(Console(file=io.StringIO()))
    item = display.add("a.mp3")
    display.event(item, event(1, 2, 25.0))
    display.lost(item)
    assert "the server does not answer" in shown(display, 1)[0]
    display.event(item, event(1, 2, 30.0))
    assert "does not answer" not in "".join(shown(display, 1))


def test_a_retried_stage_begins_anew():
    display = LiveDisplay(Console(file=io.StringIO()))
    item = display.add("a.mp3")
    display.event(item, event(1, 2, at=0))
    display.event(item, event(1, 4, 60.0, at=5))
    display.event(item, event(1, 2, at=100))
    assert item.stage("transcribe").elapsed(BEGIN + 103) == 3.0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3599, "59:59"), (36_000, "10:00:00")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_900, "1.0 MB"), (5e13, "50.0 TB")]
)
def test_size(count, text):
    assert size(count) == text


def test_moments():
    assert parse_moment("2026-01-31T10:00:00+09:00", "--to") == datetime(2026, 1, 31, 1, tzinfo=UTC)
    day = parse_moment("2026-01-31", "--from")
    assert (parse_moment("2026-01-31", "--to", end_of_day=True) - day).total_seconds() == 24 * 3600
    assert parse_moment("2026-01-31T00:00", "--to", end_of_day=True) == day
    for text in ("yesterday", "2026-13-01", "0001-01-01"):
        with pytest.raises(CommandError, match="is not a date"):
            parse_moment(text, "--from")
