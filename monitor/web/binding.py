"""Takes the page's address before anything heavy is imported, so that a taken port stops the start at once."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from monitor.config import units
from monitor.errors import MonitorError

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class PortTaken(MonitorError):
    """The address of the page is in use, or cannot be bound."""


class OpenToAll(MonitorError):
    """The page would be open to everybody who reaches this machine."""


def refuse_open(host: str, *, has_login: bool) -> None:
    """Refuse to listen beyond this machine without a login, or a proxy that proves itself.

    Errors: OpenToAll with what to do.
    """
    if not units.is_this_machine(host) and not has_login:
        raise OpenToAll(
            f"web.listen {host} opens the page to everybody who reaches this machine: set web.login "
            "or web.proxy, or listen on 127.0.0.1 behind a proxy that asks for a login"
        )


def bind(host: str, port: int, setting: str = "web.listen") -> socket.socket:
    """Bind and listen where a setting says.

    Errors: PortTaken with what to do.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError as exc:
        bound.close()
        said = exc.strerror or str(exc)
        hint = "try make run PORT=8081" if setting == "web.listen" else "take another port"
        raise PortTaken(f"{setting} {host}:{port} cannot be used ({said}); {hint}") from exc
    return bound


def address(bound: socket.socket) -> str:
    """Where people look."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def local_names(host: str, public_url: str | None = None) -> frozenset[str]:
    """The names under which a page bound to `host` may be asked for."""
    public = urlsplit(public_url).hostname if public_url else None
    return _LOCAL | {host} | ({public} if public else set())
