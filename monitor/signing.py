"""What links in messages, sessions and forms are signed with: the keys of the configuration, else the installation's.

Its own key is made at the first need and lies in the database, as what it protects does: all processes on that database
sign with it, and a restart changes nothing. Called by `telling` and the page.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from sqlalchemy import Engine

from monitor.config import secrets as references
from monitor.config.values import Web
from monitor.store import engine as engines
from monitor.store import meta

_KEY = "link_key"
_BYTES = 32


def keys(web: Web, engine: Engine, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The keys, never none: the first signs, all of them are accepted.

    Errors: SecretMissing for a configured key that cannot be read.
    """
    return tuple(references.reveal(key, environ).encode() for key in web.link_keys) or (_own(engine),)


def _own(engine: Engine) -> bytes:
    with engines.reading(engine) as connection:
        known = meta.get(connection, _KEY)
    if known is None:
        with engine.begin() as connection:
            known = meta.keep(connection, _KEY, secrets.token_hex(_BYTES))
    return bytes.fromhex(known)
