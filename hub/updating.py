"""Many messages changed by one statement, each to values of its own."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Field, Model

from hub.models import Message


def update(changes: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """`changes` are ids of messages and their new values by field. PostgreSQL takes those of the same fields together;
    elsewhere, and alone, each is a statement."""
    together: dict[tuple[str, ...], list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for pk, values in changes:
        together[tuple(sorted(values))].append((pk, values))
    for names, some in together.items():
        if len(some) > 1 and connection.vendor == "postgresql":
            _update_together(names, some)
        else:
            for pk, values in some:
                Message.objects.filter(pk=pk).update(**values)


def _update_together(names: tuple[str, ...], some: list[tuple[int, dict[str, Any]]]) -> None:
    """Over arrays, a column each, so that the statement is the same however many there are."""
    fields: list[Field[Any, Any]] = [Message._meta.get_field(one) for one in names]  # type: ignore[misc]
    quote = connection.ops.quote_name
    table, key = quote(Message._meta.db_table), quote(str(Message._meta.pk.column))
    sets = ", ".join(f"{quote(str(one.column))} = new.{quote(str(one.column))}" for one in fields)
    columns = ", ".join(quote(str(one.column)) for one in fields)
    arrays = ", ".join(f"%s::{one.db_type(connection)}[]" for one in fields)
    rows = [[one.get_db_prep_save(_plain(values[one.name]), connection) for _, values in some] for one in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {sets} FROM UNNEST(%s::bigint[], {arrays}) AS new(key, {columns}) "  # noqa: S608
            f"WHERE {table}.{key} = new.key",
            [[pk for pk, _ in some], *rows],
        )


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value
