"""A comparison as text, as JSON, as a page: values in, text out. The same comparison always reads the same."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from typing import Any

from monitor.backtest.compare import Comparison, Difference, Missed
from monitor.backtest.run import Outcome

SHOWN = 20
_KINDS = 40


def quantile(values: Sequence[int], share: float) -> int:
    """The value below which a share of the values lies, by nearest rank.

    >>> quantile([1, 2, 3, 4], 0.5)
    2
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0


def per_day(outcome: Outcome) -> str:
    """Prompt messages a day: the middle, a bad day, the worst."""
    return "/".join(str(quantile(outcome.per_day, share)) for share in (0.5, 0.95, 1.0))


def percent(before: int, after: int) -> str:
    """How much more or less, in percent; empty where there was nothing.

    >>> percent(10, 7)
    '-30 %'
    """
    return f"{round(100 * (after - before) / before):+d} %" if before else ""


def rows(found: Comparison) -> list[tuple[str, str, str, str]]:
    """The table: what is counted, for the running one, for the candidate, and the difference."""
    old, new = found.running, found.candidate
    gained, lost = len(found.gained), len(found.lost)
    table = [
        ("entries matched", str(old.matched), str(new.matched), ""),
        ("stories told", str(len(old.stories)), str(len(new.stories)), f"+{gained} -{lost}"),
        (
            "alerts",
            str(len(old.alerts)),
            str(len(new.alerts)),
            f"+{len(found.gained_alerts)} -{len(found.lost_alerts)}  {percent(len(old.alerts), len(new.alerts))}",
        ),
        ("prompt messages", str(old.prompt), str(new.prompt), percent(old.prompt, new.prompt)),
        ("scheduled digests", str(old.scheduled), str(new.scheduled), ""),
        ("prompt a day, p50/p95/max", per_day(old), per_day(new), ""),
        ("held by quiet hours", str(old.held), str(new.held), ""),
        ("put off by caps", str(old.capped), str(new.capped), ""),
    ]
    wanted = found.labelled["right"] + found.labelled["missed"]
    if wanted:
        missed = len(found.missed)
        table.append(("labelled stories missed", f"{found.missed_before}/{wanted}", f"{missed}/{wanted}", ""))
    if found.labelled["wrong"]:
        before, after = found.wrong_told
        table.append(("labelled wrong, still told", str(before), str(after), ""))
    return table


def text(found: Comparison, names: tuple[str, str], *, lost: int = SHOWN, new: int = SHOWN) -> str:
    """Write it for a terminal; `lost` and `new` say how many of each are listed."""
    days = max(1, round((found.until - found.since).total_seconds() / 86400))
    head = f"{days} days, {found.running.entries:,} entries, {names[0]} against {names[1]}"
    table = [("", _short(names[0]), "candidate", ""), *rows(found)]
    width = max(len(row[1]) for row in table) + 4
    lines = [f"{row[0]:<28}{row[1]:>{width}}{row[2]:>13}    {row[3]}".rstrip() for row in table]
    lines += _listed("LOST  -", found.lost, lost)
    lines += _listed("NEW   +", found.gained, new)
    lines += _listed("lost alert  -", _within(found.lost_alerts, found.lost), lost)
    lines += _listed("new alert   +", _within(found.gained_alerts, found.gained), new)
    lines += [_miss(one) for one in found.missed]
    lines += [f"note: {note}" for note in found.notes]
    return "\n".join([head, *lines]) + "\n"


def _short(name: str) -> str:
    return name.removeprefix("revision ")


def _within(alerts: Sequence[Difference], stories: Sequence[Difference]) -> list[Difference]:
    """Alerts of stories that both tell; the others stand under their story."""
    whole = {(one.title, one.at) for one in stories}
    return [one for one in alerts if (one.title, one.at) not in whole]


def _listed(sign: str, found: Sequence[Difference], most: int) -> list[str]:
    lines = [f"{sign} {_line(one)}" for one in found[:most]]
    return lines + ([f"{sign} ... and {len(found) - most} more"] if len(found) > most else [])


def _line(one: Difference) -> str:
    title = one.title if len(one.title) <= _KINDS * 2 else one.title[: _KINDS * 2 - 3] + "..."
    cause = f"  {one.cause}" if one.cause else ""
    return f'{one.at:%Y-%m-%d} {one.watch} {one.kind} "{title}"{cause}'


def _miss(one: Missed) -> str:
    state = "would be missed" if one.was_told else "is missed, as before"
    cause = f"  {one.cause}" if one.cause else ""
    return f'MISSED  labelled {one.label.verdict} ({one.label.place}) "{one.title}" {state}{cause}'


def as_json(found: Comparison, names: tuple[str, str]) -> str:
    """Write one object."""
    return json.dumps(as_dict(found, names), ensure_ascii=False, sort_keys=True) + "\n"


def as_dict(found: Comparison, names: tuple[str, str]) -> dict[str, Any]:
    """The whole of it as plain values."""
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "running": {"name": names[0], **_outcome(found.running)},
        "candidate": {"name": names[1], **_outcome(found.candidate)},
        "stories_lost": [_difference(one) for one in found.lost],
        "stories_gained": [_difference(one) for one in found.gained],
        "alerts_lost": [_difference(one) for one in found.lost_alerts],
        "alerts_gained": [_difference(one) for one in found.gained_alerts],
        "labels": {
            "counts": dict(found.labelled),
            "missed_running": found.missed_before,
            "missed_candidate": len(found.missed),
            "wrong_told": list(found.wrong_told),
            "missed": [_missed_dict(one) for one in found.missed],
            "loses": found.loses_label,
        },
        "notes": list(found.notes),
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "entries": one.entries,
        "matched": one.matched,
        "stories": len(one.stories),
        "alerts": len(one.alerts),
        "prompt_messages": one.prompt,
        "scheduled_digests": one.scheduled,
        "per_day": {name: quantile(one.per_day, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))},
        "held_by_quiet_hours": one.held,
        "put_off_by_caps": one.capped,
        "event_keys": sorted(one.decided),
    }


def _difference(one: Difference) -> dict[str, Any]:
    cause = None if one.cause is None else {"said": one.cause.said, "places": list(one.cause.places)}
    return {"title": one.title, "at": one.at.isoformat(), "watch": one.watch, "kind": one.kind, "cause": cause}


def _missed_dict(one: Missed) -> dict[str, Any]:
    cause = None if one.cause is None else {"said": one.cause.said, "places": list(one.cause.places)}
    label = {"subject": one.label.named, "verdict": one.label.verdict, "place": one.label.place}
    return {"label": label, "title": one.title, "was_told": one.was_told, "cause": cause}


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ccc}"
    "td:first-child,th:first-child{text-align:left}li{margin:.3rem 0}code{font-size:.85em}"
)


def page(found: Comparison, names: tuple[str, str]) -> str:
    """Write a page that needs nothing beside itself."""
    days = max(1, round((found.until - found.since).total_seconds() / 86400))
    title = f"{names[0]} against {names[1]}"
    head = "".join(f"<th scope=col>{html.escape(word)}</th>" for word in ("", names[0], "candidate", ""))
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows(found))
    parts = [
        f"<h1>{html.escape(title)}</h1><p>{days} days, {found.running.entries:,} entries</p>",
        f"<table><tr>{head}</tr>{body}</table>",
        _section("Stories lost", [_line(one) for one in found.lost]),
        _section("Stories gained", [_line(one) for one in found.gained]),
        _section("Alerts lost", [_line(one) for one in found.lost_alerts]),
        _section("Alerts gained", [_line(one) for one in found.gained_alerts]),
        _section("Labelled stories missed", [_miss(one) for one in found.missed]),
        _section("Notes", list(found.notes)),
    ]
    meta = '<meta charset=utf-8><meta name=viewport content="width=device-width,initial-scale=1">'
    said = "".join(parts)
    return (
        f"<!doctype html><html lang=en>{meta}<title>{html.escape(title)}</title><style>{_STYLE}</style>{said}</html>\n"
    )


def _section(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"<h2>{title} ({len(lines)})</h2><ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>"
