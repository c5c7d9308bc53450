"""Where the configuration is and where it says the database is: all that commands need that only read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitor import resources
from monitor.config import api, reading, secrets
from monitor.config.values import Config
from monitor.errors import ConfigError

DEFAULT_FILE = Path("config.yaml")


def config_file(path: Path) -> Path:
    """The file to read: the one named; the shipped one when none was named and none lies here."""
    return path if path.exists() or path != DEFAULT_FILE else resources.resource_path(DEFAULT_FILE.name)


def storage_url(path: Path, environ: Mapping[str, str]) -> str:
    """The database address: STORYWATCH_STORAGE_URL, else the configuration's, as far as it can be read.

    Errors: ConfigError when the file cannot be used and names no database.
    """
    given = environ.get("STORYWATCH_STORAGE_URL")
    if given:
        return given
    try:
        config = api.load(config_file(path), environ, with_secrets=False)
    except ConfigError:
        named = url_in(path, environ)
        if named is None:
            raise
        return named
    return url_of(config, environ)


def url_of(config: Config, environ: Mapping[str, str]) -> str:
    """The database address of a configuration; the environment's goes before the file's.

    Errors: SecretMissing.
    """
    return environ.get("STORYWATCH_STORAGE_URL") or secrets.reveal(config.storage.url, environ)


def direct_url(path: Path, environ: Mapping[str, str]) -> str | None:
    """The way round a transaction pooler, None where none stands before the database.

    STORYWATCH_STORAGE_DIRECT_URL, else the configuration's; that belongs to its own address and not to another one from
    the environment.
    """
    try:
        config = api.load(config_file(path), environ, with_secrets=False)
    except ConfigError:
        return environ.get("STORYWATCH_STORAGE_DIRECT_URL") or None
    return direct_url_of(config, environ)


def direct_url_of(config: Config, environ: Mapping[str, str]) -> str | None:
    """The same for a configuration that was read already."""
    given = environ.get("STORYWATCH_STORAGE_DIRECT_URL")
    if given or environ.get("STORYWATCH_STORAGE_URL"):
        return given or None
    return None if config.storage.direct_url is None else secrets.reveal(config.storage.direct_url, environ)


def url_in(path: Path, environ: Mapping[str, str]) -> str | None:
    """The database that a faulty file names, as far as it can be read."""
    try:
        data = reading.read(path.read_bytes(), str(path)).data
        raw = data["storage"]["url"]
        return secrets.reveal(secrets.as_reference(raw) or str(raw), environ)
    except (OSError, KeyError, TypeError, secrets.SecretMissing):
        return None
