"""Every code of a problem: what it means, a wrong and a right example. Codes are never reused.

Made for `storywatch check --explain CODE`; a test runs each pair of examples through the check. Data, no behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One code. The examples are parts of a file; None where a text alone cannot show it."""

    code: str
    says: str
    wrong: str | None = None
    right: str | None = None


HEAD = "version: 1\ncontact: https://newsroom.example/reader\n"
"""What every example stands on, unless it brings its own."""


def _feeds(line: str) -> str:
    return f"feeds:\n  - {line}\n"


def _watch(query: str) -> str:
    lines = "".join(f"      {line}\n" for line in query.split("\n"))
    return f"watches:\n  - name: border\n    query: |\n{lines}"


def _channels(*lines: str) -> str:
    return "channels:\n" + "".join(f"  {line}\n" for line in lines)


_CONSOLE = _channels("console: {type: stdout}")


def _told(query: str) -> str:
    return _watch(query) + _CONSOLE


_FILE = (
    Code("E001", "The file is not there, is a directory, or may not be read."),
    Code("E002", "The file is empty or holds a list. An empty file never means the defaults.", "# nothing\n", HEAD),
    Code("E003", "This is not YAML, or not UTF-8.", "web: [127.0.0.1:8080\n", "web: {listen: 127.0.0.1:8080}\n"),
    Code("E004", "A second document begins here; the file holds one.", "web: {}\n---\nweb: {}\n", "web: {}\n"),
    Code("E005", "A tag (!name) changes what a value is; none is allowed.", "timezone: !zone UTC\n", "timezone: UTC\n"),
    Code(
        "E006",
        "The file is larger than 1 MiB, nested deeper than 50 levels, or its aliases repeat more than 100,000 values.",
        "concepts: " + "[" * 60 + "]" * 60 + "\n",
        "concepts: {}\n",
    ),
)
_KEYS = (
    Code(
        "E010", "A key that must be there is missing.", _feeds("{tags: [wire]}"), _feeds("{url: https://a.example/rss}")
    ),
    Code("E011", "This key is unknown here.", "limits: {dedline: 45s}\n", "limits: {deadline: 45s}\n"),
    Code("E012", "The same key stands twice.", "web: {feeds: true, feeds: false}\n", "web: {feeds: true}\n"),
    Code(
        "E013",
        "Another kind of value is wanted here.",
        "feeds: https://a.example/rss\n",
        _feeds("{url: https://a.example/rss}"),
    ),
)
_VALUES = (
    Code(
        "E020",
        "This is no duration: 30s, 5m, 2h, 1d, or a sum as 1h30m.",
        "engine: {tick: 15}\n",
        "engine: {tick: 15s}\n",
    ),
    Code("E021", "This is no size: 500kB, 5MiB.", "limits: {body: 10 megabytes}\n", "limits: {body: 10MiB}\n"),
    Code(
        "E022",
        'This is no clock time, or no date: "08:00", 2025-06-13.',
        _CONSOLE + 'digests: {morning: {at: ["7:5"]}}\n',
        _CONSOLE + 'digests: {morning: {at: ["07:05"]}}\n',
    ),
    Code("E023", "No time zone has this name.", "timezone: europe/belgrade\n", "timezone: Europe/Belgrade\n"),
    Code("E024", "Countries are two capitals.", "governments: {watch: [Serbia]}\n", "governments: {watch: [RS]}\n"),
    Code(
        "E025",
        "This is no address of the wanted form.",
        "web: {listen: localhost}\n",
        "web: {listen: 127.0.0.1:8080}\n",
    ),
    Code(
        "E026",
        "Names are made of a-z, 0-9 and -, at most 40 of them.",
        _feeds("{url: https://a.example/rss, tags: [The Wire]}"),
        _feeds("{url: https://a.example/rss, tags: [the-wire]}"),
    ),
    Code(
        "E027",
        "This word is not one of those that may stand here.",
        "engine: {kind: celery}\n",
        "engine: {kind: local}\n",
    ),
    Code("E028", "The value is outside its bounds.", "stories: {window: 30d}\n", "stories: {window: 72h}\n"),
)
_NAMES = (
    Code(
        "E030",
        "No watch has this name.",
        _CONSOLE + _watch("Serbia") + "routes: {to: [console], routes: [{watch: boarder, to: [console]}]}\n",
        _CONSOLE + _watch("Serbia") + "routes: {to: [console], routes: [{watch: border, to: [console]}]}\n",
    ),
    Code(
        "E031", "No channel has this name.", _CONSOLE + "routes: {to: [desk]}\n", _CONSOLE + "routes: {to: [console]}\n"
    ),
    Code(
        "E032",
        "No digest has this name.",
        _CONSOLE + "routes: {to: [console], send: [{digest: morning}]}\n",
        _CONSOLE + 'digests: {morning: {at: ["08:00"]}}\nroutes: {to: [console], send: [{digest: morning}]}\n',
    ),
    Code(
        "E033",
        "No country or government has this code.",
        "governments: {watch: [UK]}\n",
        "governments: {watch: [GB]}\n",
    ),
    Code(
        "E034",
        "No quiet hours have this name.",
        _channels("console: {type: stdout, recipients: [{quiet_hours: nights}]}"),
        _channels("console: {type: stdout, recipients: [{quiet_hours: nights}]}")
        + 'quiet_hours: {nights: {from: "22:00", to: "07:00"}}\n',
    ),
    Code(
        "E035",
        "No feed has this tag.",
        _feeds("{url: https://a.example/rss, tags: [wire]}") + _watch("Serbia") + "    feeds: [wires]\n",
        _feeds("{url: https://a.example/rss, tags: [wire]}") + _watch("Serbia") + "    feeds: [wire]\n",
    ),
    Code(
        "E036",
        "The same name is given twice.",
        "watches:\n  - {name: a, keywords: [Balkan]}\n  - {name: a, keywords: [TPS]}\n",
        "watches:\n  - {name: a, keywords: [Balkan]}\n  - {name: b, keywords: [TPS]}\n",
    ),
)
_FEEDS = (
    Code(
        "E040",
        "Feeds are polled over http or https.",
        _feeds("{url: ftp://a.example/rss}"),
        _feeds("{url: https://a.example/rss}"),
    ),
    Code(
        "E041",
        "No host can have this name.",
        _feeds("{url: https://☃.net/rss}"),
        _feeds("{url: https://пример.срб/rss}"),
    ),
    Code(
        "E042",
        "The same feed stands twice: scheme, case of the host, default port and a last slash do not count.",
        "feeds:\n  - {url: https://a.example/rss}\n  - {url: HTTP://A.example/rss/}\n",
        "feeds:\n  - {url: https://a.example/rss}\n  - {url: https://a.example/world}\n",
    ),
)
_QUERIES = (
    Code("E050", "There is no query.", "watches:\n  - name: border\n    query: ~\n", _watch("Serbia")),
    Code(
        "E051",
        "A bracket or quote is never closed, or never opened.",
        _watch("(Serbia OR Kosovo"),
        _watch("(Serbia OR Kosovo)"),
    ),
    Code(
        "E052",
        "This operator, field or concept is unknown.",
        _watch("Serbia NAER/5 deport*"),
        _watch("Serbia NEAR/5 deport*"),
    ),
    Code("E053", "An operator is missing between two terms.", _watch("Serbia Kosovo"), _watch("Serbia AND Kosovo")),
    Code(
        "E054",
        "AND and OR stand side by side: which binds first is for you to say.",
        _watch("Serbia AND Kosovo OR Bosnia"),
        _watch("Serbia AND (Kosovo OR Bosnia)"),
    ),
    Code(
        "E055",
        "NEAR and its kin take terms and OR groups, and a number up to 50.",
        _watch("Serbia NEAR/500 deport*"),
        _watch("Serbia NEAR/5 deport*"),
    ),
    Code(
        "E056",
        "There is nothing to find: a query needs a word that must be there.",
        _watch("NOT Serbia"),
        _watch("Kosovo NOT Serbia"),
    ),
)
_TELLING = (
    Code(
        "E060",
        "Quiet hours that end when they begin.",
        'quiet_hours: {nights: {from: "22:00", to: "22:00"}}\n' + _CONSOLE,
        'quiet_hours: {nights: {from: "22:00", to: "07:00"}}\n' + _CONSOLE,
    ),
    Code(
        "E061",
        "A digest without a time.",
        _CONSOLE + "digests: {morning: {at: []}}\n",
        _CONSOLE + 'digests: {morning: {at: ["08:00"]}}\n',
    ),
    Code(
        "E062",
        "A channel that falls back to itself, directly or in a ring.",
        _channels("console: {type: stdout, fallback: console}"),
        _channels("console: {type: stdout, fallback: files}", "files: {type: folder, path: out}")
        + "routes: {to: [console, files]}\n",
    ),
    Code(
        "E063",
        "A route that can never match: one before it takes everything.",
        _CONSOLE + "routes: {to: [console], routes: [{to: [console]}, {kind: response, to: [console]}]}\n",
        _CONSOLE + "routes: {to: [console], routes: [{kind: response, to: [console]}]}\n",
    ),
    Code(
        "E064",
        "A page that others can reach, without a login.",
        "web: {listen: '0.0.0.0:8080'}\n",
        "web: {listen: 127.0.0.1:8080}\n",
    ),
)
_SECRETS = (
    Code(
        "E070",
        "The secret is not there or is empty.",
        "web: {link_keys: [{env: NO_SUCH_VARIABLE}]}\n",
        "web: {link_keys: []}\n",
    ),
    Code(
        "E071",
        "A secret stands in the file.",
        _feeds("{url: https://ana:swordfish@a.example/rss}"),
        _feeds("{url: https://a.example/rss}"),
    ),
    Code("E072", "The file of a secret cannot be read.", "web: {link_keys: [{file: /}]}\n", "web: {link_keys: []}\n"),
    Code("E073", "A key shorter than 16 characters can be guessed."),
    Code("E080", "A template does not render on the fixture stories."),
    Code("E081", "The database cannot be reached, or is newer than this program."),
    Code("E082", "This type of channel needs an extra that is not installed: pip install 'storywatch[apprise]'."),
    Code("E090", "Asked with --live, the server of a channel refuses us or cannot be reached."),
)
_WARNINGS = (
    Code(
        "W007",
        "A term takes words that are not meant, or misses forms of its own.",
        _told("deport*"),
        _told("~deportation"),
    ),
    Code("W008", "The query found nothing in 30 days of stored entries, or more than 200 a day."),
    Code(
        "W009",
        "YAML takes what follows # for a comment and cuts the query.",
        "watches:\n  - name: border\n    query: Serbia # OR Kosovo\n",
        _watch("Serbia OR Kosovo"),
    ),
    Code(
        "W010",
        "In a folded block (>) the places of faults are lost.",
        _watch("Serbia").replace("|", ">"),
        _watch("Serbia"),
    ),
    Code(
        "W011",
        "YAML takes the quotes away: two words instead of a phrase.",
        'watches:\n  - name: border\n    query: "Serbia"\n',
        _watch('"Serbia"'),
    ),
    Code(
        "W012",
        "The contact is still the placeholder of the shipped file.",
        "version: 1\ncontact: https://example.org/change-me\n",
        HEAD,
    ),
    Code(
        "W013",
        "Without parser processes a malicious feed is not held by limits.",
        "parse: {workers: 0}\n",
        "parse: {workers: 1}\n",
    ),
    Code(
        "W014",
        "Any certificate is accepted.",
        _feeds("{url: https://a.example/rss, tls: insecure}"),
        _feeds("{url: https://a.example/rss}"),
    ),
    Code("W020", "A watch that reaches nobody.", _watch("Serbia"), _watch("Serbia") + _CONSOLE),
    Code(
        "W021",
        "An incoming webhook cannot update its messages, and a lost reply may repeat one.",
        _channels("desk: {type: slack_webhook, url: {env: HOOK}}"),
        _channels("desk: {type: slack, token: {env: TOKEN}, recipients: [{to: C0DESK}]}"),
    ),
    Code(
        "W022",
        "A channel that no route reaches.",
        _channels("console: {type: stdout}", "files: {type: folder, path: out}") + "routes: {to: [console]}\n",
        _channels("console: {type: stdout}", "files: {type: folder, path: out}") + "routes: {to: [console, files]}\n",
    ),
    Code(
        "W023",
        "News about the program itself has only one way out although there are more channels.",
        _channels("console: {type: stdout}", "files: {type: folder, path: out}")
        + "routes: {to: [console], routes: [{kind: response, to: [files]}]}\n",
        _channels("console: {type: stdout}", "files: {type: folder, path: out}") + "routes: {to: [console, files]}\n",
    ),
    Code("W024", "Without the history scope Slack cannot be asked whether a message arrived."),
    Code(
        "W030",
        "A planned digest inside the quiet hours of its recipient runs at their end.",
        _channels("console: {type: stdout, recipients: [{quiet_hours: nights}]}")
        + 'quiet_hours: {nights: {from: "22:00", to: "07:00"}}\n'
        + 'digests: {early: {at: ["06:00"]}}\nroutes: {to: [console], send: [{digest: early}]}\n',
        _channels("console: {type: stdout, recipients: [{quiet_hours: nights}]}")
        + 'quiet_hours: {nights: {from: "22:00", to: "07:00"}}\n'
        + 'digests: {early: {at: ["08:00"]}}\nroutes: {to: [console], send: [{digest: early}]}\n',
    ),
    Code(
        "W031",
        "A wait longer than the pause between messages.",
        _watch("Serbia") + "    alert: {group_wait: 45m, group_interval: 30m}\n",
        _watch("Serbia") + "    alert: {group_wait: 5m, group_interval: 30m}\n",
    ),
    Code("W032", "A cap below what is to be expected."),
    Code(
        "W033",
        "Etc/GMT+2 lies west of Greenwich: two hours behind UTC.",
        "timezone: Etc/GMT+2\n",
        "timezone: Europe/Athens\n",
    ),
    Code("W040", "The feed is dead or silent."),
    Code("W041", "Asked with --live, a server did not answer in time."),
    Code(
        "W042",
        "No feed of the file has this tag, nor one like it; feeds that stand in the database may.",
        _feeds("{url: https://a.example/rss, tags: [wire]}") + _watch("Serbia") + "    feeds: [balkan]\n",
        _feeds("{url: https://a.example/rss, tags: [balkan]}") + _watch("Serbia") + "    feeds: [balkan]\n",
    ),
    Code("W070", "Every user of this machine can read the file of a secret."),
    Code(
        "W071",
        "A password stands in the address of the database.",
        "storage: {url: 'postgresql://sw:swordfish@db.example/sw'}\n",
        "storage: {url: 'postgresql://sw@db.example/sw'}\n",
    ),
)

CODES = {
    one.code: one
    for group in (_FILE, _KEYS, _VALUES, _NAMES, _FEEDS, _QUERIES, _TELLING, _SECRETS, _WARNINGS)
    for one in group
}


def explained(code: str) -> str | None:
    """Write the long text of a code, with its examples; None for an unknown code."""
    found = CODES.get(code.upper())
    if found is None:
        return None
    parts = [f"{found.code}: {found.says}\n"]
    for title, example in (("Wrong", found.wrong), ("Right", found.right)):
        if example:
            parts.append(f"\n{title}:\n" + "".join(f"  {line}\n" for line in example.splitlines()))
    return "".join(parts)
