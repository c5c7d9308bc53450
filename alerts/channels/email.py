"""Email over SMTP: the stored bytes, one envelope per recipient, the reply to the final dot as the receipt.

At least once with one Message-ID and the same bytes: a connection that ends after the dot leaves the sender in doubt,
and SMTP has no question for it (RFC 1047). It never re-flattens a message: libraries that do change the bytes.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr

from alerts.channels import templates
from alerts.channels.base import Manners, reveal
from alerts.channels.reading import Section
from alerts.channels.secrets import Secret
from alerts.render import mail, own
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt

DOT_S = 600.0
"""How long the answer to the final dot may take (RFC 5321 section 4.5.3.2)."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ADDRESS = re.compile(r"[^@\s<>\"(),:;\\\[\]\x00-\x20\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
TLS_PORTS = {"implicit": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in. `tls` is implicit, starttls or, on this machine only, none."""

    host: str
    port: int
    tls: str
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """`sender` is what From shows, `bounce` the envelope's sender, `domain` the right side of the ids."""

    server: Server
    sender: str
    bounce: str
    domain: str
    templates: own.Templates = own.NO_TEMPLATES


def read(section: Section) -> Settings:
    """Read the settings of an email channel."""
    section.need("smtp")
    server = _server(section.section("smtp"))
    sender = section.text("from", "") if section.need("from") else ""
    address = parseaddr(sender)[1]
    if sender and not ADDRESS.fullmatch(address):
        section.fault(("from",), f"'{sender}' holds no mail address", code="E026")
    bounce = section.text("bounce", address)
    if bounce and not ADDRESS.fullmatch(bounce):
        section.fault(("bounce",), f"'{bounce}' is not a mail address", code="E026")
    domain = section.text("domain", address.rpartition("@")[2] or "localhost")
    return Settings(server, sender, bounce, domain, templates.read(section, (own.Form.TEXT, own.Form.HTML)))


def _server(section: Section) -> Server:
    host = section.text("host", "") if section.need("host") else ""
    tls = section.choice("tls", ("implicit", "starttls", "none"), "starttls")
    port = section.number("port", TLS_PORTS[tls], 1, 65535)
    user = section.text("user", None)
    password = section.secret("password", required=user is not None)
    if tls == "none" and host not in LOOPBACK:
        section.fault(("tls",), "without TLS mail goes to this machine only", "write starttls or implicit", "E071")
    section.close()
    return Server(host, port, tls, user, password)


def normal(address: str) -> str:
    """Spell an address so that one mailbox is one recipient: the domain in small letters."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"


class EmailChannel:
    """Hands mails in at one server."""

    def __init__(self, name: str, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        self.name = name
        self.manners = Manners(timedelta(seconds=DOT_S + 120), at_once=2)
        self._settings = settings
        self._context = context

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render the whole mail, and one with the text part alone."""
        frame = mail.Frame(self._settings.sender, self._settings.bounce, self._settings.domain)
        whole, short = mail.both(digest, frame, self._settings.templates)
        return Draft(DeliveryKind.MAIL, whole, compact=short)

    def refresh(self, digest: Digest) -> Draft | None:
        """A mail cannot be changed."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Hand the stored mail in: connect, STARTTLS, AUTH, MAIL, RCPT, DATA."""
        from alerts.channels import smtp  # here: a sixth of a second to import, for those who send mail only

        server = self._settings.server
        password = reveal(self.name, server.password) if server.password is not None else None
        session = smtp.Session(self.name, server, self._settings.bounce, self._context)
        return await session.hand_in(delivery.to, delivery.payload, password)

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """A mail server cannot be asked."""
        return None
