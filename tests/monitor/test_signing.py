"""Keys of links and sessions: the configured ones, else one of the installation's own that outlives restarts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from monitor import signing
from monitor.config import api
from monitor.config.secrets import SecretMissing, SecretRef
from monitor.store import engine as engines
from monitor.store import meta

WEB = api.parse_text("version: 1\ncontact: a@b.example\n", {}).web
GIVEN = replace(WEB, link_keys=(SecretRef("env", "NEW"), SecretRef("env", "OLD")))
ENVIRON = {"NEW": "the-new-key-of-links", "OLD": "the-old-key-of-links"}


def test_the_own_key_outlives_a_restart(engine: Engine) -> None:
    (key,) = signing.keys(WEB, engine, {})
    again = engines.open_engine(engine.url.render_as_string(hide_password=False))
    assert signing.keys(WEB, again, {}) == (key,)
    again.dispose()
    assert len(key) == 32


def test_processes_that_start_at_once_agree_on_a_key(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: signing.keys(WEB, engine, {}), range(8)))
    assert len(found) == 1


def test_configured_keys_stand_alone_and_the_first_signs(engine: Engine) -> None:
    assert signing.keys(GIVEN, engine, ENVIRON) == (b"the-new-key-of-links", b"the-old-key-of-links")
    with engine.connect() as connection:
        assert meta.get(connection, "link_key") is None


def test_a_configured_key_that_is_gone_is_no_reason_to_sign_with_another(engine: Engine) -> None:
    with pytest.raises(SecretMissing, match="NEW"):
        signing.keys(GIVEN, engine, {})
