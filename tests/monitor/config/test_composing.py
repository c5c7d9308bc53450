"""Our composer takes shortcuts through the library: every text must come out as the library itself would have it."""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import CollectionNode, Node

from monitor.config import composing
from tests.monitor.config.test_mutations import SOURCES, damaged

TEXTS = {
    "nothing": "",
    "words in a flow list": "a: [b, c-d, e/f.g,h, i]\n",
    "a mapping in a line": "- {url: 'https://a.example/rss', tags: [wire, us], floor: 15m}\n",
    "a colon without a space": "a: [b:c, d:]\nhttps://x: 1\n",
    "a word over two lines in brackets": "a: [b\n  c, d\n]\n",
    "a key of one letter and one without a value": "a: 1\nb:\nc: ~\n",
    "a comment behind a key": "a: # b\n  c: d # e\n",
    "signs that begin nothing": "a: -b\nc: ?d\ne: .5\nf: /g\n",
    "a second document": "a: 1\n---\nb: 2\n",
    "a bracket that never closes": "a: [b, c\nd: e\n",
    "line ends of another system": "a: b\r\nc: [d, e]\r\n",
}


def told(compose: Any, text: str) -> Any:
    """Everything that is read of nodes, or where and why there are none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return shown(compose(text))
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        return type(exc), exc.problem, exc.context, mark and (mark.line, mark.column)
    except Exception as exc:  # noqa: BLE001  the library's own bare errors are compared too
        return type(exc)


def shown(node: Node | None) -> Any:
    if node is None:
        return None
    marks = [(mark.index, mark.line, mark.column) for mark in (node.start_mark, node.end_mark)]
    if not isinstance(node, CollectionNode):
        return str(node.tag), node.value, node.style, marks
    parts = [shown(part) for child in node.value for part in (child if isinstance(child, tuple) else (child,))]
    return str(node.tag), parts, marks


def plainly(text: str) -> Any:
    return YAML(typ="safe", pure=True).compose(text)


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_is_composed_as_the_library_composes_it(case: str) -> None:
    assert told(composing.compose, TEXTS[case]) == told(plainly, TEXTS[case])


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_text_is_composed_or_refused_as_the_library_does(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(8):
        text = damaged(rng.choice(SOURCES), rng)
        assert told(composing.compose, text) == told(plainly, text)
