"""The names of a recording's speakers in queries: both databases unfold the JSON that they are kept in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, String, distinct, exists, func, literal_column, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.sql.selectable import TableValuedAlias

from recordroute_gateway.tables import recordings


class JsonItems(GenericFunction[Any]):
    """A row for each item of a JSON list, in the column `value`; none for NULL."""

    name = "json_items"
    inherit_cache = True


@compiles(JsonItems, "sqlite")
def _in_sqlite(element: JsonItems, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(JsonItems, "postgresql")
def _in_postgresql(element: JsonItems, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements({compiler.process(element.clauses, **options)})"


def _speakers() -> tuple[TableValuedAlias, ColumnElement[str]]:
    rows = JsonItems(recordings.c.speakers).table_valued("value")
    # Not a bound parameter: PostgreSQL would not see that it groups by what it selects.
    return rows, rows.c.value.op("->>", return_type=String())(literal_column("'name'"))


def one_speaks(names: tuple[str, ...]) -> ColumnElement[bool]:
    """Returns the condition for the recordings in which one of the people of these names speaks."""
    rows, name = _speakers()
    return exists(select(1).select_from(rows).where(name.in_(names)))


def count_by_name(where: ColumnElement[bool]) -> Select[str, int]:
    """Returns the statement for the names of speakers with the number of the recordings that have them."""
    rows, name = _speakers()
    return (
        select(name.label("name"), func.count(distinct(recordings.c.id)).label("recordings"))
        .select_from(recordings.join(rows, true()))
        .where(where, name != "")
        .group_by(name)
    )
