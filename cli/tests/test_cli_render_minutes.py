"""How minutes look in the terminal."""

from __future__ import annotations

from io import StringIO

from recordroute.common.v1 import minutes_pb2
from recordroute_cli.render import print_minutes
from recordroute_runtime.wire import to_duration
from rich.console import Console


def test_headings_are_the_template_s_and_fields_stand_below_their_line() -> None:
    evidence = minutes_pb2.Evidence(start=to_duration(65.0))
    item = minutes_pb2.MinutesItem(
        text="Ben: I'll call them.",
        evidence=[evidence],
        fields=[minutes_pb2.MinutesField(name="owner", value="Ben")],
    )
    old = minutes_pb2.MinutesSection(kind=minutes_pb2.MINUTES_SECTION_KIND_RISKS, items=[item])
    new = minutes_pb2.MinutesSection(
        kind=minutes_pb2.MINUTES_SECTION_KIND_CUSTOM, title="[Calls]", items=[item]
    )
    out = StringIO()
    print_minutes(Console(file=out, width=80), minutes_pb2.Minutes(sections=[old, new]))
    lines = [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]
    body = ["  • Ben: I'll call them.  1:05", "    owner: Ben"]
    assert lines == ["Risks and issues", *body, "[Calls]", *body]


def test_places_of_documents_are_their_pages_and_lines() -> None:
    items = [
        minutes_pb2.MinutesItem(text="The library opens.", evidence=[minutes_pb2.Evidence(page=3)]),
        minutes_pb2.MinutesItem(text="It closes.", evidence=[minutes_pb2.Evidence(line=12)], done=True),
    ]
    section = minutes_pb2.MinutesSection(
        kind=minutes_pb2.MINUTES_SECTION_KIND_KEY_POINTS, title="Points", items=items
    )
    out = StringIO()
    print_minutes(Console(file=out, width=80), minutes_pb2.Minutes(sections=[section]), numbered=True)
    assert [line.rstrip() for line in out.getvalue().splitlines() if line.strip()] == [
        "Points",
        "    1  The library opens.  page 3",
        "    2  [x] It closes.  line 12",
    ]
