"""What the file adds to the lexicon of governments, or takes out of it, read as the daemon reads it: a start asks first
and reads the lexicon meanwhile, so whatever could be refused then is refused here. Called by `checking`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor import lexicons
from monitor.config.document import Document, Path
from monitor.config.faults import problem
from monitor.config.shape import Governments
from monitor.errors import LexiconError, Problem


def problems(document: Document, section: Governments) -> Iterator[Problem]:
    """Say what of it cannot be taken up; nothing is read for a file that adds nothing."""
    if not (section.extra or section.disable or section.speech):
        return
    from monitor.detect import lexicon  # here: most files add nothing

    try:
        known = lexicon.from_raw(
            lexicons.load("detect/lexicon"),
            disable=section.disable,
            speech=section.speech,
            extra=[row.model_dump() for row in section.extra],
        )
        for language in section.speech:
            known.pack(language)
    except LexiconError as error:
        yield problem(document, "E027", _path(error.row), error.message)


def _path(row: str) -> Path:
    """Where the file has a row of the lexicon: a place, or a language and a stance."""
    if row.startswith("extra-"):
        return ("governments", "speech", *row.removeprefix("extra-").split("-", 1))
    return tuple(int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", row))
