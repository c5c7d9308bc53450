"""Every exception alerts raises.

AlertError
+- ConfigError       problems (same shape as monitor's, own class)
+- DeliveryError     channel, reason, transient, retry_after
   +- Throttled      the channel asks to wait
   +- Rejected       this message or recipient is refused for good
   +- Ambiguous      the far side may have taken it
   +- ChannelBroken  nothing can be sent until somebody mends the channel
"""

from __future__ import annotations

from datetime import timedelta


class AlertError(Exception):
    """Something the telling half can name went wrong."""


class ConfigError(AlertError):
    """A channel, route or schedule cannot be used. `path` is the key's place, as in ``channels.desk.url``.

    `code` is one of the fixed error codes of `check`; codes that begin with W are warnings.
    """

    def __init__(
        self, path: tuple[str | int, ...], message: str, hint: str | None = None, *, code: str = "E027"
    ) -> None:
        super().__init__(message + (f"; {hint}" if hint else ""))
        self.path = path
        self.message = message
        self.hint = hint
        self.code = code

    @property
    def severity(self) -> str:
        """error or warning"""
        return "warning" if self.code.startswith("W") else "error"


class DeliveryError(AlertError):
    """A delivery did not end well. `reason` is a word of a closed set; the message is already redacted."""

    transient = True

    def __init__(
        self,
        channel: str,
        reason: str,
        message: str = "",
        *,
        retry_after: timedelta | None = None,
        status: str | None = None,
    ) -> None:
        super().__init__(message or reason)
        self.channel = channel
        self.reason = reason
        self.retry_after = retry_after
        self.status = status


class Throttled(DeliveryError):
    """The channel asks to wait."""


class Deferred(DeliveryError):
    """The far side asks for this one message again later; the channel itself is well."""


class Rejected(DeliveryError):
    """This recipient is refused for good."""

    transient = False


class Poison(DeliveryError):
    """The far side refuses these bytes; a plainer rendering may pass."""

    transient = False


class Ambiguous(DeliveryError):
    """The far side may or may not have taken the message."""


class ChannelBroken(DeliveryError):
    """Nothing can be sent over this channel until somebody mends it. `strikes`: how many in a row make it sure."""

    transient = False

    def __init__(
        self, channel: str, reason: str, message: str = "", *, status: str | None = None, strikes: int = 1
    ) -> None:
        super().__init__(channel, reason, message, status=status)
        self.strikes = strikes
