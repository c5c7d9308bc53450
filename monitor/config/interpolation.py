"""`${NAME}` in texts of the file, resolved after parsing, so that a value can never become YAML. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from monitor.config.document import Path

_VARIABLE = re.compile(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_RAW = ("query", "concepts")
"""Keys whose text is not touched: a query or a pattern has its own signs."""


def resolve(data: Any, environ: Mapping[str, str], missing: Callable[[Path, str], None], path: Path = ()) -> Any:
    """Replace `${NAME}` and `${NAME:-x}` in every text; `$${` is a literal `${`. Calls `missing` for unset names."""
    if isinstance(data, dict):
        return {
            key: value if key in _RAW else resolve(value, environ, missing, (*path, key)) for key, value in data.items()
        }
    if isinstance(data, list):
        return [resolve(value, environ, missing, (*path, i)) for i, value in enumerate(data)]
    if isinstance(data, str) and "${" in data:
        return _VARIABLE.sub(lambda found: _value(found, environ, missing, path), data)
    return data


def _value(found: re.Match[str], environ: Mapping[str, str], missing: Callable[[Path, str], None], path: Path) -> str:
    if found[0].startswith("$$"):
        return found[0][1:]
    name, fallback = found[1], found[2]
    value = environ.get(name) or fallback
    if value is None:
        missing(path, name)
        return ""
    return value
