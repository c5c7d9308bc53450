"""Rows of a SQLite table as the bytes of Postgres' binary COPY: the same values are the same bytes on the way back.

So a range of rows is compared by a hash of what was sent and of what `copy ... to stdout` gives. Pure.
Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, LargeBinary, String, Table

from alerts.tables import EPOCH, Instant

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_LENGTH = struct.Struct(">i")
_INT8, _INT4 = struct.Struct(">iq"), struct.Struct(">ii")
_FLOAT8, _BOOL = struct.Struct(">id"), struct.Struct(">i?")
_2000 = (datetime(2000, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""Postgres counts microseconds from the year 2000, we from 1970."""

Packer = Callable[[Any], bytes]


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    # Postgres keeps no NUL in a text; what it stood in was no text either.
    return _bytes(value.replace("\0", "\ufffd").encode("utf-8", "replace"))


_PACKERS: tuple[tuple[type, Packer], ...] = (  # the first that fits: Instant and Boolean are numbers on SQLite too
    (Instant, lambda value: _INT8.pack(8, value - _2000)),
    (Boolean, lambda value: _BOOL.pack(1, bool(value))),
    (BigInteger, lambda value: _INT8.pack(8, value)),
    (Integer, lambda value: _INT4.pack(4, value)),
    (Float, lambda value: _FLOAT8.pack(8, value)),
    (JSON, _text),
    (LargeBinary, _bytes),
    (String, _text),
)


def packer_of(column: Column[Any]) -> Packer:
    """How the values of a column, as SQLite gives them, become bytes.

    Errors: TypeError for a type nobody thought of; a test goes through all tables.
    """
    for kind, packer in _PACKERS:
        if isinstance(column.type, kind):
            return packer
    raise TypeError(f"{column.table.name}.{column.name}: no binary form for {column.type!r}")


def row_packer(table: Table) -> Callable[[Sequence[Any]], bytes]:
    """How a row becomes bytes, its values in the order of the table's columns.

    Errors of the result: struct.error, AttributeError or TypeError for a value that is not of its column's type.
    """
    packers = [packer_of(column) for column in table.columns]
    count = struct.pack(">h", len(packers))

    def pack(row: Sequence[Any]) -> bytes:
        return count + b"".join(
            [_NULL if value is None else packer(value) for packer, value in zip(packers, row, strict=True)]
        )

    return pack


def bound(column: Column[Any], value: Any) -> Any:
    """A value of a key, as SQLite gives it, as a parameter for Postgres."""
    if isinstance(column.type, Instant):
        return EPOCH + timedelta(microseconds=value)
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
