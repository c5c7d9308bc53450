"""Characters: every way in which a feed can lie about its encoding."""

from __future__ import annotations

import pytest

from monitor.parse import charset
from tests.monitor.parse.building import item, only, rss

SERBIAN = "Vučića pritiskaju zbog šest zahteva, đaci čekaju"
MACEDONIAN = "Владата негира дека постои договор, ќе се разговара"
GREEK = "Η κυβέρνηση αρνείται ότι υπάρχει συμφωνία"
FRENCH = "Le gouvernement nie l'existence d'un accord, déclaré très étrange à Genève"
UNDEFINED = b"\x81\x8d\x8f\x90\x9d"
DECLARED = '<?xml version="1.0" encoding="{}"?>'

CASES = {
    "windows-1250 declared": (SERBIAN, "cp1250", DECLARED.format("windows-1250"), None),
    "windows-1250 declared as utf-8": (SERBIAN, "cp1250", DECLARED.format("utf-8"), None),
    "windows-1250 undeclared": (SERBIAN, "cp1250", "", None),
    "windows-1250 in the header only": (SERBIAN, "cp1250", "", "text/xml; charset=windows-1250"),
    "windows-1250 sent as iso-8859-1": (SERBIAN, "cp1250", "", "text/xml; charset=ISO-8859-1"),
    "windows-1250 declared as iso-8859-2": (SERBIAN, "cp1250", DECLARED.format("iso-8859-2"), None),
    "iso-8859-2 undeclared": (SERBIAN, "iso8859-2", "", None),
    "windows-1251 declared": (MACEDONIAN, "cp1251", DECLARED.format("windows-1251"), None),
    "windows-1251 labelled utf-8": (MACEDONIAN, "cp1251", DECLARED.format("utf-8"), "text/xml; charset=utf-8"),
    "koi8-r undeclared": ("Правительство отрицает наличие соглашения", "koi8-r", "", None),
    "iso-8859-5 undeclared": ("Влада Србије није добила захтев", "iso8859-5", "", None),
    "windows-1253 undeclared": (GREEK, "cp1253", "", None),
    "iso-8859-7 declared": (GREEK, "iso8859-7", DECLARED.format("iso-8859-7"), None),
    "utf-8 labelled windows-1251": (
        SERBIAN,
        "utf-8",
        DECLARED.format("windows-1251"),
        "text/xml; charset=windows-1251",
    ),
    "utf-8 with a header of iso-8859-1": (SERBIAN, "utf-8", "", "text/xml; charset=iso-8859-1"),
    "utf-8 declared as utf-16": (SERBIAN, "utf-8", DECLARED.format("utf-16"), None),
    "utf-16 with a mark": (SERBIAN, "utf-16", DECLARED.format("utf-16"), None),
    "utf-16 without a mark": (SERBIAN, "utf-16-le", "", None),
    "utf-16, big end first, without a mark": (SERBIAN, "utf-16-be", "", None),
    "utf-32": (SERBIAN, "utf-32", "", None),
    "iso-8859-1 read as windows-1252": (
        "“Très” étrange – déjà vu à Genève",
        "cp1252",
        DECLARED.format("iso-8859-1"),
        None,
    ),
    "French undeclared": (FRENCH, "cp1252", "", None),
    "EUC-KR declared": ("정부는 협정을 부인했다", "euc-kr", DECLARED.format("euc-kr"), None),
    "an encoding nobody knows": (SERBIAN, "utf-8", DECLARED.format("bogus-8"), None),
}


@pytest.mark.parametrize(("text", "encoding", "head", "header"), CASES.values(), ids=CASES)
def test_the_title_is_right(text: str, encoding: str, head: str, header: str | None) -> None:
    body = rss(item(title=text), head=head).encode(encoding)
    assert only(body, {"content-type": header} if header else {}).title == text


def test_character_references_do_not_depend_on_the_encoding() -> None:
    body = rss(item(title="Vu&#269;i&#263; i &#x161;est zahteva, đaci"), head=DECLARED.format("iso-8859-2")).encode(
        "iso8859-2"
    )
    assert only(body).title == "Vučić i šest zahteva, đaci"


def test_strays_in_utf_8_do_not_spoil_the_rest() -> None:
    body = ("Vlada odlučuje danas o šest zahteva, đaci čekaju ".encode() * 5) + b"\x93tako\x94 kaze"
    decoded = charset.decode(body)
    assert (decoded.encoding, decoded.recovered) == ("utf-8", True)
    assert decoded.text.endswith("“tako” kaze")


def test_a_guess_is_said() -> None:
    assert charset.decode(f"<rss>{SERBIAN}</rss>".encode("cp1250")).recovered
    assert not charset.decode(f"<rss>{SERBIAN}</rss>".encode()).recovered


def test_text_encoded_twice_is_mended() -> None:
    twice = "".join(bytes((byte,)).decode("latin-1" if byte in UNDEFINED else "cp1252") for byte in SERBIAN.encode())
    assert only(rss(item(title=twice))).title == SERBIAN
