"""A channel's own templates, read from files and tried on three made-up stories.

A fault is E080 for `check`. It keeps nothing from being sent: at run time that story is written in the built-in layout,
and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from alerts.channels.reading import Section
from alerts.digest import message, sample, story
from alerts.render import own, words
from alerts.values import Recipient

LARGEST = 100_000
NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
"""The time of the made-up stories; nothing depends on it."""


def read(section: Section, forms: Sequence[own.Form]) -> own.Templates:
    """Read the section `templates` of a channel that can use these forms."""
    below = section.section("templates")
    found: dict[str, own.Template] = {}
    for form in forms:
        name = below.text(form, None)
        if name is not None:
            found[form.value] = template = _tried(form, name)
            if template.fault:
                below.fault((form.value,), f"the template {name} cannot be used: {template.fault}", code="E080")
    below.close()
    return own.Templates(**found)


def _tried(form: own.Form, name: str) -> own.Template:
    try:
        raw = Path(name).expanduser().read_bytes()
    except OSError as exc:
        return own.Template(form, name, "", f"it cannot be read ({exc.strerror or type(exc).__name__})")
    if len(raw) > LARGEST:
        return own.Template(form, name, "", f"it is larger than {LARGEST:,} bytes")
    try:
        template = own.Template(form, Path(name).name, raw.decode("utf-8"))
    except UnicodeDecodeError:
        return own.Template(form, name, "", "it is not UTF-8")
    return own.Template(form, template.name, template.source, _fault(template))


def _fault(template: own.Template) -> str:
    """Say why a template fails on one of the stories; empty when it fills them all."""
    times = words.Clock("UTC", NOW)
    for title, events in sample.stories(NOW).items():
        part = story.part(sample.GROUP, events, events, story.Told())
        digest = message.prompt(message.Envelope(Recipient("", ""), "dlv_sample", NOW), part)
        made = own.fill(template, own.context(part, digest, times, 60, str))
        if isinstance(made, own.Failed):
            return f"{made.reason}, in {title}"
    return ""
