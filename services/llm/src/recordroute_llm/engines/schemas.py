"""JSON Schemas: which ones a model can be held to, and whether what it wrote fits.

llama.cpp turns a schema into a grammar. It leaves out what a grammar can't say without a word, and some contradictions
never let it end, so that both are refused before it sees them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from recordroute_runtime.errors import InvalidInput

MAX_NESTING = 64
# Every property, value and alternative is looked at for each token; so many take about a second.
MAX_ALTERNATIVES = 512

_SUBSCHEMAS = ("additionalProperties", "items")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "$defs", "definitions")
_NOTES = frozenset(
    ("$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly")
)
_GRAMMAR = frozenset(
    (
        *_SUBSCHEMAS,
        *_LISTS,
        *_MAPS,
        *("type", "enum", "const", "$ref", "required", "pattern", "format"),
        *("minLength", "maxLength", "minItems", "maxItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    )
)
_BOUNDS = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
)
_RANGES = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_FORMATS = frozenset(("date", "time", "date-time", "uuid"))
# Lookaround, references to groups, and classes that depend on the neighbours.
_BEYOND_GRAMMAR = re.compile(r"\(\?(?!:)|\\[1-9bB]")


def _refused(place: str, why: str) -> InvalidInput:
    return InvalidInput(
        "UNSUPPORTED_SCHEMA", f"the schema can't be followed: {place}: {why}"[:500], metadata={"place": place}
    )


def read_schema(text: str) -> dict[str, Any]:
    """Returns a JSON Schema. Raises InvalidInput (UNSUPPORTED_SCHEMA) where it is no JSON object, no JSON Schema,
    nested more than MAX_NESTING deep, or leans on another document."""
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise _refused("#", f"it is no JSON: {error}") from error
    except RecursionError as error:
        raise _refused("#", f"it is nested more than {MAX_NESTING} deep") from error
    if not isinstance(schema, dict):
        raise _refused("#", "it is no JSON object")
    for place, part in _parts(schema, "#", 0):
        if isinstance(part, dict) and not str(part.get("$ref", "#")).startswith("#"):
            raise _refused(place, "$ref leaves the document")
    try:
        jsonschema_rs.validator_for(schema, offline=True)
    except jsonschema_rs.ValidationError as error:
        place = "/".join(("#", *map(str, error.instance_path)))
        raise _refused(place, error.message) from error
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise _refused("#", str(error)) from error
    return schema


def _parts(value: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > MAX_NESTING:
        raise _refused("#", f"it is nested more than {MAX_NESTING} deep")
    yield place, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        yield from _parts(part, f"{place}/{name}", depth + 1)


def check_grammar(schema: dict[str, Any]) -> None:
    """Raises InvalidInput (UNSUPPORTED_SCHEMA), with the place, where a grammar can't hold a model to a schema."""
    alternatives = 0
    for place, part in _subschemas(schema, "#"):
        _check(place, part)
        alternatives += sum(len(part.get(name, ())) for name in ("properties", "enum", *_LISTS))
    if alternatives > MAX_ALTERNATIVES:
        raise _refused(
            "#", f"{alternatives} properties, values and alternatives are more than {MAX_ALTERNATIVES}"
        )


def _subschemas(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(schema, dict):
        return
    yield place, schema
    for name in _SUBSCHEMAS:
        yield from _subschemas(schema.get(name), f"{place}/{name}")
    for name in _LISTS:
        for number, part in enumerate(schema.get(name, ())):
            yield from _subschemas(part, f"{place}/{name}/{number}")
    for name in _MAPS:
        for key, part in schema.get(name, {}).items():
            yield from _subschemas(part, f"{place}/{name}/{key}")


def _check(place: str, schema: dict[str, Any]) -> None:
    for name in schema:
        if name not in _GRAMMAR and name not in _NOTES:
            raise _refused(place, f"no grammar can express {name}")
    for low, high in _BOUNDS:
        if low in schema and high in schema and schema[low] > schema[high]:
            raise _refused(place, f"{low} is more than {high}")
    if schema.get("type") != "integer" and any(name in schema for name in _RANGES):
        raise _refused(place, "no grammar can express a range of numbers that are no integers")
    pattern = schema.get("pattern", "^$")
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise _refused(place, "a pattern must begin with ^ and end with $")
    if _BEYOND_GRAMMAR.search(pattern):
        raise _refused(place, "no grammar can express lookaround or references in a pattern")
    if "pattern" in schema and ("minLength" in schema or "maxLength" in schema):
        raise _refused(place, "no grammar can express a pattern and a length together")
    if schema.get("format", "date") not in _FORMATS:
        raise _refused(place, f"no grammar can express the format {schema['format']}")


def misfit(schema: dict[str, Any], value: Any) -> str:
    """Returns why a value does not fit a schema that `read_schema` returned; empty where it does."""
    try:
        jsonschema_rs.validator_for(schema, offline=True).validate(value)
    except jsonschema_rs.ValidationError as error:
        return f"{'/'.join(('#', *map(str, error.instance_path)))}: {error.message}"
    return ""
