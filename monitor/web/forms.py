"""Reads what a form sent: a few small texts, nothing uploaded. The guard has measured it already.

Our pages send urlencoded forms; mail providers that unsubscribe somebody should send multipart (RFC 8058, 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

_MOST_FIELDS = 300


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, each with the texts it was given."""

    fields: dict[str, list[str]]

    def text(self, name: str, longest: int, default: str | None = None) -> str:
        """One field, white space trimmed.

        Errors: 422 for one that is missing, too long or no text.
        """
        value = self.fields.get(name, [""])[0].strip()
        if not value and default is not None:
            return default
        if not value:
            raise HTTPException(422, f"{name}: is missing")
        if len(value) > longest or not value.isprintable():
            raise HTTPException(422, f"{name}: at most {longest} characters of one line")
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        """A field of numbers that may stand several times.

        Errors: 422 for none, or what is no number.
        """
        values = self.fields.get(name, [])
        if not values or not all(value.isascii() and value.isdigit() and len(value) < 16 for value in values):
            raise HTTPException(422, f"{name}: choose at least one")
        return tuple(int(value) for value in values)


async def _read(request: Request) -> Form:
    kind = request.headers.get("content-type", "")
    read = _KINDS.get(kind.partition(";")[0].strip().lower())
    if read is None:
        raise HTTPException(422, "This is no form.")
    try:
        return Form(read(await request.body(), kind))
    except (ValueError, LookupError) as exc:  # also of bytes that are no text, or of an unknown encoding
        raise HTTPException(422, "The form cannot be read.") from exc


def _urlencoded(body: bytes, _kind: str) -> dict[str, list[str]]:
    return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")


def _multipart(body: bytes, kind: str) -> dict[str, list[str]]:
    """Source: RFC 7578. Files are left out."""
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=policy.HTTP)
    fields: dict[str, list[str]] = {}
    for part in message.iter_parts():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes) and part.get_filename() is None:
            fields.setdefault(name, []).append(content.decode("utf-8"))
    return fields


_KINDS = {"application/x-www-form-urlencoded": _urlencoded, "multipart/form-data": _multipart}


Sent = Annotated[Form, Depends(_read)]
