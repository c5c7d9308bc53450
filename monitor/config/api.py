"""The doors of this package: read config.yaml into a `Config`, or say everything that is wrong with it.

`load` is for what must be right, `parse_lenient` for a start that can do without a single broken feed, `check` for
people. The same checks stand behind all of them. Called by the command line, the daemon, the lab and `replay`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.config import building, checking, composing, queries, redaction, secrets
from monitor.config.checking import Checked
from monitor.config.document import Document
from monitor.config.reading import read, read_text
from monitor.config.values import Config
from monitor.errors import ConfigError, Problem


def load(path: Path, environ: Mapping[str, str], *, with_secrets: bool = True) -> Config:
    """Read a configuration.

    Errors: ConfigError with every error at once. Warnings do not stop; `check` tells them.
    """
    content, unreadable = _content(path)
    if unreadable:
        raise ConfigError((unreadable,))
    return _usable(read(content, str(path)), environ, content, with_secrets=with_secrets)


@dataclass(frozen=True, slots=True)
class Lenient:
    """What a start can use of a file, all from one reading: a thousand feeds take a quarter of a second to read.

    `storable` is the text with its secrets hidden, `known` are the secrets it refers to.
    """

    config: Config
    problems: tuple[Problem, ...]
    storable: str
    known: tuple[str, ...]


def parse_lenient(content: bytes, environ: Mapping[str, str], *, file: str) -> Lenient:
    """Read the bytes of a file, leaving out feeds whose address cannot be used.

    Errors: ConfigError when anything else is wrong.
    """
    with composing.no_collection():
        document = read(content, file)
        checked = checking.check(document, environ)
        faulty = checking.errors(checked.problems)
        if any(problem.code not in checking.FEED_FAULTS for problem in faulty):
            raise ConfigError(faulty)
        config = _built(checked, content, _faulty_feeds(document, faulty))
        known = secrets.known_values(document.data, environ)
        storable = redaction.storable_document(document, content.decode("utf-8-sig"), known)
        return Lenient(config, checked.problems, storable, known)


def read_file(path: Path) -> bytes:
    """Read the bytes of a file once, for whoever compares them before reading what they say.

    Errors: ConfigError (E001).
    """
    content, unreadable = _content(path)
    if unreadable:
        raise ConfigError((unreadable,))
    return content


def parse_bytes(content: bytes, environ: Mapping[str, str], *, file: str, with_secrets: bool = True) -> Config:
    """Read a configuration from the bytes of its file.

    Errors: ConfigError as `load`.
    """
    return _usable(read(content, file), environ, content, with_secrets=with_secrets)


def check(path: Path, environ: Mapping[str, str], *, with_secrets: bool = True) -> tuple[Problem, ...]:
    """Say everything that is wrong or doubtful in a file, in the order of its lines. Touches no network."""
    content, unreadable = _content(path)
    if unreadable:
        return (unreadable,)
    return checking.check(read(content, str(path)), environ, with_secrets=with_secrets).problems


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything one reading of a file gives: its problems, its text, the secrets it refers to.

    `config` is None for a file with a fault.
    """

    problems: tuple[Problem, ...]
    text: str = ""
    known: tuple[str, ...] = ()
    config: Config | None = None


def examine(path: Path, environ: Mapping[str, str]) -> Examined:
    """Check a file and, where it can be used, read it: both from one reading, which is what takes the time."""
    content, unreadable = _content(path)
    if unreadable:
        return Examined((unreadable,))
    with composing.no_collection():
        return _examined(content, path, environ)


def _examined(content: bytes, path: Path, environ: Mapping[str, str]) -> Examined:
    checked = checking.check(read(content, str(path)), environ)
    text = content.decode("utf-8-sig", "replace")
    known = secrets.known_values(checked.document.data, environ)
    is_faulty = bool(checking.errors(checked.problems))
    return Examined(checked.problems, text, known, None if is_faulty else _built(checked, content, frozenset()))


def check_text(text: str, environ: Mapping[str, str], *, file: str = "config.yaml") -> tuple[Problem, ...]:
    """Check a text that stands in no file."""
    return checking.check(read_text(text, file), environ).problems


def parse_text(
    text: str, environ: Mapping[str, str], *, file: str = "config.yaml", with_secrets: bool = True
) -> Config:
    """Read a configuration from a text: a stored revision, an edit that is not written yet, a test.

    Errors: ConfigError as `load`.
    """
    return _usable(read_text(text, file), environ, text.encode(), with_secrets=with_secrets)


def _content(path: Path) -> tuple[bytes, Problem | None]:
    try:
        return path.read_bytes(), None
    except FileNotFoundError:
        said = "the file is not there"
    except IsADirectoryError:
        said = "this is a directory, not a file"
    except OSError as exc:
        said = f"the file cannot be read: {exc.strerror or type(exc).__name__}"
    return b"", Problem("E001", "", said, str(path), 1, 1, 2)


def _usable(document: Document, environ: Mapping[str, str], content: bytes, *, with_secrets: bool = True) -> Config:
    checked = checking.check(document, environ, with_secrets=with_secrets)
    faulty = checking.errors(checked.problems)
    if faulty:
        raise ConfigError(faulty)
    return _built(checked, content, frozenset())


def _faulty_feeds(document: Document, faulty: tuple[Problem, ...]) -> frozenset[int]:
    feeds = document.data.get("feeds") or []
    places = {(problem.line, problem.column) for problem in faulty}
    found = set()
    for i in range(len(feeds)):
        place = document.value_place(("feeds", i, "url"))
        if (place.line, place.column) in places:
            found.add(i)
    return frozenset(found)


def _built(checked: Checked, content: bytes, skipped: frozenset[int]) -> Config:
    data = dict(checked.data)
    file = checked.file
    if skipped or file is None:
        data["feeds"] = [feed for i, feed in enumerate(data.get("feeds") or []) if i not in skipped]
        file = checking.shapes(data)
    concepts = checked.concepts or queries.lexicon(file.concepts)
    sha256 = hashlib.sha256(content).hexdigest()
    return building.build(file, checked.document, data, concepts, sha256, skipped)
