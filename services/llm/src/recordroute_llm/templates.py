"""Templates of minutes: which sections they have, in Markdown.

    # Weekly sync

    ## Decisions {decisions}
    What was decided.

    ## Budget {custom}
    Every amount of money that is spoken of, and for what.
    - who: person
    - sum: amount

A heading of the first level names the template, each of the second level a section, with its kind in braces (without
braces: custom). One line below it tells the model what belongs there, and a line `- name: type` for each field takes
a part out of every item: text, person, date or amount. Blank lines are free; anything else is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol

from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.settings import SettingsError

DEFAULT = "meeting"
SECTIONS = 12
FIELDS = 8
LINE_CHARACTERS = 300

_NAME = re.compile(r"#\s+(?P<name>\S.*)")
_SECTION = re.compile(r"##\s+(?P<title>[^{}]*[^{}\s])\s*(?:\{(?P<kind>[^{}]*)\})?")
_FIELD = re.compile(r"-\s+(?P<name>[^:|]*[^:|\s])\s*:\s*(?P<type>\S+)")
_FILE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}(?:\.[a-z]{2,3})?\.md")


class Kind(Enum):
    """The kinds of sections."""

    TOPICS = "topics"
    KEY_POINTS = "key_points"
    DECISIONS = "decisions"
    ACTION_ITEMS = "action_items"
    RISKS = "risks"
    NEXT_STEPS = "next_steps"
    CUSTOM = "custom"


class FieldType(Enum):
    """What a field of an item holds."""

    TEXT = "text"
    PERSON = "person"
    DATE = "date"
    AMOUNT = "amount"


class _Fail(Protocol):
    def __call__(self, problem: str, message: str, **details: object) -> InvalidInput: ...


# Action items have these by themselves.
ACTION_FIELDS = ("owner", "task", "due")


@dataclass(frozen=True)
class TemplateField:
    """A part of every item of a section."""

    name: str
    type: FieldType


@dataclass(frozen=True)
class TemplateSection:
    """A section, and in one line what belongs there."""

    kind: Kind
    title: str
    instruction: str
    fields: tuple[TemplateField, ...] = ()


@dataclass(frozen=True)
class Template:
    """The sections of minutes in the order in which they are shown."""

    name: str
    sections: tuple[TemplateSection, ...]


def parse_template(text: str) -> Template:
    """Reads a template.

    Raises InvalidInput (BAD_TEMPLATE). Its metadata have the line, the stable name of the problem, and what its message
    tells beside: for clients that say it in another language.
    """
    name = ""
    sections: list[TemplateSection] = []
    place = 0

    def fail(problem: str, message: str, **details: object) -> InvalidInput:
        metadata = {"line": place, "problem": problem, **details}
        return InvalidInput(
            "BAD_TEMPLATE",
            f"line {place}: {message}",
            metadata={key: str(value) for key, value in metadata.items()},
        )

    def check_last() -> None:
        if sections and not sections[-1].instruction:
            title = sections[-1].title
            raise fail(
                "NO_INSTRUCTION",
                f"section {title!r} above has no line that says what belongs there",
                title=title,
            )

    for place, raw in enumerate(text.splitlines(), 1):  # noqa: B007 - what `fail` tells
        line = raw.strip()
        if not line:
            continue
        if len(line) > LINE_CHARACTERS:
            raise fail("LINE_TOO_LONG", f"longer than {LINE_CHARACTERS} characters", limit=LINE_CHARACTERS)
        if line.startswith("##"):
            check_last()
            sections.append(_section(line, name, sections, fail))
        elif line.startswith("#"):
            match = _NAME.fullmatch(line)
            if name:
                raise fail("SECOND_NAME", "a template has one name")
            if match is None:
                raise fail("BAD_NAME", "expected '# Name'")
            name = match["name"]
        elif not sections:
            raise fail("BAD_BEGINNING", "expected '# Name', then '## Section title {kind}'")
        elif line.startswith("-"):
            sections[-1] = _with_field(sections[-1], line, fail)
        elif sections[-1].instruction:
            raise fail(
                "SECOND_INSTRUCTION", "a section has one line of instruction, then fields '- name: type'"
            )
        else:
            sections[-1] = replace(sections[-1], instruction=line)
    place += 1
    check_last()
    if not sections:
        raise fail("NO_SECTION", "a template has at least one section '## Section title {kind}'")
    return Template(name, tuple(sections))


def to_markdown(template: Template) -> str:
    """Returns a template in Markdown, as `parse_template` reads it."""
    parts = [f"# {template.name}\n"]
    for section in template.sections:
        lines = [f"## {section.title} {{{section.kind.value}}}", section.instruction]
        lines += [f"- {part.name}: {part.type.value}" for part in section.fields]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _section(line: str, name: str, before: list[TemplateSection], fail: _Fail) -> TemplateSection:
    match = _SECTION.fullmatch(line)
    if match is None:
        raise fail("BAD_SECTION", "expected '## Section title {kind}'")
    if not name:
        raise fail("NAME_COMES_FIRST", "the name of the template comes first: '# Name'")
    if len(before) == SECTIONS:
        raise fail("TOO_MANY_SECTIONS", f"more than {SECTIONS} sections", limit=SECTIONS)
    try:
        kind = Kind(match["kind"] if match["kind"] is not None else "custom")
    except ValueError:
        found, known = match["kind"], ", ".join(kind.value for kind in Kind)
        raise fail(
            "UNKNOWN_KIND", f"unknown kind {found!r}; there are {known}", found=found, known=known
        ) from None
    title = match["title"]
    if any(title == other.title for other in before):
        raise fail("SECOND_TITLE", f"a second section {title!r}", title=title)
    if kind is not Kind.CUSTOM and any(kind is other.kind for other in before):
        raise fail("SECOND_KIND", f"a second section of kind {kind.value}", kind=kind.value)
    return TemplateSection(kind, title, "")


def _with_field(section: TemplateSection, line: str, fail: _Fail) -> TemplateSection:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise fail("BAD_FIELD", "expected '- name: type'")
    if not section.instruction:
        raise fail(
            "INSTRUCTION_COMES_FIRST",
            "the line that says what belongs in the section comes before its fields",
        )
    if section.kind not in (Kind.CUSTOM, Kind.ACTION_ITEMS):
        kind = section.kind.value
        raise fail("NO_FIELDS_IN_KIND", f"a section of kind {kind} has no fields", kind=kind)
    if len(section.fields) == FIELDS:
        raise fail("TOO_MANY_FIELDS", f"more than {FIELDS} fields", limit=FIELDS)
    name = match["name"]
    if any(name == other.name for other in section.fields):
        raise fail("SECOND_FIELD", f"a second field {name!r}", name=name)
    if section.kind is Kind.ACTION_ITEMS and name not in ACTION_FIELDS:
        known = ", ".join(ACTION_FIELDS)
        raise fail("UNKNOWN_ACTION_FIELD", f"action items have the fields {known}", known=known)
    try:
        field_type = FieldType(match["type"])
    except ValueError:
        found, known = match["type"], ", ".join(each.value for each in FieldType)
        raise fail(
            "UNKNOWN_TYPE", f"unknown type {found!r}; there are {known}", found=found, known=known
        ) from None
    return replace(section, fields=(*section.fields, TemplateField(name, field_type)))


@dataclass(frozen=True)
class Templates:
    """Templates by name and language: the built-in ones, and the operator's, which win."""

    by_name: dict[str, dict[str, Template]] = field(default_factory=dict)

    def get(self, name: str, markdown: str, language: str) -> Template:
        """Returns the template in `markdown`, or the one called `name` in a language, in English where there is none.

        Raises InvalidInput (BAD_TEMPLATE).
        """
        if markdown:
            return parse_template(markdown)
        languages = self.by_name.get(name or DEFAULT)
        if languages is None:
            raise InvalidInput(
                "BAD_TEMPLATE", f"there is no template {name!r}; there are {', '.join(sorted(self.by_name))}"
            )
        found = languages.get(language) or languages.get("en") or next(iter(languages.values()))
        return replace(found, name=name or DEFAULT)

    def listed(self, language: str) -> dict[str, Template]:
        """Returns the templates by name, in a language where they are there in it, under the titles of their files."""
        return {
            name: languages.get(language) or languages.get("en") or next(iter(languages.values()))
            for name, languages in sorted(self.by_name.items())
        }


def load_templates(folder: Path | None = None) -> Templates:
    """Reads the built-in templates and those of a folder: `<name>.md` (English, or the only one) and
    `<name>.<language>.md`.

    Raises SettingsError that names the file and the line.
    """
    found: dict[str, dict[str, Template]] = {}
    builtin = resources.files("recordroute_llm") / "templates"
    for file in sorted(builtin.iterdir(), key=lambda file: file.name):
        _add(found, file)
    if folder is not None:
        if not folder.is_dir():
            raise SettingsError(f"templates_dir: {folder} is not a folder")
        own: dict[str, dict[str, Template]] = {}
        for path in sorted(folder.glob("*.md")):
            _add(own, path)
        found |= own
    return Templates(found)


def _add(found: dict[str, dict[str, Template]], file: Traversable) -> None:
    if not _FILE.fullmatch(file.name):
        raise SettingsError(f"{file}: the name of a template is like weekly-sync.md or weekly-sync.ko.md")
    name, _, rest = file.name.removesuffix(".md").partition(".")
    try:
        found.setdefault(name, {})[rest or "en"] = parse_template(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    except InvalidInput as error:
        raise SettingsError(f"{file}: {error.message}") from error
