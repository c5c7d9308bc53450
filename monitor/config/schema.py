"""JSON Schema of the file, for editors, and the reference page made of the same shapes. Pure.

Called by `storywatch schema` and by the tests that keep `storywatch.schema.json` and `docs/config.md` fresh.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from monitor import __version__
from monitor.config import telling
from monitor.config.fields import Name, default
from monitor.config.section import Section
from monitor.config.shape import FileShape

_DEFINED = "#/$defs/"


class WholeFile(FileShape):
    """Configuration of storywatch."""

    channels: dict[Name, telling.Channel] = default({})
    """Where messages go."""
    digests: dict[Name, telling.Digest] = default({})
    """Planned digests."""
    quiet_hours: dict[Name, telling.QuietHours] = default({})
    """Daily windows in which messages are held."""
    caps: telling.Caps = telling.Caps()
    """How many messages at most."""
    routes: telling.Route | None = None
    """Which events go where; may be left out with exactly one channel."""


def json_schema() -> dict[str, Any]:
    """Describe the file as JSON Schema 2020-12; secrets are `writeOnly` and of the format `password`."""
    schema = WholeFile.model_json_schema()
    _describe(schema)
    _mend(schema)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://storywatch.example/schema/{__version__}/config.json",
        "title": "config.yaml of storywatch",
    }
    return head | {key: value for key, value in _clean(schema).items() if key != "title"}


def schema_text() -> str:
    """Write the schema as the file people refer to in the first line of their config.yaml."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


def _describe(schema: dict[str, Any]) -> None:
    """Give each key the sentence that stands below it in its shape, unless the section it holds says the same."""
    named, defined = {shape.__name__: shape for shape in shapes()}, schema["$defs"]
    for name, definition in {WholeFile.__name__: schema, **defined}.items():
        properties = definition.get("properties", {})
        for key, said in _named(named[name]).items() if name in named else ():
            held = defined.get(properties[key].get("$ref", "").removeprefix(_DEFINED), {})
            if held.get("description") != said:
                properties[key] = dict(sorted({**properties[key], "description": said}.items()))


def _named(shape: type[Section]) -> dict[str, str]:
    return {shape.model_fields[key].alias or key: said for key, said in sentences(shape).items()}


def sentences(shape: type[Section]) -> dict[str, str]:
    """Read the sentence below each key of a shape, those it inherits among them."""
    found: dict[str, str] = {}
    for one in reversed(shape.__mro__):
        if issubclass(one, Section):
            body = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0].body  # type: ignore[attr-defined]
            found |= {
                key.target.id: inspect.cleandoc(said.value.value)
                for key, said in pairwise(body)
                if isinstance(key, ast.AnnAssign)
                and isinstance(key.target, ast.Name)
                and isinstance(said, ast.Expr)
                and isinstance(said.value, ast.Constant)
                and isinstance(said.value.value, str)
            }
    return found


def _mend(schema: dict[str, Any]) -> None:
    """Describe the two keys whose written form differs from the value made of it."""
    defined = schema["$defs"]
    threshold = defined["Threshold"]
    defined["Thresholds"] = {
        "type": "object",
        "description": threshold["description"],
        "properties": threshold["properties"],
        "additionalProperties": {"$ref": _DEFINED + "OwnThreshold"},
    }
    wait = defined["WatchAlert"]["properties"]["group_wait"]
    by_kind = {key: wait[key] for key in ("type", "additionalProperties", "propertyNames") if key in wait}
    defined["WatchAlert"]["properties"]["group_wait"] = {
        "description": wait["description"],
        "anyOf": [by_kind["additionalProperties"], by_kind],
    }


def _clean(node: Any) -> Any:
    """Drop titles made of names, and defaults of whole sections: each key inside has its own."""
    if isinstance(node, list):
        return [_clean(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "default" and (value is None or isinstance(value, dict)):
            continue
        kept[key] = {name: _clean(item) for name, item in value.items()} if key in _MAPS else _clean(value)
    return kept


_MAPS = ("properties", "$defs")


def reference_page() -> str:
    """Write the reference of every key as Markdown."""
    schema = json_schema()
    defined = schema["$defs"]
    parts = [_PAGE_HEAD, "## The file\n", *_table(schema, defined)]
    for name, definition in defined.items():
        if "properties" in definition:
            parts += [f"\n## {_heading(name)}\n", *_table(definition, defined)]
    return "\n".join(parts) + "\n"


_PAGE_HEAD = """# config.yaml, key by key

Made by `storywatch schema --markdown`; do not edit. `config.yaml` in the repository is a commented example.
Durations are `30s 5m 2h 1d` and sums (`1h30m`), sizes `5MiB`, clock times `"08:00"`, zones IANA names, countries ISO
3166 alpha-2 with `XK`; governments also `EU` and `UN`. A secret is `{env: NAME}`, `{file: PATH}` or
`{credential: NAME}`, never the secret itself. `${NAME}` and `${NAME:-default}` in ordinary text come from the
environment. An unknown key is an error.
"""

_HEADINGS = {
    "Section": "Section",
    "Feed": "feeds[]",
    "Outlet": "outlets{}",
    "Watch": "watches[]",
    "WatchAlert": "watches[].alert",
    "Spike": "watches[].alert.spike",
    "Governments": "governments",
    "ExtraBody": "governments.extra[]",
    "Auth": "feeds[].auth",
    "Login": "web.login",
    "Proxy": "web.proxy",
    "Keep": "storage.keep",
    "Thresholds": "stories.threshold",
    "OwnThreshold": "stories.threshold.LANGUAGE",
    "Copies": "stories.copies",
    "TextTemplate": "channels{}.templates of type stdout",
    "PageTemplates": "channels{}.templates of type email or folder",
    "SlackTemplate": "channels{}.templates of type slack or slack_webhook",
    "Slack": "channels{} of type slack",
    "SlackWebhook": "channels{} of type slack_webhook",
    "Email": "channels{} of type email",
    "Smtp": "channels{} of type email: smtp",
    "Webhook": "channels{} of type webhook",
    "FeedPages": "channels{} of type feed",
    "Folder": "channels{} of type folder",
    "Stdout": "channels{} of type stdout",
    "Apprise": "channels{} of type apprise",
    "Recipient": "channels{}.recipients[]",
    "Digest": "digests{}",
    "QuietHours": "quiet_hours{}",
    "Flood": "caps.flood",
    "Route": "routes",
    "SendDigest": "routes.send[]",
}


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name.lower())


def _table(definition: dict[str, Any], defined: dict[str, Any]) -> Iterator[str]:
    required = definition.get("required", [])
    yield f"{definition.get('description', '')}\n"
    yield "| key | value | default | meaning |\n|---|---|---|---|"
    for key, described in definition["properties"].items():
        usual = "required" if key in required else _default(described)
        yield f"| `{key}` | {_kind(described)} | {usual} | {_cell(_meaning(described, defined))} |"


def _meaning(described: dict[str, Any], defined: dict[str, Any]) -> str:
    """Give a key's own words, else those of the section it holds."""
    own = described.get("description") or defined.get(described.get("$ref", "").removeprefix(_DEFINED), {})
    return own if isinstance(own, str) else str(own.get("description", ""))


def _default(described: dict[str, Any]) -> str:
    value = described.get("default")
    return "" if value in (None, [], {}) else f"`{_written(value)}`"


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace('"', "")


def _kind(described: dict[str, Any]) -> str:
    if "$ref" in described:
        return _link(described["$ref"])
    if described.get("format") == "password":
        return "secret"
    if "enum" in described:
        return " ".join(f"`{word}`" for word in described["enum"])
    if "const" in described:
        return f"`{described['const']}`"
    if "anyOf" in described or "oneOf" in described:
        options = [_kind(option) for option in described.get("anyOf") or described["oneOf"]]
        return ", or ".join(dict.fromkeys(option for option in options if option))
    return _plain_kind(described)


def _plain_kind(described: dict[str, Any]) -> str:
    kind = described.get("type", "any")
    if kind == "array":
        return f"list of {_kind(described['items'])}"
    inner = [*described.get("patternProperties", {}).values(), described.get("additionalProperties")]
    if kind == "object" and isinstance(inner[0], dict):
        return f"mapping to {_kind(inner[0])}"
    if kind == "null":
        return ""
    examples = described.get("examples")
    if "minimum" in described:
        return f"{described['minimum']} to {described['maximum']}"
    return f"as `{examples[0]}`" if examples else {"string": "text", "boolean": "true or false"}.get(str(kind), "any")


def _link(reference: str) -> str:
    heading = _heading(reference.removeprefix(_DEFINED))
    anchor = "".join(sign for sign in heading.lower().replace(" ", "-") if sign.isalnum() or sign in "-_")
    return f"[{heading}](#{anchor})"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def shapes() -> Iterator[type[Section]]:
    """Give every shape of the file, for tests of their descriptions."""
    seen: set[type[Section]] = set()
    waiting: list[type[Section]] = [WholeFile, *Section.__subclasses__()]
    while waiting:
        shape = waiting.pop()
        if shape not in seen:
            seen.add(shape)
            waiting += shape.__subclasses__()
            yield shape
