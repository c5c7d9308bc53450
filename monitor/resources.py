"""Where shipped files lie, in an installed wheel and in a checkout alike. Nothing else in the code knows.

The wheel holds `migrations/` as `monitor/_migrations` and `config.yaml` as `monitor/default_config.yaml`; an editable
install does not see force-included files, so the checkout is the second place to look.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_IN_WHEEL = {"migrations": "_migrations", "config.yaml": "default_config.yaml"}


def resource_path(name: str) -> Path:
    """Find a shipped file or folder.

    Errors: FileNotFoundError, naming both places.
    """
    installed = _PACKAGE / _IN_WHEEL.get(name, name)
    beside = _PACKAGE.parent / name
    for place in (installed, beside):
        if place.exists():
            return place
    raise FileNotFoundError(f"{name} is neither at {installed} nor at {beside}: the installation is incomplete")
