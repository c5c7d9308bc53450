"""Language codes."""

from __future__ import annotations

import pytest

from monitor.text.languages import base, family, speaks

FAMILIES = {
    "sr": "sh", "hr": "sh", "bs": "sh", "cnr": "sh", "me": "sh", "sr-Latn": "sh", "sr_Cyrl_RS": "sh", "hbs": "sh",
    "sh": "sh", "mk": "mk", "EN-gb": "en", "und": None, "": None, None: None,
}  # fmt: skip


@pytest.mark.parametrize("code", FAMILIES)
def test_family(code: str | None) -> None:
    assert family(code) == FAMILIES[code]


def test_base_keeps_members_apart() -> None:
    assert base("sr-Latn") == "sr"
    assert base("hr") == "hr"


def test_speaks() -> None:
    assert speaks("bs", "sh")
    assert speaks("sr-Cyrl", "sr")
    assert not speaks("hr", "sr")
    assert not speaks(None, "sr")
    assert not speaks("sh", "sr")
