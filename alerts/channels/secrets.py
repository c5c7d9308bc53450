"""Secrets as references: read when they are needed, never before, never shown.

A file is read again each time, so that a rotated secret needs no reload.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from alerts.errors import ConfigError

KINDS = ("env", "file", "credential")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands: an environment variable, a file, or a systemd credential. Its value is never a field."""

    kind: str
    name: str

    def __repr__(self) -> str:
        return f"Secret({self.kind})"

    def reveal(self) -> str:
        """Read the secret now, without the newline editors leave at its end.

        Errors: ConfigError (E070 missing or empty, E072 unreadable), without any part of the value.
        """
        value = self._read().strip("\r\n")
        if not value:
            raise ConfigError((), f"the secret {{{self.kind}: {self.name}}} is empty", code="E070")
        if value.strip() != value or any(letter in value for letter in "\r\n\0"):
            raise ConfigError((), f"the secret {{{self.kind}: {self.name}}} holds white space", code="E070")
        return value

    def _read(self) -> str:
        if self.kind == "env":
            value = os.environ.get(self.name)
            if value is None:
                raise ConfigError((), f"the environment variable {self.name} is not set", code="E070")
            return value
        path = Path(self.name)
        if self.kind == "credential":
            folder = os.environ.get("CREDENTIALS_DIRECTORY")
            if folder is None:
                raise ConfigError((), f"no credentials folder is given for {{credential: {self.name}}}", code="E070")
            path = Path(folder) / self.name
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ConfigError((), f"the secret file {path} does not exist", code="E070") from None
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(
                (), f"the secret file {path} cannot be read ({type(exc).__name__})", code="E072"
            ) from None
