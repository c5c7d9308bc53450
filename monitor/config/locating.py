"""Where the configuration is and where it says the database is: all that commands need that only read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitor import resources
from monitor.config import api, secrets

DEFAULT_FILE = Path("config.yaml")


def config_file(path: Path) -> Path:
    """The file to read: the one named; the shipped one when none was named and none lies here."""
    return path if path.exists() or path != DEFAULT_FILE else resources.resource_path(DEFAULT_FILE.name)


def storage_url(path: Path, environ: Mapping[str, str]) -> str:
    """The database address: STORYWATCH_STORAGE_URL, else the configuration's.

    Errors: ConfigError when the file cannot be used.
    """
    given = environ.get("STORYWATCH_STORAGE_URL")
    if given:
        return given
    config = api.load(config_file(path), environ, with_secrets=False)
    return secrets.reveal(config.storage.url, environ)
