"""What exports look like, character for character."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from recordroute_gateway.clients.minutes import minutes_message, minutes_record
from recordroute_gateway.library.artifact_json import minutes_bytes, read_minutes, read_transcript
from recordroute_gateway.library.export import RENDERERS, clock
from recordroute_gateway.library.records import (
    Evidence,
    Minutes,
    MinutesField,
    MinutesItem,
    MinutesSection,
    Recording,
    Segment,
    Transcript,
    Word,
)

TIME = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
RECORDING = Recording("id", "local", "A *bold* [title]", "talk.mp3", 3725.5, "en", TIME, TIME)
TRANSCRIPT = Transcript(
    language="en",
    language_probability=0.9,
    duration=3725.5,
    model="m",
    segments=(
        Segment(0, 0.0, 1.9996, "Hello & <welcome>\nback", "Anna", (Word("Hello", 0.0, 0.5, 0.9),)),
        Segment(1, 3661.25, 3725.5, "안녕하세요"),
    ),
)
MINUTES = Minutes(
    language="en",
    overview="They greet.",
    model="l",
    sections=(
        MinutesSection(
            "decisions", (MinutesItem("Say #hello", (Evidence(1, 3661.25, 3725.5, "", "안녕하세요"),)),)
        ),
        MinutesSection(
            "custom",
            (
                MinutesItem(
                    "Anna greets.",
                    (Evidence(0, 0.0, 1.9996, "Anna", "Hello"),),
                    (MinutesField("who", "Anna"), MinutesField("sum", "*none*")),
                ),
            ),
            "Greetings & more",
        ),
    ),
    template="weekly",
)


def render(kind: str, minutes: Minutes | None = MINUTES) -> str:
    return RENDERERS[kind](RECORDING, TRANSCRIPT, minutes)


def test_txt() -> None:
    assert render("txt") == (
        "[00:00:00 - 00:00:02] Anna: Hello & <welcome> back\n[01:01:01 - 01:02:06] 안녕하세요\n"
    )


def test_srt() -> None:
    assert render("srt") == (
        "1\n00:00:00,000 --> 00:00:02,000\nAnna: Hello & <welcome> back\n"
        "\n2\n01:01:01,250 --> 01:02:05,500\n안녕하세요\n"
    )


def test_vtt() -> None:
    assert render("vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n<v Anna>Hello &amp; &lt;welcome&gt; back\n"
        "\n01:01:01.250 --> 01:02:05.500\n안녕하세요\n"
    )


def test_markdown_is_escaped_and_names_the_places() -> None:
    text = render("md")
    assert text.startswith("# A \\*bold\\* \\[title\\]\n")
    assert "### Decisions\n\n- Say \\#hello (01:01:01)\n" in text
    assert "### Greetings & more\n\n- Anna greets. (00:00:00)\n  - who: Anna\n  - sum: \\*none\\*\n" in text
    assert "**00:00:00** Anna: Hello & \\<welcome\\> back" in text
    assert "## Minutes" not in render("md", None)


def test_json_holds_everything() -> None:
    value = json.loads(render("json"))
    assert read_transcript(json.dumps(value["transcript"]).encode()) == TRANSCRIPT
    assert read_minutes(json.dumps(value["minutes"]).encode()) == MINUTES
    assert json.loads(render("json", None))["minutes"] is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00:00.000"), (59.9996, "00:01:00.000"), (359999.999, "99:59:59.999")]
)
def test_clock_rounds_over_the_minute(seconds: float, text: str) -> None:
    assert clock(seconds, separator=".", digits=3) == text


def test_minutes_of_before_templates_can_still_be_read() -> None:
    value = json.loads(minutes_bytes(MINUTES))
    del value["template"]
    for section in value["sections"]:
        del section["title"]
        for item in section["items"]:
            del item["fields"]
    old = read_minutes(json.dumps(value).encode())
    assert (old.template, [section.title for section in old.sections]) == ("", ["", ""])
    assert old.sections[1].items[0].fields == ()
    assert "### Decisions\n" in render("md", old)
    assert "### More\n" in render("md", old)


def test_minutes_go_over_the_wire_and_back() -> None:
    message = minutes_message(MINUTES)
    assert message.sections[1].title == "Greetings & more"
    assert message.sections[1].items[0].fields[1].value == "*none*"
    assert minutes_record(message) == MINUTES
