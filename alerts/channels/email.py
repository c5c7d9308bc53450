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

import aiosmtplib

from alerts.channels import templates
from alerts.channels.base import Manners, reveal
from alerts.channels.reading import Section
from alerts.channels.secrets import Secret
from alerts.errors import Ambiguous, ChannelBroken, Deferred, DeliveryError, Poison, Rejected, Throttled
from alerts.render import mail, own
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt

COMMAND_S = 60.0
DOT_S = 600.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ADDRESS = re.compile(r"[^@\s<>\"(),:;\\\[\]\x00-\x20\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
NO_SUCH = frozenset({550, 551, 553, 521, 556})
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
        server = self._settings.server
        password = reveal(self.name, server.password) if server.password is not None else None
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=COMMAND_S,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=self._context,
        )
        try:
            await self._open(client, server.user, password)
            await self._envelope(client, delivery.to)
            return await self._data(client, delivery.payload)
        finally:
            await _leave(client)

    async def _open(self, client: aiosmtplib.SMTP, user: str | None, password: str | None) -> None:
        try:
            await client.connect()
            if user is not None and password is not None:
                await client.login(user, password)
        except aiosmtplib.SMTPAuthenticationError as exc:
            raise ChannelBroken(self.name, "auth_refused", status=str(exc.code)) from exc
        except aiosmtplib.SMTPResponseException as exc:
            raise self._refused(exc.code, "connect") from exc
        except ssl.SSLCertVerificationError as exc:
            raise ChannelBroken(self.name, "bad_certificate", exc.verify_message) from exc
        except aiosmtplib.SMTPException as exc:
            if _cause(exc, ssl.SSLCertVerificationError):
                raise ChannelBroken(self.name, "bad_certificate") from exc
            if "STARTTLS" in str(exc) or "AUTH" in str(exc):
                raise ChannelBroken(self.name, "no_starttls" if "STARTTLS" in str(exc) else "no_auth") from exc
            raise DeliveryError(self.name, "unreachable", type(exc).__name__) from exc
        except (OSError, TimeoutError) as exc:
            raise DeliveryError(self.name, "unreachable", type(exc).__name__) from exc

    async def _envelope(self, client: aiosmtplib.SMTP, to: str) -> None:
        try:
            await client.mail(self._settings.bounce)
        except aiosmtplib.SMTPResponseException as exc:
            raise self._refused(exc.code, "mail") from exc
        except (aiosmtplib.SMTPException, OSError) as exc:
            raise DeliveryError(self.name, "cut_off", type(exc).__name__) from exc
        try:
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as exc:
            if exc.code in NO_SUCH:
                raise Rejected(self.name, "no_such_recipient", exc.message[:200], status=str(exc.code)) from exc
            raise self._refused(exc.code, "rcpt") from exc
        except (aiosmtplib.SMTPException, OSError) as exc:
            raise DeliveryError(self.name, "cut_off", type(exc).__name__) from exc

    async def _data(self, client: aiosmtplib.SMTP, payload: bytes) -> Receipt:
        try:
            reply = await client.data(payload, timeout=DOT_S)
        except aiosmtplib.SMTPResponseException as exc:
            if exc.code in (552, 554):
                raise Poison(self.name, "content_refused", exc.message[:200], status=str(exc.code)) from exc
            raise self._refused(exc.code, "dot") from exc
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as exc:
            raise Ambiguous(self.name, "cut_off", type(exc).__name__) from exc
        return Receipt(str(reply.code), (("answer", reply.message[:200]),))

    def _refused(self, code: int, phase: str) -> DeliveryError:
        status, reason = str(code), f"smtp_{phase}_{code}"
        if code in (530, 534, 535, 538):
            return ChannelBroken(self.name, "auth_refused", status=status)
        if code == 421 or (400 <= code < 500 and phase in ("connect", "mail")):
            return Throttled(self.name, reason, status=status)
        if 400 <= code < 500:
            return Deferred(self.name, reason, status=status)
        return DeliveryError(self.name, reason, status=status)

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """A mail server cannot be asked."""
        return None


def _cause(exc: BaseException, kind: type[BaseException]) -> bool:
    cause = exc.__cause__ or exc.__context__
    return cause is not None and (isinstance(cause, kind) or _cause(cause, kind))


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye if the server still listens; what it answers changes nothing."""
    try:
        if client.is_connected:
            await client.quit(timeout=5)
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        client.close()
