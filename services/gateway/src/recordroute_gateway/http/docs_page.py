"""The API for people, at /docs: a page without scripts, made of /openapi.json's content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
METHODS = ("get", "post", "delete")
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; text-transform: capitalize; }
details { border: 1px solid #8886; border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
code { font: .9em ui-monospace, monospace; }
.method { display: inline-block; min-width: 4.5em; font-weight: 700; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-top: 1px solid #8883; }
"""


def page(spec: Mapping[str, Any]) -> str:
    """Returns the page as HTML."""
    body = "".join(_sections(spec))
    info = spec["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/docs.css"></head>'
        f"<body><h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        '<p>For programs: <a href="/openapi.json">/openapi.json</a>.</p>'
        f"{body}</body></html>"
    )


def _sections(spec: Mapping[str, Any]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, operations in spec["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                groups.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    for tag, operations in groups.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(operations)}"
    schemas = "".join(_schema(name, schema) for name, schema in sorted(spec["components"]["schemas"].items()))
    yield f"<h2>schemas</h2>{schemas}"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = [
        (parameter["name"], parameter["in"], parameter.get("schema", {}), parameter.get("description", ""))
        for parameter in operation.get("parameters", ())
    ]
    bodies = [
        ("body", kind, content.get("schema", {}), "")
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    ]
    answers = [
        (status, kind, content.get("schema", {}), response["description"])
        for status, response in operation["responses"].items()
        for kind, content in (response.get("content") or {"": {}}).items()
    ]
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><span class="method">{method.upper()}</span>'
        f"<code>{escape(path)}</code> {escape(operation.get('description', ''))}</summary>"
        f"{_table('Request', parameters + bodies)}{_table('Answers', answers)}</details>"
    )


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (field, "required" if field in required else "", value, value.get("description", ""))
        for field, value in schema.get("properties", {}).items()
    ]
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_table("", rows)}</details>'


def _table(title: str, rows: list[tuple[str, str, Mapping[str, Any], str]]) -> str:
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(place)}</td><td>{_kind(schema)}</td>"
        f"<td>{escape(description)}</td></tr>"
        for name, place, schema, description in rows
    )
    return f"<h4>{escape(title)}</h4><table>{lines}</table>" if rows else ""


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for joint in ("anyOf", "allOf", "oneOf"):
        if joint in schema:
            return " | ".join(_kind(part) for part in schema[joint])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(" ".join(str(schema[key]) for key in ("type", "format") if key in schema))
