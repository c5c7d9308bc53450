"""Reads what a form sent: urlencoded text, small, nothing uploaded. The guard has measured it already."""

from __future__ import annotations

from dataclasses import dataclass
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
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(422, "This is no form.")
    try:
        text = (await request.body()).decode("utf-8")
        return Form(parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError as exc:  # also of bytes that are no text
        raise HTTPException(422, "The form cannot be read.") from exc


Sent = Annotated[Form, Depends(_read)]
