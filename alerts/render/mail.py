"""A digest as one mail: text first, HTML second, every line ended by CRLF. Pure: the same digest gives the same bytes.

The bytes are stored and sent as they are, so nothing in them may depend on when or where they are sent.
Sources: RFC 5322 (format), RFC 2369 and RFC 8058 (list headers), RFC 3834 (automatic mail).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from alerts.render import html, own, plain, words
from alerts.values import Digest

POLICY = SMTP.clone(max_line_length=76)
EMPTY_FIRST_LINE = re.compile(rb"(?m)^([A-Za-z-]+:)\r\n (?=\S)")
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Frame:
    """What the channel adds: the sender as shown, where bounces go, and the domain of all ids."""

    sender: str
    bounce: str
    domain: str


def message(digest: Digest, frame: Frame) -> bytes:
    """Write the mail."""
    return both(digest, frame)[0]


def compact(digest: Digest, frame: Frame) -> bytes:
    """Write the mail with its text part alone."""
    return both(digest, frame)[1]


def both(digest: Digest, frame: Frame, templates: own.Templates = own.NO_TEMPLATES) -> tuple[bytes, bytes]:
    """Write the mail, and the one with its text part alone, from one text."""
    built = _head(digest, frame)
    built.set_content(plain.text(digest, template=templates.text), cte="quoted-printable")
    short = _bytes(built)
    built.add_alternative(html.page(digest, templates.html), subtype="html", cte="quoted-printable")
    built.set_boundary("=_" + hashlib.sha256(digest.delivery_id.encode()).hexdigest()[:32])
    return _bytes(built), short


def _bytes(built: EmailMessage) -> bytes:
    """Write the mail. A field never begins with an empty line, which some programs take for an empty field."""
    head, gap, body = built.as_bytes().partition(b"\r\n\r\n")
    return EMPTY_FIRST_LINE.sub(rb"\1 ", head) + gap + body


def _head(digest: Digest, frame: Frame) -> EmailMessage:
    built = EmailMessage(policy=POLICY)
    recipient = hashlib.sha256(digest.recipient.key.encode()).hexdigest()[:12]
    built["From"] = _address(frame.sender)
    built["To"] = _address(digest.recipient.to)
    built["Subject"] = words.clean(digest.subject, 200)
    built["Date"] = format_datetime(digest.made_at)
    built["Message-ID"] = f"<{token(digest.delivery_id)}.{recipient}@{frame.domain}>"
    if len(digest.stories) == 1 and not digest.more:
        thread = f"<story.{token(digest.stories[0].group)}.{recipient}@{frame.domain}>"
        built["In-Reply-To"] = thread
        built["References"] = thread
        built["X-Story-Id"] = token(digest.stories[0].group)
    watch = next((why.watch for part in digest.stories for why in part.whys), "storywatch")
    built["List-Id"] = f"<{token(watch).lower() or 'storywatch'}.{frame.domain}>"
    stop = [f"<{digest.links.stop}>"] if digest.links is not None and digest.links.stop else []
    built["List-Unsubscribe"] = ", ".join([*stop, f"<mailto:{frame.bounce}?subject=unsubscribe>"])
    if stop and digest.links is not None and digest.links.stop.startswith("https:"):
        built["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    built["Auto-Submitted"] = "auto-generated"
    built["X-Auto-Response-Suppress"] = "All"
    built["Precedence"] = "list"
    built["X-Delivery-Id"] = token(digest.delivery_id)
    return built


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    return Address(words.clean(name, 80), local, domain)


def token(text: str) -> str:
    """Make a text fit for an id in a header."""
    return UNSAFE.sub("-", text).strip("-.")[:80]
