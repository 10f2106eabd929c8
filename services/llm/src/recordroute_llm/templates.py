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
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

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


_Fail = Callable[[str], InvalidInput]

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
    """Reads a template. Raises InvalidInput (BAD_TEMPLATE) that names the line."""
    name = ""
    sections: list[TemplateSection] = []
    place = 0

    def fail(message: str) -> InvalidInput:
        return InvalidInput("BAD_TEMPLATE", f"line {place}: {message}", metadata={"line": str(place)})

    def check_last() -> None:
        if sections and not sections[-1].instruction:
            raise fail(f"section {sections[-1].title!r} above has no line that says what belongs there")

    for place, raw in enumerate(text.splitlines(), 1):  # noqa: B007 - what `fail` tells
        line = raw.strip()
        if not line:
            continue
        if len(line) > LINE_CHARACTERS:
            raise fail(f"longer than {LINE_CHARACTERS} characters")
        if line.startswith("##"):
            check_last()
            sections.append(_section(line, name, sections, fail))
        elif line.startswith("#"):
            match = _NAME.fullmatch(line)
            if match is None or name:
                raise fail("a template has one name" if name else "expected '# Name'")
            name = match["name"]
        elif not sections:
            raise fail("expected '# Name', then '## Section title {kind}'")
        elif line.startswith("-"):
            sections[-1] = _with_field(sections[-1], line, fail)
        elif sections[-1].instruction:
            raise fail("a section has one line of instruction, then fields '- name: type'")
        else:
            sections[-1] = replace(sections[-1], instruction=line)
    place += 1
    check_last()
    if not sections:
        raise fail("a template has at least one section '## Section title {kind}'")
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
        raise fail("expected '## Section title {kind}'")
    if not name:
        raise fail("the name of the template comes first: '# Name'")
    if len(before) == SECTIONS:
        raise fail(f"more than {SECTIONS} sections")
    try:
        kind = Kind(match["kind"] if match["kind"] is not None else "custom")
    except ValueError:
        raise fail(
            f"unknown kind {match['kind']!r}; there are {', '.join(known.value for known in Kind)}"
        ) from None
    title = match["title"]
    if any(title == other.title for other in before):
        raise fail(f"a second section {title!r}")
    if kind is not Kind.CUSTOM and any(kind is other.kind for other in before):
        raise fail(f"a second section of kind {kind.value}")
    return TemplateSection(kind, title, "")


def _with_field(section: TemplateSection, line: str, fail: _Fail) -> TemplateSection:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise fail("expected '- name: type'")
    if not section.instruction:
        raise fail("the line that says what belongs in the section comes before its fields")
    if section.kind not in (Kind.CUSTOM, Kind.ACTION_ITEMS):
        raise fail(f"a section of kind {section.kind.value} has no fields")
    if len(section.fields) == FIELDS:
        raise fail(f"more than {FIELDS} fields")
    name = match["name"]
    if any(name == other.name for other in section.fields):
        raise fail(f"a second field {name!r}")
    if section.kind is Kind.ACTION_ITEMS and name not in ACTION_FIELDS:
        raise fail(f"action items have the fields {', '.join(ACTION_FIELDS)}")
    try:
        kind = FieldType(match["type"])
    except ValueError:
        raise fail(
            f"unknown type {match['type']!r}; there are {', '.join(known.value for known in FieldType)}"
        ) from None
    return replace(section, fields=(*section.fields, TemplateField(name, kind)))


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
