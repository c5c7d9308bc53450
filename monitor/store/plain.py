"""Statements that every poll runs, handed to the driver itself.

For each statement SQLAlchemy makes a context, a result and rows of its own, which costs several times what the driver
takes to run it. The statements here are written in Core like all others and compiled once for each database; only the
values of their types go down, and plain tuples come back. They belong to the connection's transaction, whoever listens
to the engine's statements hears of them, and errors are SQLAlchemy's.

    Statement   a select, update or insert, some of its values perhaps lists (`among`)
    NewRows     rows of one table, as many as there are; one statement on Postgres
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    Connection,
    Dialect,
    String,
    Table,
    Text,
    any_,
    bindparam,
    column,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement, ColumnElement, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ReturnsRows
from sqlalchemy.types import TypeEngine

DATABASES = ("sqlite", "postgresql")
INSERT: Mapping[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The inserts that know what to do where a row is already."""
LONGEST = 512
"""Values in one list: SQLite takes them one by one."""

T = TypeVar("T")
Process = Callable[[Any], Any]


class Statement:
    """One statement; where the databases differ, one for each. An insert is told which `columns` it is given."""

    def __init__(
        self, clause: ClauseElement | Mapping[str, ClauseElement], columns: Sequence[str] | None = None
    ) -> None:
        self._clauses = clause if isinstance(clause, Mapping) else dict.fromkeys(DATABASES, clause)
        self._columns = columns
        self._lists = {name: _expanding(one) for name, one in self._clauses.items()}
        self._compiled: dict[tuple[Any, ...], _Compiled] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it and give the rows that it selects or returns."""
        made, given = self._bound(connection.dialect, values)
        rows = _run(connection, made.sql, given, _fetched)
        return [made.read(row) for row in rows] if made.readers else rows

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run it and say how many rows it changed."""
        made, given = self._bound(connection.dialect, values)
        return _run(connection, made.sql, given, _counted)

    def each(self, connection: Connection, many: Sequence[Mapping[str, Any]]) -> None:
        """Run it with each of these, of which there is at least one; none of them has a list."""
        made, first = self._bound(connection.dialect, many[0])
        if len(many) == 1:
            _run(connection, made.sql, first, _counted)
        else:
            _run(connection, made.sql, [made.bound(values) for values in many], _counted, many=True)

    def _bound(self, dialect: Dialect, values: Mapping[str, Any]) -> tuple[_Compiled, Any]:
        lists = {name: _padded(values[name]) for name in self._lists[dialect.name]}
        form = (dialect.name, *((name, len(value)) for name, value in lists.items()))
        made = self._compiled.get(form)
        if made is None:
            made = self._compiled[form] = _compile(self._clauses[dialect.name], self._columns, dialect, lists)
        for name, value in lists.items():
            values = {**values, **{f"{name}_{n}": one for n, one in enumerate(value, start=1)}}
        return made, made.bound(values)


class NewRows:
    """An insert of many rows, given by these columns; `completed` says what else it does."""

    def __init__(
        self, table: Table, columns: Sequence[str], completed: Callable[[Any], ClauseElement] = lambda insert: insert
    ) -> None:
        self._table, self._columns, self._completed = table, tuple(columns), completed
        self._compiled: dict[tuple[str, str | None], _Compiled] = {}

    def add(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write them."""
        made = self._made(connection.dialect, None)
        if made.by_name:
            _run(connection, made.sql, made.bound(self._by_column(rows)), _counted)
        else:
            _run(connection, made.sql, [made.bound(row) for row in rows], _counted, many=True)

    def numbered(self, connection: Connection, rows: Sequence[Mapping[str, Any]], key: str) -> dict[Any, int]:
        """Write them and give the ids they got, each by the value of its column `key`."""
        made = self._made(connection.dialect, key)
        if made.by_name:
            return dict(_run(connection, made.sql, made.bound(self._by_column(rows)), _fetched))
        return {row[key]: _run(connection, made.sql, made.bound(row), _row_id) for row in rows}

    def _by_column(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        return {name: [row[name] for row in rows] for name in self._columns}

    def _made(self, dialect: Dialect, key: str | None) -> _Compiled:
        made = self._compiled.get((dialect.name, key))
        if made is None:
            made = self._compiled[dialect.name, key] = _compile(
                self._clause(dialect.name, key), self._columns, dialect, {}
            )
        return made

    def _clause(self, database: str, key: str | None) -> ClauseElement:
        insert = INSERT[database](self._table)
        if database == "postgresql":
            insert = insert.from_select(self._columns, _unnested([self._table.c[name] for name in self._columns]))
            if key is not None:
                insert = insert.returning(self._table.c[key], self._table.c.id)
        return self._completed(insert)


def among(database: str, of: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether a column's value is in the list given by this name: one value to Postgres, many to SQLite."""
    if database == "postgresql":
        return of == any_(bindparam(name, type_=ARRAY(of.type)))
    return of.in_(bindparam(name, expanding=True))


@contextmanager
def by_index(connection: Connection) -> Iterator[None]:
    """Let Postgres look rows up by their index, although it has not counted yet what came, or guesses too many."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("set local enable_seqscan = off"))
    yield
    connection.execute(text("set local enable_seqscan to default"))  # where it fails the transaction is over anyway


def chunks(values: Sequence[T]) -> Iterator[list[T]]:
    """Cut a list so that a statement takes it."""
    return (list(values[at : at + LONGEST]) for at in range(0, len(values), LONGEST))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as a driver takes it: the values it asks for, in their order, and what reads the cells of a row."""

    sql: str
    marks: tuple[tuple[str, Process | None], ...]
    constants: Mapping[str, Any]
    readers: tuple[tuple[int, Process], ...]
    by_name: bool

    def bound(self, values: Mapping[str, Any]) -> Any:
        given = {**self.constants, **values} if self.constants else values
        if self.by_name:
            return {name: make(given[name]) if make else given[name] for name, make in self.marks}
        return [make(given[name]) if make else given[name] for name, make in self.marks]

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        cells = list(row)
        for at, read in self.readers:
            cells[at] = read(cells[at])
        return tuple(cells)


def _compile(
    clause: ClauseElement, columns: Sequence[str] | None, dialect: Dialect, lists: Mapping[str, list[Any]]
) -> _Compiled:
    compiled = clause.compile(dialect=dialect, column_keys=columns)
    assert isinstance(compiled, SQLCompiler)
    final = compiled.construct_expanded_state({**dict.fromkeys(compiled.binds), **lists}, escape_names=False)
    lists_of = {part: name for name, parts in final.parameter_expansion.items() for part in parts}
    names = tuple(final.parameters if final.positiontup is None else final.positiontup)
    types = [compiled.binds[lists_of.get(name, name)].type.dialect_impl(dialect) for name in names]
    cells = [one.type.dialect_impl(dialect) for one in _returned(clause)]
    readers = [(at, cell.result_processor(dialect, None)) for at, cell in enumerate(cells)]
    return _Compiled(
        sql=final.statement,
        marks=tuple((name, of.bind_processor(dialect)) for name, of in zip(names, types, strict=True)),
        constants={name: bind.value for name, bind in compiled.binds.items() if name in names and not bind.required},
        readers=tuple((at, read) for at, read in readers if read is not None),
        by_name=final.positiontup is None,
    )


def _returned(clause: ClauseElement) -> Sequence[ColumnElement[Any]]:
    return tuple(clause.exported_columns) if isinstance(clause, ReturnsRows) else ()


def _unnested(columns: Sequence[Column[Any]]) -> Any:
    """A table of arrays, one for each column: the plan and the message are the same for however many rows."""
    arrays = [bindparam(one.name, type_=ARRAY(_element(one.type))) for one in columns]
    rows = func.unnest(*arrays).table_valued(*(column(one.name, one.type) for one in columns)).render_derived()
    return select(*rows.c)


def _element(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return Text() if isinstance(kind, String) else kind  # an array of limited strings would cut them without a word


def _expanding(clause: ClauseElement) -> tuple[str, ...]:
    """The parameters that become as many as their list has values."""
    return tuple(one.key for one in visitors.iterate(clause) if isinstance(one, BindParameter) and one.expanding)


def _padded(values: list[Any]) -> list[Any]:
    """Repeat the last value up to a power of two: few lengths make few statements, and they stay prepared."""
    return values + values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))


def _run(connection: Connection, sql: str, given: Any, taken: Callable[[DBAPICursor], T], *, many: bool = False) -> T:
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    try:
        for listener in connection.dispatch.before_cursor_execute:
            listener(connection, cursor, sql, given, None, many)
        if many:
            cursor.executemany(sql, given)
        else:
            cursor.execute(sql, given)
        for listener in connection.dispatch.after_cursor_execute:
            listener(connection, cursor, sql, given, None, many)
        found = taken(cursor)
    except connection.dialect.loaded_dbapi.Error as exc:  # as SQLAlchemy's own statements: wrapped, a dead one noticed
        connection._handle_dbapi_exception(exc, sql, given, cursor, None)
    cursor.close()
    return found


def _fetched(cursor: DBAPICursor) -> list[tuple[Any, ...]]:
    return list(cursor.fetchall())


def _counted(cursor: DBAPICursor) -> int:
    return int(cursor.rowcount)


def _row_id(cursor: DBAPICursor) -> int:
    return int(cursor.lastrowid)
