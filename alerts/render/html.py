"""A digest as one HTML page: the body of a mail, and the .html file of a folder. Pure.

One column of 600 pixels, system fonts, no image, no script, nothing loaded from anywhere. Inline styles for the sake
of mail programs; dark colours by a media query, with `!important` because inline styles would win otherwise. At most
60 KB: some programs clip longer mails.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from alerts.render import own, words
from alerts.values import Digest, DigestForm, Event, StoryPart

LIMIT = 60_000
FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
DARK = """
@media (prefers-color-scheme: dark) {
  body, .page { background: #15171a !important; color: #e4e6e9 !important; }
  .card { background: #1e2125 !important; border-color: #343a41 !important; }
  .quiet { color: #9aa3ad !important; }
  .answer { background: #3a1d1d !important; border-color: #e0695f !important; }
  .quote { border-color: #454c55 !important; color: #cfd4da !important; }
  a { color: #8ab8ff !important; }
}
"""
HEAD = "margin:18px 0 6px;font-size:12px;font-weight:700;letter-spacing:.06em;text-transform:uppercase;color:#5b6570"
QUIET = "color:#5b6570;font-size:13px"
QUOTE = "margin:4px 0 4px;padding:2px 0 2px 10px;border-left:3px solid #c9d1d9;color:#2f363d"
ANSWER = "margin:6px 0;padding:8px 10px;background:#fdf0ef;border-left:4px solid #c0392b"
CARD = "margin:0 0 14px;padding:16px 18px;background:#ffffff;border:1px solid #dfe3e8;border-radius:8px"
LINK = "color:#0b5cad;text-decoration:none"


def page(digest: Digest, template: own.Template | None = None) -> str:
    """Write the page, its stories by a template where there is one.

    Lists are cut, and say by how much, until it is small enough; a template that stays too long is left aside.
    """
    for layout in dict.fromkeys((template, None)):
        for most in (60, 30, 15, 8, 4, 2, 1):
            written = _page(digest, most, layout)
            if len(written.encode("utf-8")) <= LIMIT:
                return written
    return _frame(digest, _p(words.clean(digest.subject, 300)))


def article(digest: Digest) -> str:
    """Write what stands inside the page, for an entry of a feed."""
    for most in (60, 30, 15, 8, 4, 2):
        written = _inner(digest, most)
        if len(written.encode("utf-8")) <= LIMIT:
            return written
    return _inner(digest, 1)


def _page(digest: Digest, most: int, template: own.Template | None) -> str:
    return _frame(digest, _inner(digest, most, template))


def _inner(digest: Digest, most: int, template: own.Template | None = None) -> str:
    times = words.Clock(digest.recipient.timezone, digest.made_at)
    seen = digest.coverage
    parts = []
    if seen is not None and seen.partly_blind:
        parts.append(
            f'<p class="answer" style="{ANSWER}"><b>Partly blind.</b> {_text(words.coverage(seen, times), 900)}</p>'
        )
    parts += [_p(words.clean(note, 400)) for note in digest.notes[:10]]
    if digest.form is DigestForm.OPERATOR:
        parts.append(_operator(digest, times, most))
    single = len(digest.stories) == 1 and digest.form is DigestForm.PROMPT
    for part in digest.stories[: max(most, 10)]:
        written, shown = own.choose(template, part, digest, times, most, str)
        card = _story(shown, digest, times, most, single=single) if written is None else _card(written)
        parts.append(card)
    parts.append(_also(digest, most))
    if not digest.stories and not digest.more and digest.form is not DigestForm.OPERATOR:
        parts.append(_p("Nothing new."))
    if seen is not None:
        parts.append(_quiet(f"Watching: {words.coverage(seen, times)}"))
    parts.append(_quiet(f"{digest.delivery_id}, configuration {digest.config_rev}"))
    return "\n".join(part for part in parts if part)


def _frame(digest: Digest, inner: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{_text(digest.subject, 300)}</title>
<style>{DARK}</style>
</head>
<body style="margin:0;padding:0;background:#f2f4f6;color:#1b1f23">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f2f4f6">
<tr><td align="center" style="padding:16px 8px">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" style="max-width:600px;width:100%">
<tr><td style="font-family:{FONT};font-size:15px;line-height:1.45">
{inner}
</td></tr></table>
</td></tr></table>
</body>
</html>
"""


def _story(part: StoryPart, digest: Digest, times: words.Clock, most: int, *, single: bool) -> str:
    rows = [
        f'<h1 style="margin:0 0 6px;font-size:{21 if single else 17}px;line-height:1.25" {_language(part.language)}>'
        f"{_link(part.lead_url, words.clean(part.headline, words.TITLE))}</h1>",
        _quiet(f"{words.counts(part, times)}. Message {part.number}.", "margin:0;"),
        *[_p(words.clean(note, 400)) for note in part.notes[:5]],
    ]
    if part.lead and not part.told:
        rows.append(_quote(part.lead, part.language, part.lead_outlet, part.lead_url, words.LEAD))
    rows += _news(part, times, most)
    rows += _governments(part, times, most)
    if part.non_answers:
        rows.append(_head("Asked, no answer (not a response)"))
        bodies = (
            f"<b>{_text(words.silent_body(silent), 120)}</b>: {_text(words.silence(silent), 900)}"
            for silent in part.non_answers[:most]
        )
        rows.append(_list(bodies, len(part.non_answers) - most))
    cited = words.citations(part)
    if cited:
        rows.append(_head("Who cites whom"))
        rows.append(_list((" &larr; ".join(map(escape, chain)) for chain in cited[:most]), len(cited) - most))
    earlier = words.history(part)
    if earlier:
        rows.append(_head("Before"))
        rows.append(_list((_text(words.fact(event, times), 300) for event in earlier[:most]), len(earlier) - most))
    if part.stale:
        rows.append(_p(f"Older entries seen now: {part.stale}."))
    rows.append(_why(part, digest))
    return _card("\n".join(rows))


def _card(inner: str) -> str:
    return f'<div class="card" style="{CARD}">\n{inner}\n</div>'


def _governments(part: StoryPart, times: words.Clock, most: int) -> list[str]:
    if not part.answers:
        return [_head("Governments"), _p("None has answered.")]
    rows = [_head("Governments")]
    for event in part.answers[:most]:
        answer = event.answer
        assert answer is not None
        new = "<b>NEW</b> " if words.is_new(event, part) else ""
        said = f"{new}<b>{_text(words.speaker(event), 160)}: {_text(words.stance(event), 200)}</b>"
        address = event.mention.url if event.mention else None
        where = f"{words.outlet(event)}, {times.short(words.when(event))}"
        quote = _quote(answer.quote, answer.language, where, address, words.QUOTE)
        style = ANSWER if new else "margin:6px 0"
        rows.append(f'<div class="{"answer" if new else ""}" style="{style}">{said}{quote}</div>')
    rows.append(_more(len(part.answers) - most))
    for event in words.further_quotes(part)[:5]:
        answer = event.answer
        assert answer is not None
        rows.append(_p(f"{words.speaker(event)}, said again:"))
        address = event.mention.url if event.mention else None
        rows.append(_quote(answer.quote, answer.language, words.outlet(event), address, words.QUOTE))
    return rows


def _news(part: StoryPart, times: words.Clock, most: int) -> list[str]:
    fresh = words.news_events(part)
    rows: list[str] = []
    if fresh or part.copies_new:
        rows.append(_head(words.since(part, times)))
    if fresh:
        rows.append(_list((_news_line(event, part, times) for event in fresh[:most]), len(fresh) - most))
    if part.copies_new:
        names = words.listed([words.clean(name, 60) for name in part.copies_new], 10)
        rows.append(_p(f"Copies of known texts: {names}"))
    return rows


def _news_line(event: Event, part: StoryPart, times: words.Clock) -> str:
    mention = event.mention
    if mention is None:
        return _text(words.news(event, times), 900)
    title = words.clean(mention.title, words.TITLE)
    label = title if title and mention.title != part.headline else words.outlet(event)
    said = _text(words.news(event, times), 900)
    shown = f"{times.short(words.when(event))} <b>{_text(words.outlet(event), 60)}</b> ({said})"
    linked = _link(mention.url, label)
    return shown + (f"<br><span {_language(mention.language)}>{linked}</span>" if linked else "")


def _why(part: StoryPart, digest: Digest) -> str:
    act = " &middot; ".join(_link(url, name) for name, url in words.actions(part, digest.links))
    if digest.links is None or not digest.links.mute:
        command = f"To mute this story: <code>{_text(words.mute_command(part), 300)}</code>"
        act = f"{act}<br>{command}" if act else command
    return f'<p class="quiet" style="margin:16px 0 0;{QUIET}">Why you: {_text(words.why(part), 900)}.<br>{act}</p>'


def _also(digest: Digest, most: int) -> str:
    left = digest.stories[max(most, 10) :]
    parts = (*left, *digest.more)
    if not parts:
        return ""
    lines = (
        f"{_link(part.lead_url, words.clean(part.headline, 120))} - {words.count(part.outlets, 'outlet')}"
        for part in parts[:most]
    )
    return _head("Also") + _list(lines, len(parts) - most)


def _operator(digest: Digest, times: words.Clock, most: int) -> str:
    lines = []
    for event in digest.events[:most]:
        said, facts = words.report(event)
        rest = "".join(f"<br>{escape(name)}: {escape(value)}" for name, value in facts)
        lines.append(f"{times.short(event.decided_at)} <b>{escape(said)}</b>{rest}")
    return _list(lines, len(digest.events) - most)


def _text(text: str, length: int) -> str:
    return escape(words.clean(text, length))


def _p(text: str) -> str:
    return f'<p style="margin:6px 0">{escape(text)}</p>'


def _quiet(text: str, style: str = "") -> str:
    return f'<p class="quiet" style="{style}{QUIET}">{_text(text, 900)}</p>'


def _head(text: str) -> str:
    return f'<h2 class="quiet" style="{HEAD}">{escape(text)}</h2>'


def _more(left: int) -> str:
    return f'<p class="quiet" style="margin:4px 0;{QUIET}">+{left} more</p>' if left > 0 else ""


def _list(lines: Iterable[str], left: int) -> str:
    rows = "\n".join(f'<li style="margin:0 0 6px">{line}</li>' for line in lines)
    return f'<ul style="margin:0;padding:0 0 0 18px">\n{rows}\n</ul>{_more(left)}'


def _language(language: str | None) -> str:
    tag = "".join(letter for letter in (language or "")[:12] if letter.isalnum() or letter == "-")
    return f'lang="{tag}" dir="{words.direction(tag)}"' if tag else 'dir="auto"'


def _link(url: str | None, label: str) -> str:
    address = words.link(url)
    shown = escape(label)
    return f'<a href="{escape(address)}" style="{LINK}">{shown}</a>' if address else shown


def _quote(text: str, language: str | None, where: str, url: str | None, length: int) -> str:
    said = (
        f'<div class="quote" style="{QUOTE}" {_language(language)}>{escape(words.quoted(text, length))}</div>'
        if text
        else ""
    )
    label = words.clean(where, 120)
    return said + f'<div class="quiet" style="{QUIET}">{_link(url, label)}</div>' if label else said
