"""Article pages: the text of the article and nothing around it, or nothing."""

from __future__ import annotations

import pytest

from monitor.parse import article

FIRST = "Ministar je u četvrtak izjavio da nijedan sporazum nije potpisan i da razgovori nisu ni počeli. " * 2
SECOND = "Opozicija je zatražila da se o tome raspravlja u skupštini, na vanrednoj sednici sledeće nedelje. " * 2
PAGE = f"""<html><head><title>Vest</title><meta charset="utf-8"></head><body>
<nav><ul><li>Naslovna</li><li>Sport</li></ul></nav>
<article><h1>Bez sporazuma</h1><p>{FIRST}</p><p>{SECOND}</p></article>
<section class="comments"><p>Komentar čitaoca koji ništa ne kaže, ali dugo traje i zauzima mesto.</p></section>
<footer><p>Sva prava zadržana</p></footer></body></html>"""


def test_the_article_is_found() -> None:
    text = article.extract(PAGE.encode(), "https://glasnik.example.rs/1")
    assert text is not None
    assert FIRST.strip() in text
    assert SECOND.strip() in text
    assert "Sva prava" not in text
    assert "Sport" not in text


def test_a_page_in_windows_1250_is_read() -> None:
    page = PAGE.replace("utf-8", "windows-1250").encode("cp1250")
    assert "četvrtak izjavio" in (article.extract(page, "https://glasnik.example.rs/1") or "")


NOTHING = {
    "no bytes": b"",
    "zero bytes": b"\0" * 100,
    "noise": bytes(range(256)) * 4,
    "a page without text": b"<html><body><div></div></body></html>",
    "over five mebibytes": b"<p>" + b"x" * (5 * 1024 * 1024),
}


@pytest.mark.parametrize("body", NOTHING.values(), ids=NOTHING)
def test_a_page_without_an_article_gives_none(body: bytes) -> None:
    assert article.extract(body, "https://glasnik.example.rs/1") is None
