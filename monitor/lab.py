"""One step of the real pipeline over JSON Lines: for tuning, bug reports and scoring. Called by `cli`.

A row that cannot be handled yields `{"id"|"path"|"url", "error": {...}}` and the rest goes on. Unknown members of a row
are ignored, and nothing is stored, fetched or sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

from monitor import lexicons, parser_pool, resources, wiring
from monitor.cluster import index, item
from monitor.config import api
from monitor.config.values import Config
from monitor.detect import attribution, credits, explain, lexicon, outlets, responses
from monitor.errors import MonitorError, ParseError, QueryError
from monitor.fetch import decode, limits
from monitor.match import concepts, matcher, query
from monitor.parse import dates, links
from monitor.values import Domain, EntryId, EntryText, Outlet, ParsedEntry, ParsedFeed, StoryKey

Row = dict[str, Any]
_NAMES = ("id", "path", "url")
_AT_ONCE = 50


class RowError(MonitorError):
    """A row lacks something or holds something unusable."""


@dataclass(frozen=True, slots=True)
class Options:
    """Flags of the command line, and what time documents are read at. `delta` is off, halves or each."""

    now: datetime
    query_field: str | None = None
    explain: bool = False
    delta: str = "off"


class Knowledge:
    """What the steps need, built when it is first asked for: canonicalising needs no lexicon."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def _detect_data(self) -> lexicons.Raw:
        return lexicons.load("detect/lexicon")

    @cached_property
    def concepts(self) -> concepts.Concepts:
        """The concepts queries may name."""
        return wiring.concepts_of(self._config)

    @cached_property
    def matcher(self) -> matcher.Matcher:
        """All watches of the configuration."""
        return wiring.matcher_of(self._config)

    @cached_property
    def outlets(self) -> outlets.OutletTable:
        """The catalogue and the configuration's outlets."""
        return wiring.outlet_table(self._config, self._detect_data)

    @cached_property
    def lexicon(self) -> lexicon.Lexicon:
        """What is known of governments and of ways to say things."""
        return wiring.lexicon_of(self._config, self._detect_data)

    @cached_property
    def credits(self) -> credits.Credits:
        """How texts credit outlets."""
        return credits.from_raw(self._detect_data)

    @cached_property
    def window(self) -> index.Index:
        """An empty window of stories."""
        return wiring.empty_window(self._config)


def knowledge(path: Path | None, environ: Mapping[str, str]) -> Knowledge:
    """Knowledge of a configuration file, of the shipped one when none is named.

    Errors: ConfigError.
    """
    return Knowledge(api.load(path or resources.resource_path("config.yaml"), environ, with_secrets=False))


def run(step: str, rows: TextIO, out: TextIO, known: Knowledge, options: Options) -> None:
    """Run one step over every line."""
    out.writelines(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers(step, rows, known, options))


def answers(step: str, lines: Iterable[str], known: Knowledge, options: Options) -> Iterator[Row]:
    """Answer each line, in order."""
    if step == "parse":
        yield from _parsed(lines, known, options)
        return
    handler = _handler(step, known, options)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _answer(line, number, handler)


def _answer(line: str, number: int, handler: Callable[[Row], Row]) -> Row:
    row: Any = {}
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise RowError("is no JSON object")
        return handler(row)
    except (MonitorError, json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as exc:
        named = {name: row[name] for name in _NAMES if isinstance(row, dict) and name in row}
        said = f"lacks {exc}" if isinstance(exc, KeyError) else str(exc)
        return {**(named or {"id": None}), "error": {"reason": "bad_row", "message": f"line {number}: {said}"}}


def _handler(step: str, known: Knowledge, options: Options) -> Callable[[Row], Row]:
    handlers: dict[str, Callable[[], Callable[[Row], Row]]] = {
        "canonical": lambda: _canonical(known),
        "match": lambda: _match(known, options),
        "cluster": lambda: _cluster(known),
        "detect": lambda: _detect(known, options),
    }
    return handlers[step]()


# ------------------------------------------------------------------------------------------------------ parse


def _parsed(lines: Iterable[str], known: Knowledge, options: Options) -> Iterator[Row]:
    """Parse documents in parser processes, as the daemon does, some at once and in order."""
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    yield from asyncio.run(_parse_all(rows, known, options))


async def _parse_all(rows: list[tuple[int, str]], known: Knowledge, options: Options) -> list[Row]:
    done: list[Row] = []
    async with parser_pool.ParserPool(2, wiring.host_table(known.outlets)) as pool:
        for at in range(0, len(rows), _AT_ONCE):
            chunk = rows[at : at + _AT_ONCE]
            done += await asyncio.gather(*(_parse_one(line, number, pool, options) for number, line in chunk))
    return done


async def _parse_one(line: str, number: int, pool: parser_pool.ParserPool, options: Options) -> Row:
    try:
        row = json.loads(line)
        body, headers = _body(row)
        parsed = await _in_parts(parser_pool.Body(body, row.get("url") or "", headers, options.now), pool, options)
    except ParseError as exc:
        return {
            "path": row["path"],
            "entries": [],
            "error": {"reason": str(exc.reason), "message": exc.message},
            "recovered": False,
        }
    except (RowError, OSError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as exc:
        return {"path": None, "error": {"reason": "bad_row", "message": f"line {number}: {exc}"}}
    entries = [_entry(entry) for entry in parsed.entries]
    return {"path": row["path"], "entries": entries, "error": None, "recovered": parsed.recovered}


async def _in_parts(body: parser_pool.Body, pool: parser_pool.ParserPool, options: Options) -> ParsedFeed:
    """A document parsed at once, or in parts of which each takes the others for seen: the result must be the same."""
    whole = await pool.parse_new(body, None)
    if options.delta == "off" or whole.memory is None:
        return whole.feed
    everything = range(len(whole.memory.items))
    if options.delta == "halves":
        parts = [everything[0::2], everything[1::2]]
    else:
        parts = [everything[at : at + 1] for at in everything]
    entries: dict[int, ParsedEntry] = {}
    for part in parts:
        seen = whole.memory.only(frozenset(everything) - frozenset(part))
        found = await pool.parse_new(body, seen)
        pairs = zip(found.positions, found.feed.entries, strict=True)
        entries |= {at: entry for at, entry in pairs if at in part}
    return replace(whole.feed, entries=tuple(entries[at] for at in sorted(entries)))


def _body(row: Row) -> tuple[bytes, dict[str, str]]:
    """The bytes as a fetch would hand them on: decoded within the same bounds."""
    headers = {str(name).lower(): str(value) for name, value in (row.get("headers") or {}).items()}
    received = decode.Body(headers.get("content-encoding", ""), limits.Limits())
    try:
        received.write(Path(row["path"]).read_bytes())
        received.finish()
    except decode.BodyRefused as exc:
        raise ParseError(str(exc.reason), exc.message) from exc
    return received.read(), headers


def _entry(entry: ParsedEntry) -> Row:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "published": _iso(entry.published),
        "outlet": entry.outlet,
        "language": entry.language,
    }


# ---------------------------------------------------------------------------------------- canonical and match


def _canonical(known: Knowledge) -> Callable[[Row], Row]:
    def handle(row: Row) -> Row:
        found = links.canonical(row["url"])
        outlet = known.outlets.by_url(links.unwrapped(row["url"]))
        return {"url": row["url"], "key": found.key, "outlet": outlet.domain if outlet else None}

    return handle


def _match(known: Knowledge, options: Options) -> Callable[[Row], Row]:
    compiled: dict[str, matcher.Matcher | QueryError] = {}

    def own(text: str) -> matcher.Matcher | QueryError:
        if text not in compiled:
            try:
                tree = query.parse(text, known.concepts)
                compiled[text] = matcher.compile([matcher.WatchQuery("query", tree)], known.concepts)
            except QueryError as exc:
                compiled[text] = exc
        return compiled[text]

    def handle(row: Row) -> Row:
        chosen = own(row[options.query_field]) if options.query_field else known.matcher
        if isinstance(chosen, QueryError):
            said = f"{chosen.message}; {chosen.hint}" if chosen.hint else chosen.message
            error = {"column": chosen.column, "message": said}
            return {"id": row["id"], "watches": [], "error": error}
        found = chosen.match(_document(row))
        watches = [{"watch": m.watch, "spans": [[s.field, s.start, s.end, s.term] for s in m.spans]} for m in found]
        return {"id": row["id"], "watches": watches}

    return handle


def _document(row: Row) -> matcher.Document:
    return matcher.Document(
        title=row.get("title") or "",
        text=row.get("text") or "",
        language=row.get("lang"),
        outlet=row.get("outlet"),
        domain=row.get("outlet_domain"),
        country=row.get("country"),
    )


# ---------------------------------------------------------------------------------------------------- cluster


def _cluster(known: Knowledge) -> Callable[[Row], Row]:
    window = known.window
    firsts: dict[StoryKey, Any] = {}
    ids: dict[int, Any] = {}
    last: list[datetime] = []

    def handle(row: Row) -> Row:
        at = _time(row.get("date") or row["at"])
        if last and at < last[-1]:
            raise RowError("is earlier than the row before: rows come in time order")
        last[:] = [at]
        number = EntryId(len(ids) + 1)
        ids[number] = row["id"]
        outlet = row.get("outlet")
        placing = item.Item(
            id=number,
            language=row.get("lang"),
            seen_at=at,
            published_at=at,
            outlet=Domain(outlet) if outlet else None,
            publisher=outlet,
            title=row.get("title") or "",
            text=row.get("text") or "",
            url=row.get("url"),
        )
        assignment = window.assign(placing, at)
        key = assignment.joined or item.story_key(f"lab:{number}")
        firsts.setdefault(key, row["id"])
        window.add(placing, key)
        copied = None if assignment.copy_of is None else ids[assignment.copy_of]
        return {"id": row["id"], "cluster": firsts[key], "copy_of": copied}

    return handle


# ----------------------------------------------------------------------------------------------------- detect


def _detect(known: Knowledge, options: Options) -> Callable[[Row], Row]:
    def handle(row: Row) -> Row:
        text = _entry_text(row, known)
        findings = [f for f in responses.findings_of(text, known.lexicon, known.outlets) if not f.background]
        citations = attribution.citations(text, known.outlets, known.credits)
        answer: Row = {
            "id": row["id"],
            "responses": [responses.as_lab(finding) for finding in findings],
            "citations": [{"source": c.source, "domain": c.domain, "kind": c.kind} for c in citations],
        }
        if options.explain:
            answer["explain"] = list(explain.lines(responses.read(text, known.lexicon, known.outlets)))
        return answer

    return handle


def _entry_text(row: Row, known: Knowledge) -> EntryText:
    title = row.get("title") or ""
    body = "\n\n".join(part for part in (row.get("summary"), row.get("text")) if part)
    at = row.get("date_if_known") or row.get("date") or row.get("at")
    outlet, language = _outlet(row, known), row.get("lang")
    date = _known_date(str(at)) if at else None
    return EntryText(title, body, language, outlet, date)


def _outlet(row: Row, known: Knowledge) -> Outlet | None:
    domain, name = row.get("domain") or "", row.get("outlet") or ""
    found = known.outlets.by_host(domain) if domain else known.outlets.by_name(name, row.get("lang")) if name else None
    if found is None and name and "." in name and " " not in name:
        found = known.outlets.by_url(name)
    if found is None and (domain or name):
        found = Outlet(Domain(domain or name), name or domain, row.get("country"))
    return found


def _known_date(text: str) -> datetime | None:
    """A date that may be known only in part: a month counts as its last days, a year says too little to go by."""
    if len(text) == len("2025"):
        return None
    return _time(f"{text}-28" if len(text) == len("2025-06") else text)


def _time(text: str) -> datetime:
    at = dates.read(str(text), datetime(2200, 1, 1, tzinfo=UTC)).at
    if at is None:
        raise RowError(f"{text!r} is no time")
    return at


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
