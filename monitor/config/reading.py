"""YAML 1.2 with the place of every key and value. With `composing` and `walking`, all that knows the YAML library.

Reads a text into plain values (text, numbers, lists, mappings) and a table of places; every trap of the format becomes
a problem: tags, duplicate keys, several documents, deep nesting, aliases that explode. Knows nothing of what keys mean.
"""

from __future__ import annotations

import re
import warnings

from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from monitor.config import composing, skimming, walking
from monitor.config.document import START, Document, Place, problem_at
from monitor.errors import Problem

MAX_BYTES = 1 << 20
_WAY_OUT = "feeds may stand in the database: storywatch feed import FILE --to-store"
_BRACKETS = re.compile(r"[\[\]{}]")
_DIRECTIVE = re.compile(r"^%(?:YAML|TAG)\b", re.MULTILINE)
_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")


def read(content: bytes, file: str) -> Document:
    """Read the bytes of a file. Faults of form stand in `problems`; `data` is None when nothing could be read."""
    if len(content) > MAX_BYTES:
        said = f"the file holds {len(content):,} bytes; {MAX_BYTES:,} are allowed"
        return Document(file, (), problems=[problem_at(file, "E006", said, START, hint=_WAY_OUT)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        column = exc.start - (content.rfind(b"\n", 0, exc.start) + 1) + 1
        place = Place(line, column, column + 1)
        said = f"the file is not UTF-8: byte 0x{content[exc.start]:02x} at offset {exc.start}"
        return Document(file, (), problems=[problem_at(file, "E003", said, place, hint="save it as UTF-8")])
    return read_text(text, file)


def read_text(text: str, file: str, *, skims: bool = True) -> Document:
    """Read a text that is already decoded; see `read`. Without `skims` the library reads all of it."""
    document = Document(file, tuple(_BREAK.split(text)))
    if found := _DIRECTIVE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        said = "directives are not supported; the file is YAML 1.2"
        document.problems.append(problem_at(file, "E003", said, Place(line, 1, 1 + len(found[0]))))
        return document
    if too_deep := _too_deep(text):
        document.problems.append(problem_at(file, "E006", f"nested deeper than {walking.MAX_DEPTH} levels", too_deep))
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
    walk = walking.Walk(document, skimmed.sections)
    try:
        document.data = walk.value(node, (), 0)
    except walking.Unsure:
        return None
    except walking.Stop:
        return document
    return None if walk.sections else document


def _whole(text: str, document: Document) -> Document:
    node = _compose(text, document)
    if document.problems:
        return document
    if not isinstance(node, MappingNode):
        said = "the file is empty" if node is None or walking.is_null(node) else "the file must be a mapping of keys"
        place = START if node is None else walking.place_of(node, document)
        document.problems.append(problem_at(document.file, "E002", said, place, hint="it starts with version: 1"))
        return document
    try:
        document.data = walking.Walk(document, {}).value(node, (), 0)
    except walking.Stop:
        document.data = None
    return document


def _too_deep(text: str) -> Place | None:
    """Find brackets that open far more often than they close: the library would take seconds to say so."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
        if depth > 4 * walking.MAX_DEPTH:
            line = text.count("\n", 0, found.start()) + 1
            column = found.start() - text.rfind("\n", 0, found.start())
            return Place(line, column, column + 1)
    return None


def _compose(text: str, document: Document) -> Node | None:
    try:
        with warnings.catch_warnings(), composing.no_collection():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # it would print lines of the file
            return composing.compose(text)
    except MarkedYAMLError as exc:
        document.problems.append(_syntax(exc, document))
    except RecursionError:
        document.problems.append(
            problem_at(document.file, "E006", f"nested deeper than {walking.MAX_DEPTH} levels", START)
        )
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
        return problem_at(document.file, "E004", "a second document starts here; the file holds one", place)
    raw = document.raw(place.line)
    return problem_at(document.file, "E003", f"not YAML: {_without_text(said)}", place, hint=_syntax_hint(raw, place))


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
        return problem_at(document.file, "E003", "a control character is not allowed here", place)
    return problem_at(document.file, "E003", "not YAML", START)
