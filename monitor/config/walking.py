"""From the nodes of the YAML library to plain values with their places; plain items that were skimmed are put back.

Counts what aliases repeat, refuses tags and keys that stand twice. Called by `reading`.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from monitor.config import composing, skimming
from monitor.config.document import Document, Path, Place, problem_at

MAX_NODES = 100_000
MAX_DEPTH = 50
_CORE = "tag:yaml.org,2002:"
_TELLING = frozenset("tTfFnN.0123456789")
_TOO_MANY = f"more than {MAX_NODES:,} values, aliases counted"
_TAGGED = re.compile(r"(?:&\S+\s+)?!")


class Stop(Exception):
    """The file is too large to go on with."""


class Unsure(Exception):
    """What was skimmed does not fit what the library reads around it."""


def place_of(node: Node, document: Document) -> Place:
    """Find the stretch of one line where a node begins."""
    start, end = node.start_mark, node.end_mark
    line, column = start.line + 1, start.column + 1
    style = getattr(node, "style", None) if isinstance(node, ScalarNode) else None
    raw = document.raw(line)
    stop = end.column + 1 if end.line == start.line else len(raw.rstrip()) + 1
    return Place(line, column, max(stop, column + 1), style)


def is_null(node: Node) -> bool:
    """Whether a node says nothing."""
    return isinstance(node, ScalarNode) and node.tag == _CORE + "null"


class Walk:
    """One walk over the node graph; counts nodes as often as aliases repeat them.

    `sections` are the lists that were thinned, by the line of their key; each is taken out when its items are put back.
    """

    def __init__(self, document: Document, sections: dict[int, skimming.Section]) -> None:
        self.document = document
        self.sections = dict(sections)
        self.count = 0
        self._may_hold_tags = any("!" in line for line in document.lines)

    def problem(self, code: str, message: str, node: Node, *, hint: str | None = None) -> None:
        """Note what is wrong at a node."""
        place = place_of(node, self.document)
        self.document.problems.append(problem_at(self.document.file, code, message, place, hint=hint))

    def value(self, node: Node, path: Path, depth: int) -> Any:
        """Read a node and all below it.

        Errors: Stop, with its problem noted; Unsure when what was skimmed does not fit.
        """
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            too_deep = f"nested deeper than {MAX_DEPTH}, aliases counted"
            self.problem("E006", _TOO_MANY if self.count > MAX_NODES else too_deep, node)
            raise Stop
        self.document.values[path] = place_of(node, self.document)
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
            self.document.keys[*path, key] = place_of(key_node, self.document)
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
            raise Unsure
        if [child.start_mark.line for child in node.value] != list(section.left):
            raise Unsure
        self.count += 1
        self.document.values[path] = place_of(node, self.document)
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
        document.values[path] = self._place(item)
        result: dict[str, Any] = {}
        for pair in item.pairs():
            key, line = pair.key, pair.line + 1
            if key in result or not isinstance(_plain_value(key), str):
                raise Unsure
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
            document.problems.append(problem_at(document.file, "E006", _TOO_MANY, document.values[path]))
            raise Stop
        return result

    def _place(self, item: skimming.Item) -> Place:
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
                self.document.keys[*path, key] = place_of(key_node, self.document)
                result[key] = self.value(value_node, (*path, key), depth + 1)


def _refuse_beyond(node: Node, line: int) -> None:
    """See to it that nothing an item opens, as a quote or a bracket, is still open where the next item was seen.

    Errors: Unsure.
    """
    if isinstance(node, CollectionNode) and not node.flow_style:
        for child in node.value:
            for part in child if isinstance(child, tuple) else (child,):
                _refuse_beyond(part, line)
    elif node.end_mark.line > line or (node.end_mark.line == line and node.end_mark.column > 0):
        raise Unsure


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
