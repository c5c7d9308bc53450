"""Secrets: references to them, reading them when they are needed, and keeping their text out of everything printed.

A secret never stands in config.yaml; `{env: NAME}`, `{file: PATH}` and `{credential: NAME}` say where it is kept.
References are kept until the moment of use, so that a rotated file is seen without a reload.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import MonitorError

KINDS = ("env", "file", "credential")
HIDDEN = "[hidden]"

_TOKENS = re.compile(
    r"xox[abeoprs]-[\w-]{3,}"  # Slack tokens
    r"|xapp-[\w-]{3,}"
    r"|whsec_[\w+/=-]{3,}"  # Standard Webhooks
    r"|hooks\.slack\.com/(?:services|workflows|triggers)/[^\s\"'<>]+"
    r"|gh[pousr]_\w{20,}"
    r"|AKIA[0-9A-Z]{16}"
    r"|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
)
_USERINFO = re.compile(
    r"(?<![\w+.-])(?P<scheme>[a-zA-Z][\w+.-]{0,30}://)(?P<user>[^\s/@:\"']*):(?P<password>[^\s/@\"']+)@"
)
_SECRET_KEY = re.compile(
    r"(?P<key>\b[\w-]*(?:password|passwd|token|secrets?|api[_-]?key|authorization|cookie)[\w-]*[\"']?\s*:\s*)"
    r"(?!\[?\s*\{\s*(?:env|file|credential)\s*:)(?P<value>\S[^\n]*)",
    re.IGNORECASE,
)
"""What stands after a key that sounds secret, unless it is a reference."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept: `kind` is env, file or credential."""

    kind: str
    name: str


class SecretMissing(MonitorError):
    """A secret cannot be had now. The text names the place, never the value; `code` is that of the problem."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def as_reference(value: object) -> SecretRef | None:
    """Read `{env: NAME}` and its kin; None for anything else."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    kind, name = next(iter(value.items()))
    if kind not in KINDS or not isinstance(name, str) or not name.strip():
        return None
    return SecretRef(kind, name)


def reveal(value: SecretRef | str, environ: Mapping[str, str]) -> str:
    """Read a secret now; plain text is given back as it is.

    Errors: SecretMissing when it is absent, empty, unreadable or holds white space inside.
    """
    if isinstance(value, str):
        return value
    content = _content(value, environ).removesuffix("\n").removesuffix("\r")
    if not content:
        raise SecretMissing("E070", f"{described(value)} is empty")
    if re.search(r"\s", content):
        raise SecretMissing("E070", f"{described(value)} holds white space")
    return content


def _content(reference: SecretRef, environ: Mapping[str, str]) -> str:
    if reference.kind == "env":
        if reference.name not in environ:
            raise SecretMissing("E070", f"{described(reference)} is not set")
        return environ[reference.name]
    try:
        return secret_path(reference, environ).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SecretMissing("E070", f"{described(reference)} is not there") from None
    except (OSError, UnicodeDecodeError, ValueError):
        raise SecretMissing("E072", f"{described(reference)} cannot be read") from None


def secret_path(reference: SecretRef, environ: Mapping[str, str]) -> Path:
    """Find the file of a `file` or `credential` reference.

    Errors: SecretMissing for a credential outside a unit that has any.
    """
    if reference.kind == "file":
        return Path(reference.name)
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SecretMissing("E070", f"{described(reference)} needs CREDENTIALS_DIRECTORY, which is not set")
    return Path(folder) / Path(reference.name).name


def described(reference: SecretRef) -> str:
    """Name a reference in a message."""
    names = {"env": "environment variable", "file": "file", "credential": "credential"}
    return f"{names[reference.kind]} {reference.name}"


def open_to_others(reference: SecretRef, environ: Mapping[str, str]) -> bool:
    """Whether other users of this machine may read the secret's file."""
    try:
        return reference.kind != "env" and bool(secret_path(reference, environ).stat().st_mode & 0o004)
    except (OSError, SecretMissing, ValueError):
        return False


def looks_secret(text: str) -> bool:
    """Whether a text holds something that has the form of a secret: a token, or a password in an address."""
    return bool(_TOKENS.search(text) or _USERINFO.search(text))


def redact(text: str, known: tuple[str, ...] = ()) -> str:
    """Hide everything that is or looks like a secret: known values, tokens, passwords in addresses and after keys.

    >>> redact("https://ana:pw@example.org/x password: hunter2")
    'https://ana:[hidden]@example.org/x password: [hidden]'
    """
    return _SECRET_KEY.sub(lambda found: found["key"] + HIDDEN, redact_values(text, known))


def redact_values(text: str, known: tuple[str, ...] = ()) -> str:
    """Hide known values, tokens and passwords in addresses; what merely stands after a telling key is left."""
    for value in sorted(known, key=len, reverse=True):
        if len(value) >= 4:
            text = text.replace(value, HIDDEN)
    text = _USERINFO.sub(lambda found: f"{found['scheme']}{found['user']}:{HIDDEN}@", text)
    return _TOKENS.sub(HIDDEN, text)


def sounds_secret(key: str) -> bool:
    """Whether what stands under a key is to be hidden, whatever it looks like."""
    return bool(_SECRET_KEY.match(f"{key}: x"))


def references(data: object) -> Iterator[SecretRef]:
    """Find every reference in plain values as read from the file."""
    found = as_reference(data)
    if found:
        yield found
    elif isinstance(data, dict):
        for value in data.values():
            yield from references(value)
    elif isinstance(data, list):
        for value in data:
            yield from references(value)


def known_values(data: object, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Read the secrets a file refers to, for redaction of what is about to be printed; missing ones are left out."""
    values = set()
    for reference in references(data):
        try:
            values.add(reveal(reference, environ))
        except SecretMissing:
            continue
    return tuple(sorted(values))
