"""What feedparser is spared, it would have handed on as it is: both ways through a document write the same down."""

from __future__ import annotations

import pytest

from monitor.parse import elements, recorder

NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "a10": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "news": "urn:news",
    "pheedo": "http://www.pheedo.com/namespace/pheedo",
    "prism": "http://prismstandard.org/namespaces/1.2/basic/",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "yandex": "http://news.yandex.ru",
}
FORMS = {
    "text alone": "<{0}> Vlada &amp; &lt;b&gt;Skopje&lt;/b&gt; &#269; </{0}>",
    "nothing": "<{0}/>",
    "a section": "<{0}><![CDATA[<p>Vlada</p> & more]]></{0}>",
    "text, a comment, a section": "<{0}>one<!-- <two/> -->three<![CDATA[ four]]></{0}>",
    "an address": "<{0}>/news/1?a=1&amp;b=2</{0}>",
    "a date": "<{0}>Thu, 05 Jun 2025 14:02:00 +0200</{0}>",
    "markup within": "<{0}>before <b>in <i>it</i></b> after</{0}>",
    "markup of another namespace within": '<{0}>before <div xmlns="http://www.w3.org/1999/xhtml">in</div> after</{0}>',
    "an unknown element within": "<{0}>before <rating>5</rating> after</{0}>",
    "a name within": "<{0}><name>Ana</name><uri>https://a.example</uri></{0}>",
    "an item within": "<{0}>a<item><title>b</title></item></{0}>",
    "said to be HTML": '<{0} type="html">a &lt;br&gt; b</{0}>',
    "said to be text": '<{0} type="TEXT">a &lt;br&gt; b</{0}>',
    "said to be XHTML": '<{0} type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div></{0}>',
    "said to be XHTML, and text alone": '<{0} type="xhtml">a &lt; b</{0}>',
    "said to be base64": '<{0} mode="base64" type="text/html">VmxhZGE=</{0}>',
    "said to be bytes": '<{0} type="application/octet-stream">VmxhZGE=</{0}>',
    "said to be an image": '<{0} type="image/png">VmxhZGE=</{0}>',
    "a permalink or not": '<{0} isPermaLink="false">/17</{0}>',
    "an address as attribute": '<{0} rel="alternate" type="text/html" href="/news/1" hreflang="sr"/>',
    "an address as attribute, and text": '<{0} href="/news/1">/news/2</{0}>',
    "a base of its own": '<{0} xml:base="https://other.example/a/">b</{0}>',
    "a language of its own": '<{0} xml:lang="sr">b</{0}>',
    "an unknown attribute": '<{0} kind="long">b</{0}>',
    "a namespace of its own": '<{0} xmlns:x="urn:x">b<x:c/></{0}>',
    "twice": "<{0}>first</{0}><{0}>second</{0}>",
}
DOCUMENTS = {
    "rss": '<rss version="2.0" {0}><channel><title>P</title><link>https://p.example</link>{1}</channel></rss>',
    "atom": '<feed xmlns="http://www.w3.org/2005/Atom" {0}><title>P</title>{1}</feed>',
    "rdf": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" {0}>'
    "<channel><title>P</title></channel>{1}</rdf:RDF>",
}


def _document(kind: str, items: str) -> str:
    names = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
    return DOCUMENTS[kind].format(names, items)


@pytest.mark.parametrize("base", ["", "https://p.example/feed/"])
@pytest.mark.parametrize("form", FORMS)
def test_both_ways_read_an_element_alike(form: str, base: str) -> None:
    """Each element that is read, alone in an item and between a title and an unread one and a date."""
    tags = sorted(elements.WANTED | {"media:thumbnail", "category"})
    for kind in DOCUMENTS if not base else ["atom"]:
        mark = "entry" if kind == "atom" else "item"
        written = [FORMS[form].format(tag) for tag in tags]
        items = [f"<title>T</title>{one} and <category>c <b>d</b></category><pubDate>now</pubDate>" for one in written]
        text = _document(kind, "".join(f"<{mark}>{item}</{mark}>" for item in [*items, *written]))
        short, long = recorder.strict(text, base), recorder.at_length(text, base)
        assert short is not None
        assert long is not None
        assert short.items == long.items
        assert short.feed_fields == long.feed_fields


def test_text_alone_is_not_shown_to_feedparser() -> None:
    found = recorder.strict(_document("rss", "<item><title>T</title><description>D</description></item>"), "")
    assert found is not None
    assert [field.value for field in found.items[0].fields] == ["T", "D"]
    assert "title" not in found.entries[0]  # type: ignore[attr-defined]  # feedparser's own
