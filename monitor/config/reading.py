"""YAML 1.2 with the place of every key and value. With `composing`, the only module that knows the YAML library.

Reads a text into plain values (text, numbers, lists, mappings) and a table of places; every trap of the format becomes
a problem: tags, duplicate keys, several documents, deep nesting, aliases that explode. Knows nothing of what keys mean.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from monitor.config import composing, skimming
from monitor.errors import Problem

Path = tuple[str | int, ...]
"""Where a value stands: keys and list positions from the top."""

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 50
_TOO_MANY = f"more than {MAX_NODES:,} values, aliases counted"
_CORE = "tag:yaml.org,2002:"
_TELLING = frozenset("tTfFnN.0123456789")
_TAGGED = re.compile(r"(?:&\S+\s+)?!")
_BRACKETS = re.compile(r"[\[\]{}]")
_DIRECTIVE = re.compile(r"^%(?:YAML|TAG)\b", re.MULTILINE)
_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line; all counted from 1, the end is exclusive. `style` is the YAML style of a scalar."""

    line: int
    column: int
    end_column: int
    style: str | None = None


START = Place(1, 1, 1)


@dataclass(slots=True)
class Document:
    """A file as read: plain values, places, raw lines, and the faults of its form."""

    file: str
    lines: tuple[str, ...]
    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def key_place(self, path: Path) -> Place:
        """Find the place of a key, or of the value or nearest parent where there is none."""
        return self.keys.get(path) or self.value_place(path)

    def value_place(self, path: Path) -> Place:
        """Find the place of a value, or of its nearest parent that has one."""
        while path:
            if path in self.values:
                return self.values[path]
            path = path[:-1]
        return START

    def raw(self, line: int) -> str:
        """Give one line of the file, counted from 1; empty beyond its end."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""


class _Stop(Exception):
    """The file is too large to go on with."""


class _Unsure(Exception):
    """What was skimmed does not fit what the library reads around it."""


def read(content: bytes, file: str) -> Document:
    """Read the bytes of a file. Faults of form stand in `problems`; `data` is None when nothing could be read."""
    if len(content) > MAX_BYTES:
        said = f"the file holds {len(content):,} bytes; {MAX_BYTES:,} are allowed"
        return Document(file, (), problems=[_problem(file, "E006", said, START)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        column = exc.start - (content.rfind(b"\n", 0, exc.start) + 1) + 1
        place = Place(line, column, column + 1)
        said = f"the file is not UTF-8: byte 0x{content[exc.start]:02x} at offset {exc.start}"
        return Document(file, (), problems=[_problem(file, "E003", said, place, hint="save it as UTF-8")])
    return read_text(text, file)


def read_text(text: str, file: str, *, skims: bool = True) -> Document:
    """Read a text that is already decoded; see `read`. Without `skims` the library reads all of it."""
    document = Document(file, tuple(_BREAK.split(text)))
    if found := _DIRECTIVE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        said = "directives are not supported; the file is YAML 1.2"
        document.problems.append(_problem(file, "E003", said, Place(line, 1, 1 + len(found[0]))))
        return document
    if too_deep := _too_deep(text):
        document.problems.append(_problem(file, "E006", f"nested deeper than {MAX_DEPTH} levels", too_deep))
        return document
    return (_skimmed(text, file, document.lines) if skims else None) or _whole(text, document)


def _skimmed(text: str, file: str, lines: tuple[str, ...]) -> Document | None:
    """Read a text without the plain items of its lists, then those; None when it has to be read as a whole."""
    skimmed = skimming.skim(text)
    if not skimmed.sections:
        return None
    document = Document(file, lines)
    node = _compose(skimmed.text, document)
    if not isinstance(node, MappingNode):
        return None
    walk = _Walk(document, skimmed.sections)
    try:
        document.data = walk.value(node, (), 0)
    except _Unsure:
        return None
    except _Stop:
        return document
    return None if walk.sections else document


def _whole(text: str, document: Document) -> Document:
    node = _compose(text, document)
    if document.problems:
        return document
    if not isinstance(node, MappingNode):
        said = "the file is empty" if node is None or _is_null(node) else "the file must be a mapping of keys"
        place = START if node is None else _place(node, document)
        document.problems.append(_problem(document.file, "E002", said, place, hint="it starts with version: 1"))
        return document
    try:
        document.data = _Walk(document, {}).value(node, (), 0)
    except _Stop:
        document.data = None
    return document


def _too_deep(text: str) -> Place | None:
    """Find brackets that open far more often than they close: the library would take seconds to say so."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
        if depth > 4 * MAX_DEPTH:
            line = text.count("\n", 0, found.start()) + 1
            column = found.start() - text.rfind("\n", 0, found.start())
            return Place(line, column, column + 1)
    return None


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == _CORE + "null"


def _compose(text: str, document: Document) -> Node | None:
    try:
        with warnings.catch_warnings(), composing.no_collection():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # it would print lines of the file
            return composing.compose(text)
    except MarkedYAMLError as exc:
        document.problems.append(_syntax(exc, document))
    except RecursionError:
        document.problems.append(_problem(document.file, "E006", f"nested deeper than {MAX_DEPTH} levels", START))
    except (YAMLError, ValueError, IndexError, AttributeError, AssertionError, TypeError, KeyError) as exc:
        # The library leaves bare errors of its own workings on damaged texts; none may become a traceback.
        document.problems.append(_unreadable(exc, text, document))
    return None


def _syntax(exc: MarkedYAMLError, document: Document) -> Problem:
    mark = exc.problem_mark or exc.context_mark
    if mark and exc.context_mark and mark.line >= len(document.lines) - 1 and not document.raw(mark.line + 1).strip():
        mark = exc.context_mark  # told at the end of the file, begun above
    place = Place(mark.line + 1, mark.column + 1, mark.column + 2) if mark else START
    said = str(exc.problem or exc.context or "not YAML").strip()
    if "another document" in said:
        return _problem(document.file, "E004", "a second document starts here; the file holds one", place)
    raw = document.raw(place.line)
    return _problem(document.file, "E003", f"not YAML: {_without_text(said)}", place, hint=_syntax_hint(raw, place))


def _without_text(said: str) -> str:
    """Drop what the library quotes from the file: an undefined alias or anchor may be a piece of a secret."""
    return re.sub(r"(alias|anchor|handle) ['\"].*?['\"]", r"\1", said)


def _syntax_hint(raw: str, place: Place) -> str | None:
    if raw[: len(raw) - len(raw.lstrip())].find("\t") >= 0:
        return "indent with spaces, not tabs"
    if re.match(r"\s*(?:- )?query:\s*[\"'*&@%!\[{`]", raw) or re.match(r"\s*(?:- )?query:\s*\S", raw):
        return "write a query as a block: query: | and the query on the next line"
    if re.search(r":\s+[@`%*&!]", raw):
        return "put the value in quotes"
    if place.line == 0:
        return None
    return "a bracket, quote or indent does not fit here or above"


def _unreadable(exc: Exception, text: str, document: Document) -> Problem:
    position = getattr(exc, "position", None)
    if isinstance(position, int):
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        place = Place(line, column, column + 1)
        return _problem(document.file, "E003", "a control character is not allowed here", place)
    return _problem(document.file, "E003", "not YAML", START)


def _problem(file: str, code: str, message: str, place: Place, *, hint: str | None = None, path: str = "") -> Problem:
    return Problem(code, path, message, file, place.line, place.column, place.end_column, hint)


def _place(node: Node, document: Document) -> Place:
    start, end = node.start_mark, node.end_mark
    line, column = start.line + 1, start.column + 1
    style = getattr(node, "style", None) if isinstance(node, ScalarNode) else None
    raw = document.raw(line)
    stop = end.column + 1 if end.line == start.line else len(raw.rstrip()) + 1
    return Place(line, column, max(stop, column + 1), style)


class _Walk:
    """One walk over the node graph; counts nodes as often as aliases repeat them.

    `sections` are the lists that were thinned, by the line of their key; each is taken out when its items are put back.
    """

    def __init__(self, document: Document, sections: dict[int, skimming.Section]) -> None:
        self.document = document
        self.sections = dict(sections)
        self.count = 0
        self._may_hold_tags = any("!" in line for line in document.lines)

    def problem(self, code: str, message: str, node: Node, *, hint: str | None = None) -> None:
        place = _place(node, self.document)
        self.document.problems.append(_problem(self.document.file, code, message, place, hint=hint))

    def value(self, node: Node, path: Path, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            too_deep = f"nested deeper than {MAX_DEPTH}, aliases counted"
            self.problem("E006", _TOO_MANY if self.count > MAX_NODES else too_deep, node)
            raise _Stop
        self.document.values[path] = _place(node, self.document)
        if self._is_tagged(node):
            self.problem("E005", "tags (!name) are not allowed", node, hint="put the value in quotes if it is text")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.value(child, (*path, i), depth + 1) for i, child in enumerate(node.value)]
        return _scalar(node) if isinstance(node, ScalarNode) else None

    def _is_tagged(self, node: Node) -> bool:
        if not self._may_hold_tags:
            return False
        mark = node.start_mark
        return bool(_TAGGED.match(self.document.raw(mark.line + 1), mark.column))

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _CORE + "merge":
                merged += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                continue
            key = self._key(key_node, result, path)
            if key is None:
                continue
            self.document.keys[*path, key] = _place(key_node, self.document)
            section = self.sections.pop(key_node.start_mark.line, None) if depth == 0 else None
            if section is None:
                result[key] = self.value(value_node, (*path, key), depth + 1)
            else:
                result[key] = self._together(section, value_node, (*path, key))
        for extra in merged:
            self._merge(extra, result, path, depth)
        return result

    def _together(self, section: skimming.Section, node: Node, path: Path) -> list[Any]:
        """Put the plain items of a list back between those that the library read."""
        if not isinstance(node, SequenceNode) or node.flow_style:
            raise _Unsure
        if [child.start_mark.line for child in node.value] != list(section.left):
            raise _Unsure
        self.count += 1
        self.document.values[path] = _place(node, self.document)
        left = [(child.start_mark.line, child) for child in node.value]
        every = sorted([*left, *((item.line, item) for item in section.plain)], key=lambda one: one[0])
        result: list[Any] = []
        for (_, one), (until, _) in zip(every, [*every[1:], (len(self.document.lines), None)], strict=True):
            at = (*path, len(result))
            if isinstance(one, skimming.Item):
                result.append(self._plain(one, at))
            else:
                result.append(self.value(one, at, 2))
                _refuse_beyond(one, until)
        return result

    def _plain(self, item: skimming.Item, path: Path) -> dict[str, Any]:
        """Read an item that was skimmed."""
        document = self.document
        document.values[path] = self._place_of(item)
        result: dict[str, Any] = {}
        for pair in item.pairs():
            key, line = pair.key, pair.line + 1
            if key in result or not isinstance(_plain_value(key), str):
                raise _Unsure
            at = (*path, key)
            document.keys[at] = Place(line, pair.column + 1, pair.column + len(key) + 1)
            if isinstance(pair.value, skimming.Word):
                result[key] = self._word(pair.value, line, at)
            else:
                document.values[at] = Place(line, pair.start + 1, pair.end + 1)
                result[key] = [self._word(word, line, (*at, i)) for i, word in enumerate(pair.value)]
                self.count += len(pair.value)
        self.count += 1 + len(result)
        if self.count > MAX_NODES:
            document.problems.append(_problem(document.file, "E006", _TOO_MANY, document.values[path]))
            raise _Stop
        return result

    def _place_of(self, item: skimming.Item) -> Place:
        end = item.braces_end or len(self.document.raw(item.line + 1).rstrip())
        return Place(item.line + 1, item.column + 1, end + 1)

    def _word(self, word: skimming.Word, line: int, path: Path) -> Any:
        self.document.values[path] = Place(line, word.column + 1, max(word.end, word.column + 1) + 1, word.quote)
        return word.text if word.quote else _plain_value(word.text)

    def _key(self, node: Node, taken: dict[str, Any], path: Path) -> str | None:
        if not isinstance(node, ScalarNode) or self._is_tagged(node):
            self.problem("E003", "a key must be text", node)
        elif node.tag != _CORE + "str":
            self.problem("E013", "a key must be text", node, hint="put it in quotes")
        elif node.value in taken:
            first = self.document.keys[*path, node.value].line
            self.problem("E012", f"duplicate key {node.value!r}", node, hint=f"the first stands in line {first}")
        else:
            return str(node.value)
        return None

    def _merge(self, node: Node, result: dict[str, Any], path: Path, depth: int) -> None:
        """Take the keys of a ``<<`` that the mapping itself does not have."""
        if not isinstance(node, MappingNode):
            self.problem("E003", "<< takes a mapping", node)
            return
        for key_node, value_node in node.value:
            if key_node.tag == _CORE + "merge":
                continue
            key = str(key_node.value)
            if key not in result:
                self.document.keys[*path, key] = _place(key_node, self.document)
                result[key] = self.value(value_node, (*path, key), depth + 1)


def _refuse_beyond(node: Node, line: int) -> None:
    """See to it that nothing an item opens, as a quote or a bracket, is still open where the next item was seen.

    Errors: _Unsure.
    """
    if isinstance(node, CollectionNode) and not node.flow_style:
        for child in node.value:
            for part in child if isinstance(child, tuple) else (child,):
                _refuse_beyond(part, line)
    elif node.end_mark.line > line or (node.end_mark.line == line and node.end_mark.column > 0):
        raise _Unsure


def _scalar(node: ScalarNode) -> Any:
    return _meant(str(node.tag), node.value)


def _plain_value(text: str) -> Any:
    """Read a word without quotes. Only one with a telling first letter can be anything but text."""
    return _telling_value(text) if text[0] in _TELLING else text


@lru_cache(maxsize=1024)
def _telling_value(text: str) -> Any:
    return _meant(composing.tag_of(text), text)


def _meant(tag: str, text: str) -> Any:
    kind = tag.removeprefix(_CORE)
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.casefold() == "true"
            case "int":
                return _integer(text)
            case "float":
                return float(text.replace("_", ""))
            case "timestamp":
                return date.fromisoformat(text)
    except ValueError:
        return text
    return text


def _integer(text: str) -> int | str:
    plain = text.replace("_", "").lower()
    base = {"0x": 16, "0o": 8, "0b": 2}.get(plain.lstrip("+-")[:2], 10)
    return int(plain, base) if len(plain) < 40 else text
