"""A newsroom's own layout of a story: a Jinja template for one form, filled with cleaned texts. Pure.

    choose    template --> filled text
                  '------> failed: the built-in layout of that story, with a note that says why

A template sees plain texts, lists and links, never our values, and runs in a sandbox: a name it misspells is an error,
not an empty place. Called by `plain`, `html` and `slack`; `channels.templates` tries it on the fixture stories.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from alerts.render import words
from alerts.values import Digest, Event, StoryPart

if TYPE_CHECKING:
    import jinja2

LONGEST = 20_000
"""More than this is no story but a mistake in a loop."""
_FAILS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a template can do wrong while it is filled, beside Jinja's own errors."""


class Form(StrEnum):
    """What a template writes: plain text, the HTML of one story, or Slack's mrkdwn."""

    TEXT = "text"
    HTML = "html"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Template:
    """One template as it was read. `name` is its file, as messages name it; `fault` says why it cannot be used."""

    form: Form
    name: str
    source: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of one channel; None where the built-in layout is used."""

    text: Template | None = None
    html: Template | None = None
    slack: Template | None = None


NO_TEMPLATES = Templates()


@dataclass(frozen=True, slots=True)
class Failed:
    """A template that did not give a story; `reason` says why, with the line where that is known."""

    reason: str


def choose(
    template: Template | None,
    part: StoryPart,
    digest: Digest,
    times: words.Clock,
    most: int,
    escape: Callable[[str], str],
) -> tuple[str | None, StoryPart]:
    """Fill a template with a story; without one, or where it fails, give the story for the built-in layout.

    `escape` makes a text harmless in the form at hand.
    """
    if template is None:
        return None, part
    made = fill(template, context(part, digest, times, most, escape))
    if isinstance(made, Failed):
        note = f"The template {template.name} failed for this story ({made.reason}); this is the built-in layout."
        return None, replace(part, notes=(*part.notes, note))
    return made, part


def fill(template: Template, values: Mapping[str, Any]) -> str | Failed:
    """Fill a template."""
    if template.fault:
        return Failed(template.fault)
    import jinja2  # here and below: a tenth of a second, for those only who have templates of their own

    try:
        written = _compiled(template.form, template.source).render(values).strip()
    except (jinja2.TemplateError, *_FAILS) as exc:
        return Failed(_reason(exc, template))
    if not written:
        return Failed("it wrote nothing")
    return written if len(written) <= LONGEST else Failed(f"it wrote more than {LONGEST:,} letters")


@functools.lru_cache(maxsize=32)
def _compiled(form: Form, source: str) -> jinja2.Template:
    import jinja2
    import jinja2.sandbox

    environment = jinja2.sandbox.SandboxedEnvironment(
        undefined=jinja2.StrictUndefined, autoescape=form is Form.HTML, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source)


def _reason(exc: BaseException, template: Template) -> str:
    """Say what failed, and in which line of the template."""
    line = getattr(exc, "lineno", None)  # of a syntax error
    step = exc.__traceback__
    while line is None and step is not None:
        if step.tb_frame.f_code.co_filename == "<template>":
            line = step.tb_lineno
        step = step.tb_next
    said = words.clean(str(exc), 200) or type(exc).__name__
    return f"line {line}: {said}" if line is not None else said


# ------------------------------------------------------------------------------------------------ what a template sees


def context(
    part: StoryPart, digest: Digest, times: words.Clock, most: int, escape: Callable[[str], str]
) -> dict[str, Any]:
    """Make the names a template may use. Every text is cleaned; every link is safe, or None."""
    say = functools.partial(_said, escape)
    return {
        "headline": say(part.headline, words.TITLE),
        "language": part.language or "",
        "direction": words.direction(part.language),
        "lead": say(part.lead, words.LEAD),
        "lead_outlet": say(part.lead_outlet, 60),
        "lead_url": words.link(part.lead_url),
        "counts": say(words.counts(part, times), 400),
        "since": say(words.since(part, times), 120),
        "number": part.number,
        "story": say(part.group, 80),
        "page": words.link(part.page),
        "notes": [say(note, 400) for note in part.notes],
        "news": [_news(event, times, say) for event in words.news_events(part)[:most]],
        "copies": [say(name, 60) for name in part.copies_new[:most]],
        "answers": [_answer(event, part, times, say) for event in part.answers[:most]],
        "silent": [
            {"who": say(words.silent_body(one), 120), "said": say(words.silence(one), 600)}
            for one in part.non_answers[:most]
        ],
        "chains": [[say(name, 60) for name in chain] for chain in part.chains[:most]],
        "before": [say(words.fact(event, times), 300) for event in words.history(part)[:most]],
        "why": say(words.why(part), 600),
        "actions": [{"name": name, "url": url} for name, url in _links(words.actions(part, digest.links))],
        "mute_command": say(words.mute_command(part), 300),
    }


Say = Callable[[str, int], str]


def _said(escape: Callable[[str], str], text: str, length: int) -> str:
    return escape(words.clean(text, length))


def _links(named: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name, url) for name, address in named if (url := words.link(address)) is not None)


def _news(event: Event, times: words.Clock, say: Say) -> dict[str, Any]:
    mention = event.mention
    return {
        "kind": str(event.kind),
        "time": times.short(words.when(event)),
        "outlet": say(words.outlet(event), 60),
        "said": say(words.news(event, times), 300),
        "title": say(mention.title, words.TITLE) if mention else "",
        "language": (mention.language or "") if mention else "",
        "url": words.link(mention.url) if mention else None,
    }


def _answer(event: Event, part: StoryPart, times: words.Clock, say: Say) -> dict[str, Any]:
    answer = event.answer
    assert answer is not None
    return {
        "is_new": words.is_new(event, part),
        "who": say(words.speaker(event), 160),
        "stance": say(words.stance(event), 200),
        "quote": say(answer.quote, words.QUOTE),
        "language": answer.language or "",
        "direction": words.direction(answer.language),
        "outlet": say(words.outlet(event), 60),
        "time": times.short(words.when(event)),
        "url": words.link(event.mention.url) if event.mention else None,
    }
