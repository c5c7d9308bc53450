"""Makes pages of templates: the words, dates and links that all of them share. The style sheet stands in each page."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import monitor
from alerts.tables import EPOCH, MICROSECOND
from monitor.text import languages as codes
from monitor.views.safe import link_of, plain
from monitor.web.sources import Sources

FOLDER = Path(__file__).parent
_RTL = frozenset(("ar", "fa", "he", "ur", "ps", "yi"))
_QUOTED = re.compile(r'("[^"]*")')
STANCES = {
    "confirmed": "confirmed",
    "denied": "denied",
    "agreed": "agreed",
    "refused": "refused",
    "condemned": "condemned",
    "announced_action": "announced action",
    "commented": "commented",
    "declined": "declined to comment",
    "no_reply": "gave no reply",
}


_ONE_LANGUAGE = dict.fromkeys(("bs", "hr", "cnr", "sh"), "Bosnian, Croatian or Serbian")
"""In Latin letters nobody can tell them apart by one entry; a name for one of them would claim it."""


class Pages:
    """Templates and what they may call."""

    def __init__(self, sources: Sources) -> None:
        self.style = compact(FOLDER.joinpath("static", "style.css").read_text(encoding="utf-8"))
        self.style_hash = "sha256-" + base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        languages = Locale("en").languages
        self._environment.filters |= {
            "time": _time,
            "day": lambda at: f"{at.day} {at:%b %Y}",
            "clock": lambda at: f"{at:%H:%M}",
            "iso": lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "",
            "micros": lambda at: (at - EPOCH) // MICROSECOND,
            "span": _span,
            "words": lambda text: str(text).replace("_", " "),
            "stance": lambda stance: STANCES.get(str(stance), str(stance)),
            "outlet": lambda domain: sources.outlet_name(domain) if domain else "unknown outlet",
            "government": sources.government_name,
            "language": lambda code: _language(code, languages),
            "cut": cut,
            "together": together,
            "link": link_of,
            "host": _host,
            "plain": plain,
            "segment": lambda text: quote(str(text), safe=""),
            "direction": lambda code: "rtl" if code in _RTL else "ltr",
            "count": lambda number, one, many: f"{number:,} {one if number == 1 else many}",
        }
        watches = {watch.name: watch.title or watch.name for watch in sources.watches}
        self._environment.filters["watch"] = lambda name: watches.get(name, name)
        self._environment.globals |= {
            "version": monitor.__version__,
            "style": Markup(self.style),  # noqa: S704  our own file
            "live_name": "/static/live.js?v=" + hashlib.sha256(_script()).hexdigest()[:8],
            "may_act": sources.writing is not None,
            "has_login": sources.login is not None,
            "by_proxy": sources.proxy is not None and sources.login is None,
        }

    def make(self, template: str, values: Mapping[str, Any]) -> str:
        """Fill one template."""
        return self._environment.get_template(template).render(values)


def _script() -> bytes:
    return FOLDER.joinpath("static", "live.js").read_bytes()


def compact(style: str) -> str:
    """A style sheet without comments and needless space; what stands in quotes is left as it is.

    >>> compact('a { b: c; }  /* why */ i::before { content: ": " }')
    'a{b:c;}i::before{content:": "}'
    """
    parts = _QUOTED.split(re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    return "".join(part if part.startswith('"') else _tight(part) for part in parts).strip()


def _tight(style: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\s*([{};,])\s*|(?<=:)\s+", r"\1", style))


def _language(code: str, names: Mapping[str, str]) -> str:
    base = codes.base(code) or code
    return _ONE_LANGUAGE.get(base) or str(names.get(base, base))


def cut(text: str, longest: int) -> str:
    """The beginning of a text, ended at a word.

    >>> cut("one two. three", 9)
    'one two…'
    """
    if len(text) <= longest:
        return text
    return text[:longest].rpartition(" ")[0].rstrip(" .,;:…–-") + "…"


def together(stood: Iterable[Any]) -> Iterable[tuple[str, list[Any]]]:
    """What governments did, each named once, in the order in which they were first heard."""
    found: dict[str, list[Any]] = {}
    for one in stood:
        found.setdefault(one.government, []).append(one)
    return found.items()


def _host(url: str | None) -> str:
    link = link_of(url)
    return (urlsplit(link).hostname or "").removeprefix("www.") if link else ""


def _time(at: datetime | None) -> str:
    return f"{at.day} {at:%b %Y, %H:%M}" if at else "never"


def _span(length: timedelta | None) -> str:
    """A length of time in its largest unit that says enough.

    >>> _span(timedelta(minutes=90)), _span(timedelta(days=3))
    ('90 min', '3 days')
    """
    if length is None:
        return "unknown"
    minutes = round(length.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
