"""Templates of minutes: the format, its errors with their lines, the built-in ones, the operator's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from recordroute_llm.templates import (
    FieldType,
    Kind,
    TemplateField,
    TemplateSection,
    load_templates,
    parse_template,
    to_markdown,
)
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.settings import SettingsError

WEEKLY = """
# Weekly sync

## Decided {decisions}
What was decided.

## Budget
Every amount of money, and for what.
- who: person
- sum: amount
"""


def test_template_is_read() -> None:
    template = parse_template(WEEKLY)
    assert template.name == "Weekly sync"
    assert template.sections == (
        TemplateSection(Kind.DECISIONS, "Decided", "What was decided."),
        TemplateSection(
            Kind.CUSTOM,
            "Budget",
            "Every amount of money, and for what.",
            (TemplateField("who", FieldType.PERSON), TemplateField("sum", FieldType.AMOUNT)),
        ),
    )


@pytest.mark.parametrize(
    ("text", "line", "problem", "words"),
    [
        ("", 1, "NO_SECTION", "at least one section"),
        ("# A\n", 2, "NO_SECTION", "at least one section"),
        ("Hello", 1, "BAD_BEGINNING", "expected '# Name'"),
        ("#Name\n", 1, "BAD_NAME", "expected '# Name'"),
        ("# A\n# B", 2, "SECOND_NAME", "one name"),
        ("## S\nText.", 1, "NAME_COMES_FIRST", "name of the template comes first"),
        ("# A\n## S {songs}\nText.", 2, "UNKNOWN_KIND", "unknown kind 'songs'"),
        ("# A\n## S {}\nText.", 2, "UNKNOWN_KIND", "unknown kind ''"),
        ("# A\n## {topics}\nText.", 2, "BAD_SECTION", "expected '## Section title {kind}'"),
        ("# A\n## S\n\n## T\nText.", 4, "NO_INSTRUCTION", "'S' above has no line"),
        ("# A\n## S", 3, "NO_INSTRUCTION", "'S' above has no line"),
        ("# A\n## S\nText.\nMore.", 4, "SECOND_INSTRUCTION", "one line of instruction"),
        ("# A\n## S\n- a: text", 3, "INSTRUCTION_COMES_FIRST", "before its fields"),
        ("# A\n## S\nText.\n- a text", 4, "BAD_FIELD", "expected '- name: type'"),
        ("# A\n## S\nText.\n- a: number", 4, "UNKNOWN_TYPE", "unknown type 'number'"),
        ("# A\n## S\nText.\n- a: text\n- a: date", 5, "SECOND_FIELD", "second field 'a'"),
        ("# A\n## S {topics}\nText.\n- a: text", 4, "NO_FIELDS_IN_KIND", "kind topics has no fields"),
        (
            "# A\n## S {action_items}\nText.\n- cost: amount",
            4,
            "UNKNOWN_ACTION_FIELD",
            "action items have the fields owner",
        ),
        ("# A\n## S\nText.\n## S\nText.", 4, "SECOND_TITLE", "second section 'S'"),
        ("# A\n## S {risks}\nText.\n## T {risks}\nText.", 4, "SECOND_KIND", "second section of kind risks"),
        (
            "# A\n" + "".join(f"## S{n}\nText.\n" for n in range(13)),
            26,
            "TOO_MANY_SECTIONS",
            "more than 12 sections",
        ),
        (
            "# A\n## S\nText.\n" + "".join(f"- f{n}: text\n" for n in range(9)),
            12,
            "TOO_MANY_FIELDS",
            "more than 8 fields",
        ),
        ("# A\n## S\n" + "x" * 301, 3, "LINE_TOO_LONG", "longer than 300"),
    ],
)
def test_mistake_is_named_with_its_line(text: str, line: int, problem: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_template(text)
    assert caught.value.reason == "BAD_TEMPLATE"
    assert caught.value.metadata["line"] == str(line)
    assert caught.value.metadata["problem"] == problem
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("# A\n## S {songs}\nText.", {"found": "songs", "known": ", ".join(kind.value for kind in Kind)}),
        ("# A\n## S\nText.\n- a: number", {"found": "number", "known": "text, person, date, amount"}),
        ("# A\n## S", {"title": "S"}),
        ("# A\n## S\nText.\n- a: text\n- a: date", {"name": "a"}),
        ("# A\n## S\n" + "x" * 301, {"limit": "300"}),
    ],
)
def test_mistake_can_be_said_in_another_language(text: str, details: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_template(text)
    metadata = caught.value.metadata
    assert {key: metadata[key] for key in metadata.keys() - {"line", "problem"}} == details


@pytest.mark.parametrize("name", ["meeting", "lecture", "interview", "call", "free"])
def test_built_in_templates_are_the_same_in_both_languages(name: str) -> None:
    templates = load_templates()
    english, korean = templates.get(name, "", "en"), templates.get(name, "", "ko")
    assert english.name == korean.name == name
    assert [(section.kind, section.fields) for section in english.sections] == [
        (section.kind, section.fields) for section in korean.sections
    ]
    assert all("가" <= section.title[0] <= "힣" for section in korean.sections)
    assert templates.get(name, "", "fr") == english


def test_meeting_is_the_default_and_has_six_sections() -> None:
    template = load_templates().get("", "", "en")
    assert [section.kind for section in template.sections] == [
        Kind.TOPICS,
        Kind.KEY_POINTS,
        Kind.DECISIONS,
        Kind.ACTION_ITEMS,
        Kind.RISKS,
        Kind.NEXT_STEPS,
    ]


def test_operator_s_templates_win(tmp_path: Path) -> None:
    (tmp_path / "weekly.md").write_text(WEEKLY)
    (tmp_path / "meeting.ko.md").write_text(WEEKLY)
    (tmp_path / "notes.txt").write_text("Not a template.")
    templates = load_templates(tmp_path)
    assert templates.get("weekly", "", "ko").sections[1].title == "Budget"
    assert templates.get("meeting", "", "en").sections[0].title == "Decided"
    assert templates.get("weekly", "# Own\n## S\nText.", "en").name == "Own"
    with pytest.raises(InvalidInput, match="there are call, free, interview, lecture, meeting, weekly"):
        templates.get("other", "", "en")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [("Weekly.md", WEEKLY, "name of a template"), ("weekly.md", "# A", "line 2: a template has at least")],
)
def test_bad_file_stops_the_start(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        load_templates(tmp_path)
    assert name in str(caught.value)


def test_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a folder"):
        load_templates(tmp_path / "absent")


def test_templates_are_listed_as_they_are_read() -> None:
    templates = load_templates()
    english, korean = templates.listed("fr"), templates.listed("ko")
    assert list(english) == ["call", "free", "interview", "lecture", "meeting"]
    assert english["meeting"].name == "Meeting"
    assert english["meeting"] != korean["meeting"]
    for template in (*english.values(), *korean.values(), parse_template(WEEKLY)):
        assert parse_template(to_markdown(template)) == template
