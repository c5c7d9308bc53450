"""One conversation with a mail server: the stored bytes as they are, and what its answers mean.

The only importer of aiosmtplib that sends. Called by `email`, when there is something to send.
"""

from __future__ import annotations

import ssl

import aiosmtplib

from alerts.channels.email import DOT_S, Server
from alerts.errors import Ambiguous, ChannelBroken, Deferred, DeliveryError, Poison, Rejected, Throttled
from alerts.values import Receipt

COMMAND_S = 60.0
NO_SUCH = frozenset({550, 551, 553, 521, 556})


class Session:
    """Hands mails in at one server; `channel` is who is blamed, `bounce` the envelope's sender."""

    def __init__(self, channel: str, server: Server, bounce: str, context: ssl.SSLContext | None) -> None:
        self._channel = channel
        self._server = server
        self._bounce = bounce
        self._context = context

    async def hand_in(self, to: str, payload: bytes, password: str | None) -> Receipt:
        """Connect, STARTTLS, AUTH, MAIL, RCPT, DATA.

        Errors: DeliveryError with what the server said.
        """
        server = self._server
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
            await self._envelope(client, to)
            return await self._data(client, payload)
        finally:
            await _leave(client)

    async def _open(self, client: aiosmtplib.SMTP, user: str | None, password: str | None) -> None:
        try:
            await client.connect()
            if user is not None and password is not None:
                await client.login(user, password)
        except aiosmtplib.SMTPAuthenticationError as exc:
            raise ChannelBroken(self._channel, "auth_refused", status=str(exc.code)) from exc
        except aiosmtplib.SMTPResponseException as exc:
            raise self._refused(exc.code, "connect") from exc
        except ssl.SSLCertVerificationError as exc:
            raise ChannelBroken(self._channel, "bad_certificate", exc.verify_message) from exc
        except aiosmtplib.SMTPException as exc:
            if _cause(exc, ssl.SSLCertVerificationError):
                raise ChannelBroken(self._channel, "bad_certificate") from exc
            if "STARTTLS" in str(exc) or "AUTH" in str(exc):
                raise ChannelBroken(self._channel, "no_starttls" if "STARTTLS" in str(exc) else "no_auth") from exc
            raise DeliveryError(self._channel, "unreachable", type(exc).__name__) from exc
        except (OSError, TimeoutError) as exc:
            raise DeliveryError(self._channel, "unreachable", type(exc).__name__) from exc

    async def _envelope(self, client: aiosmtplib.SMTP, to: str) -> None:
        try:
            await client.mail(self._bounce)
        except aiosmtplib.SMTPResponseException as exc:
            raise self._refused(exc.code, "mail") from exc
        except (aiosmtplib.SMTPException, OSError) as exc:
            raise DeliveryError(self._channel, "cut_off", type(exc).__name__) from exc
        try:
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as exc:
            if exc.code in NO_SUCH:
                raise Rejected(self._channel, "no_such_recipient", exc.message[:200], status=str(exc.code)) from exc
            raise self._refused(exc.code, "rcpt") from exc
        except (aiosmtplib.SMTPException, OSError) as exc:
            raise DeliveryError(self._channel, "cut_off", type(exc).__name__) from exc

    async def _data(self, client: aiosmtplib.SMTP, payload: bytes) -> Receipt:
        try:
            reply = await client.data(payload, timeout=DOT_S)
        except aiosmtplib.SMTPResponseException as exc:
            if exc.code in (552, 554):
                raise Poison(self._channel, "content_refused", exc.message[:200], status=str(exc.code)) from exc
            raise self._refused(exc.code, "dot") from exc
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as exc:
            raise Ambiguous(self._channel, "cut_off", type(exc).__name__) from exc
        return Receipt(str(reply.code), (("answer", reply.message[:200]),))

    def _refused(self, code: int, phase: str) -> DeliveryError:
        status, reason = str(code), f"smtp_{phase}_{code}"
        if code in (530, 534, 535, 538):
            return ChannelBroken(self._channel, "auth_refused", status=status)
        if code == 421 or (400 <= code < 500 and phase in ("connect", "mail")):
            return Throttled(self._channel, reason, status=status)
        if 400 <= code < 500:
            return Deferred(self._channel, reason, status=status)
        return DeliveryError(self._channel, reason, status=status)


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
