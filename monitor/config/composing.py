"""ruamel's own composer with the detours taken out: it asks for its neighbours through several properties at each step.

The same classes by the same rules, so that every text means what it meant; a file of 5,000 feeds is composed in three
quarters of the time. Called by `reading`.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import StringMark
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import Reader
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

_SLOW = frozenset("\n\r\ufeff")
"""Letters after which a place is more than one column further."""


_WORD_IN_FLOW = re.compile(r"[A-Za-z0-9_./-]+(?=[,\]}]|:[ \n])")
_KEY = re.compile(r"[A-Za-z0-9_./-]+(?=:[ \n])")
"""Plain words about whose end there is no doubt: most of a list of feeds is made of them."""
_GAP = re.compile(r"(?:[ ]*(?:#[^\0\n\r\x85\u2028\u2029\ufeff]*)?\n)+")
"""Blank lines and comments."""
_RESOLVER = VersionedResolver()


class _Reader(Reader):
    """Steps over a word at once instead of letter by letter."""

    def get_mark(self) -> StringMark:
        return StringMark(self.name, self.index, self.line, self.column, self.buffer, self.pointer)

    def forward(self, length: int = 1) -> None:
        end = self.pointer + length
        if end + 1 < len(self.buffer) and _SLOW.isdisjoint(self.buffer[self.pointer : end]):
            self.pointer = end
            self.index += length
            self.column += length
        else:
            super().forward(length)

    def skip_lines(self, text: str) -> None:
        """Step over whole lines of ordinary letters."""
        self.pointer += len(text)
        self.index += len(text)
        self.line += text.count("\n")
        self.column = 0


class _Scanner(Scanner):
    """Looks for outdated keys only where there are keys, which is at every tenth question."""

    @cached_property
    def reader(self) -> Any:
        return self.loader.reader

    def need_more_tokens(self) -> bool:
        if self.done:
            return False
        if not self.tokens:
            return True
        if not self.possible_simple_keys:
            return False
        self.stale_possible_simple_keys()
        return bool(self.next_possible_simple_key() == self.tokens_taken)

    def scan_plain(self) -> Any:
        reader = self.reader
        word = (_WORD_IN_FLOW if self.flow_context else _KEY).match(reader.buffer, reader.pointer)
        if word is None:
            return super().scan_plain()
        start = reader.get_mark()
        reader.forward(len(word[0]))
        self.allow_simple_key = False
        return ScalarToken(word[0], True, start, reader.get_mark())

    def check_token(self, *choices: Any) -> bool:
        while self.need_more_tokens():
            self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def scan_to_next_token(self) -> Any:
        gap = None if self.flow_context else _GAP.match(self.reader.buffer, self.reader.pointer)
        if gap:
            self.reader.skip_lines(gap[0])
            self.allow_simple_key = True
        return super().scan_to_next_token()

    def stale_possible_simple_keys(self) -> None:
        if self.possible_simple_keys:
            super().stale_possible_simple_keys()


class _Parser(Parser):
    @cached_property
    def scanner(self) -> Any:
        return self.loader.scanner

    def check_event(self, *choices: Any) -> bool:
        event = self.current_event
        if event is None and self.state:
            event = self.current_event = self.state()
        return event is not None and (not choices or isinstance(event, choices))

    @cached_property
    def resolver(self) -> Any:
        return self.loader.resolver


class _Composer(Composer):
    @cached_property
    def parser(self) -> Any:
        return self.loader.parser

    @cached_property
    def resolver(self) -> Any:
        return self.loader.resolver


@contextmanager
def no_collection() -> Iterator[None]:
    """Let nothing be collected meanwhile: a large file makes a million objects, and looking at them takes a third."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def tag_of(text: str) -> str:
    """Say what kind of value a scalar without quotes is."""
    return str(_RESOLVER.resolve(ScalarNode, text, (True, False)))


def compose(text: str) -> Node | None:
    """Make the nodes of a text. Errors: as ruamel's, some of them bare errors of its own workings."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Reader, yaml.Scanner, yaml.Parser, yaml.Composer = _Reader, _Scanner, _Parser, _Composer
    node: Node | None = yaml.compose(text)
    return node
