"""What an item's fields become: texts, addresses, ids, dates, and the values feedparser alone gets wrong."""

from __future__ import annotations

import pytest

from monitor.parse import feed
from monitor.values import Domain
from tests.monitor.parse.building import NOW, URL, atom, item, only, read, rss

TITLES = {
    "escaped twice": ("Q&amp;amp;A: sutra", "Q&A: sutra"),
    "with markup": ("&lt;b&gt;Srbija&lt;/b&gt; &amp;amp; TPS", "Srbija & TPS"),
    "with markup in CDATA": ("<![CDATA[<em>Vlada</em> odlučuje]]>", "Vlada odlučuje"),
    "with a real less-than sign": ("Inflacija &lt; 3%", "Inflacija < 3%"),
    "with HTML entities": ("Vu&ccaron;i&cacute; u &Scaron;apcu", "Vučić u Šapcu"),
    "with a soft hyphen and a zero-width space": ("Depor\u00adtacija mi\u200bgranata", "Deportacija migranata"),
    "with a no-break space": ("Vest\u00a0dana", "Vest dana"),
    "in decomposed letters": ("Vuc\u030cic\u0301", "Vučić"),
    "with homoglyphs, which stay": ("De\u0440ortacija", "De\u0440ortacija"),
    "over several lines": ("\n  Vest \n\t dana ", "Vest dana"),
    "with a word in brackets that is no tag": ("Lista &lt;channel&gt; elemenata", "Lista <channel> elemenata"),
    "of blanks only": ("  ", None),
    "in CDATA parts": ("<![CDATA[Prvi deo ]]><![CDATA[i drugi]]>", "Prvi deo i drugi"),
    "with Romanian cedillas": ("Preşedintele ţării", "Preşedintele ţării"),
}


@pytest.mark.parametrize(("written", "title"), TITLES.values(), ids=TITLES)
def test_a_title_is_plain_text(written: str, title: str | None) -> None:
    assert only(rss(item(title=written))).title == title


ATOM_TITLES = {
    "of type html": ('<title type="html">&lt;i&gt;Vlada&lt;/i&gt; zaseda</title>', "Vlada zaseda"),
    "of type xhtml": (
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><i>Vlada</i> zaseda</div></title>',
        "Vlada zaseda",
    ),
    "of type text": ('<title type="text">Cena &lt; 5</title>', "Cena < 5"),
}


@pytest.mark.parametrize(("written", "title"), ATOM_TITLES.values(), ids=ATOM_TITLES)
def test_an_atom_title_is_plain_text(written: str, title: str) -> None:
    assert only(atom(f"<entry><id>1</id>{written}</entry>")).title == title


HERE = "https://glasnik.example.rs"
LINKS = {
    "absolute": (item(link=f"{HERE}/vesti/1?a=1&amp;b=2"), f"{HERE}/vesti/1?a=1&b=2"),
    "relative": (item(link="/vesti/1"), f"{HERE}/vesti/1"),
    "without a scheme": (item(link="//drugi.example.rs/1"), "https://drugi.example.rs/1"),
    "with line breaks and blanks around": (item(link=f"\n {HERE}/ves\nti/1 \n"), f"{HERE}/vesti/1"),
    "in CDATA": (item(link=f"<![CDATA[ {HERE}/1 ]]>"), f"{HERE}/1"),
    "a guid that is a permalink": (item(link=None, guid=f"{HERE}/g"), f"{HERE}/g"),
    "a guid that says it is none": (item(link=None, more=f'<guid isPermaLink="false">{HERE}/g</guid>'), None),
    "a guid that is a number": (item(link=None, guid="234947"), None),
    "a guid that is a urn": (item(link=None, guid="urn:1"), None),
    "a script": (item(link="javascript:alert(1)"), None),
    "a file": (item(link="file:///etc/passwd"), None),
    "a link-local address stays as text": (item(link="http://169.254.169.254/latest"), "http://169.254.169.254/latest"),
    "the first of two": (item(link=f"{HERE}/a", more=f"<link>{HERE}/b</link>"), f"{HERE}/a"),
    "the first that is not empty": (item(link="", more=f"<link>{HERE}/b</link>"), f"{HERE}/b"),
    "of the item, not of a related one": (
        item(more=f"<related><item><link>{HERE}/x</link></item><link>{HERE}/y</link></related>"),
        f"{HERE}/vesti/1",
    ),
    "behind FeedBurner": (
        item(more=f'<b:origLink xmlns:b="http://rssnamespace.org/feedburner/ext/1.0">{HERE}/o</b:origLink>'),
        f"{HERE}/o",
    ),
    "behind FeedBurner, if it is an address": (
        item(more='<b:origLink xmlns:b="http://rssnamespace.org/feedburner/ext/1.0">none</b:origLink>'),
        f"{HERE}/vesti/1",
    ),
    "on an xml:base": (
        item(link="1").replace("<item>", '<item xml:base="https://baza.example.rs/a/">'),
        "https://baza.example.rs/a/1",
    ),
}


@pytest.mark.parametrize(("one", "url"), LINKS.values(), ids=LINKS)
def test_an_address_is(one: str, url: str | None) -> None:
    assert only(rss(one)).url == url


def test_atom_takes_the_page_among_its_links() -> None:
    links = "".join(
        f'<link rel="{rel}" type="{kind}" href="/{n}"{more}/>'
        for n, (rel, kind, more) in enumerate(
            (
                ("enclosure", "image/jpeg", ""),
                ("replies", "text/html", ""),
                ("alternate", "application/json", ""),
                ("alternate", "text/html", ' hreflang="en"'),
                ("alternate", "text/html", ""),
            )
        )
    )
    assert only(atom(f"<entry><id>tag:1</id><title>T</title>{links}</entry>")).url == f"{HERE}/4"


IDS = {
    "a number stays a number": ("234947", "234947"),
    "an address stays as written": (
        "http://www.Glasnik.example.rs//a?b=1&amp;en",
        "http://www.Glasnik.example.rs//a?b=1&en",
    ),
    "a bare ampersand stays one": ("17&en", "17&en"),
    "a relative one is not resolved": ("/vesti/1", "/vesti/1"),
    "blanks are none": ("  ", None),
}


@pytest.mark.parametrize(("written", "guid"), IDS.values(), ids=IDS)
def test_an_id_is_taken_as_written(written: str, guid: str | None) -> None:
    assert only(rss(item(guid=written))).id == guid


def test_the_first_of_repeated_ids_and_titles_wins() -> None:
    entry = only(rss(item(title="Prvi", guid="1", more="<guid>2</guid><title>Drugi</title>")))
    assert (entry.id, entry.title) == ("1", "Prvi")


def test_nested_media_do_not_touch_the_entry() -> None:
    media = (
        '<m:group xmlns:m="http://search.yahoo.com/mrss/"><m:title>Slika</m:title>'
        "<m:description>Opis slike</m:description>"
        "<title>Nadnaslov</title></m:group>"
        "<enclosure url='https://a.example/1.jpg'><source>Foto agencija</source></enclosure>"
    )
    entry = only(rss(item(more=media)))
    assert (entry.title, entry.summary, entry.outlet) == ("Ministar najavio razgovore o sporazumu", None, "example.rs")


TEXTS = {
    "a description is the summary": ("<description>Kratko.</description>", "Kratko.", None),
    "content beside a description": (
        "<description>Kratko.</description>"
        "<content:encoded><![CDATA[<p>Prvi pasus.</p><p>Drugi<br/>pasus.</p>]]></content:encoded>",
        "Kratko.",
        "Prvi pasus.\n\nDrugi pasus.",
    ),
    "content that equals the description": (
        "<description>Isto.</description><content:encoded>Isto.</content:encoded>",
        "Isto.",
        None,
    ),
    "content alone": ("<content:encoded>Samo ovo.</content:encoded>", "Samo ovo.", None),
    "scripts are not text": (
        "<description><![CDATA[Pre<script>x('<p>')</script> posle]]></description>",
        "Pre posle",
        None,
    ),
    "markup that was not escaped": ("<description><p>Jedan</p><p>Dva</p></description>", "Jedan\n\nDva", None),
}


@pytest.mark.parametrize(("more", "summary", "content"), TEXTS.values(), ids=TEXTS)
def test_texts_are_plain(more: str, summary: str, content: str | None) -> None:
    entry = only(rss(item(more=more), attributes=' xmlns:content="http://purl.org/rss/1.0/modules/content/"'))
    assert (entry.summary, entry.content) == (summary, content)


def test_long_texts_are_cut_and_marked() -> None:
    entry = only(rss(item(title="č" * 5_000, more=f"<description>{'š ' * 100_000}</description>")))
    assert entry.title is not None
    assert entry.summary is not None
    assert len(entry.title.encode()) <= 2_048
    assert len(entry.summary.encode()) <= 65_536
    assert entry.title.endswith("…")
    assert entry.summary.endswith("…")


DATES = {
    "pubDate": (item(date="Thu, 05 Jun 2025 14:02:00 +0200"), "2025-06-05 12:02:00+00:00", False),
    "dc:date where pubDate is empty": (
        item(date=" ", more='<d:date xmlns:d="http://purl.org/dc/elements/1.1/">2025-06-05T12:02:00Z</d:date>'),
        "2025-06-05 12:02:00+00:00",
        False,
    ),
    "the first of two dc:dates": (
        item(
            more="".join(
                f'<d:date xmlns:d="http://purl.org/dc/elements/1.1/">2025-06-0{n}T12:00:00Z</d:date>' for n in (4, 5)
            )
        ),
        "2025-06-04 12:00:00+00:00",
        False,
    ),
    "without a zone it is the host's": (item(date="05.06.2025. 14:02"), "2025-06-05 12:02:00+00:00", True),
    "in the far future it is none": (item(date="Thu, 05 Jun 2099 14:02:00 GMT"), "None", False),
    "two hours ahead it is kept": (item(date="Fri, 06 Jun 2025 10:00:00 GMT"), "2025-06-06 10:00:00+00:00", False),
}


@pytest.mark.parametrize(("one", "published", "guessed"), DATES.values(), ids=DATES)
def test_the_date_is(one: str, published: str, guessed: bool) -> None:
    entry = only(rss(one))
    assert (str(entry.published), entry.zone_guess) == (published, guessed)


def test_the_configured_zone_comes_before_the_hosts() -> None:
    entry = only(rss(item(date="05.06.2025. 14:02")), timezone="Europe/London")
    assert str(entry.published) == "2025-06-05 13:02:00+00:00"


def test_last_modified_dates_a_single_undated_entry_only() -> None:
    headers = {"last-modified": "Thu, 05 Jun 2025 12:00:00 GMT"}
    assert str(only(rss(item()), headers).published) == "2025-06-05 12:00:00+00:00"
    assert [entry.published for entry in read(rss(item(), item(link="/2")), headers).entries] == [None, None]


def test_the_written_date_is_kept() -> None:
    assert only(rss(item(date="juče oko podne"))).published_raw == "juče oko podne"


def test_the_configured_outlet_holds_where_an_entry_has_no_address() -> None:
    assert only(rss(item(link=None)), outlet="glasnik.rs").outlet == "glasnik.rs"


def test_an_unknown_zone_name_is_a_guess_by_country() -> None:
    parsed = feed.parse(
        rss(item(date="Thu, 05 Jun 2025 14:02:00 XYZT")).encode(), URL, {}, NOW, feed.FeedHints(Domain("g.rs"), "GR")
    )
    assert (str(parsed.entries[0].published), parsed.entries[0].zone_guess) == ("2025-06-05 11:02:00+00:00", True)


LANGUAGES = {
    "Serbian in Latin letters": ("Vlada Srbije saopštila je danas da nije dobila nikakav zahtev", "sr"),
    "Serbian in Cyrillic letters": ("Влада Србије саопштила је данас да није добила никакав захтев", "sr"),
    "Macedonian": ("Владата денес соопшти дека не добила никакво барање за прифаќање", "mk"),
    "Bulgarian": ("Правителството съобщи днес, че не е получило никакво искане за прием", "bg"),
    "Albanian": ("Qeveria tha sot se nuk ka marrë asnjë kërkesë për pranimin e tyre", "sq"),
    "English in a Serbian feed": ("The government said today that it had received no such request at all", "en"),
    "three words take the feed's language": ("Sve je OK", "sr"),
}


@pytest.mark.parametrize(("title", "language"), LANGUAGES.values(), ids=LANGUAGES)
def test_the_language_is_that_of_the_entry(title: str, language: str) -> None:
    assert only(rss(item(title=title), channel="<title>G</title><language>sr-RS</language>")).language == language


def test_one_language_is_labelled_by_the_outlets_country() -> None:
    title = "Ministrica je izjavila da zahtjev nije stigao i da o njemu nije odlučivano"
    assert only(rss(item(title=title, link="https://vijest.example.hr/1"))).language == "hr"
    assert only(rss(item(title=title, link="https://vijest.example.ba/1"))).language == "bs"
