"""Which addresses may be dialled: public ones, and whatever the operator names by its exact host.

Two doors with one rule. The resolver refuses a name with one bad address among good ones; the socket factory sees
every address that is really dialled, also those that never were a name. So a second lookup cannot change anything.
Called by `fetch.transport`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Lookup = Callable[..., list[tuple[Any, ...]]]
"""The signature of `socket.getaddrinfo`."""
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

_ALSO_REFUSED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
    )
)
"""Carrier NAT, protocol assignments, 6to4 relays, NAT64, 6to4, Teredo: public to the standard library, or in part."""


class RefusedAddress(OSError):
    """The guard does not dial this address."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} leads to {address}, which is no public address; allow it by name if it is yours")


class LookupTimeout(OSError):
    """The name server did not answer in time."""


@dataclass(slots=True)
class Dial:
    """What is being connected to in this context; the door notes a refusal here, as aiohttp loses its exception."""

    host: str
    allowed: bool
    refused: RefusedAddress | None = None


DIAL: ContextVar[Dial | None] = ContextVar("dial", default=None)


@lru_cache(maxsize=4096)
def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet. Unreadable text is not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    return not any(ip.version == net.version and ip in net for net in _ALSO_REFUSED)


def open_socket(info: AddressInfo) -> socket.socket:
    """Make the socket for one address about to be dialled: aiohttp's `socket_factory`.

    Errors: RefusedAddress, also noted in the `Dial` of this context.
    """
    family, kind, protocol, _, address = info
    dial = DIAL.get()
    host, allowed = (dial.host, dial.allowed) if dial else ("?", False)
    if family not in (socket.AF_INET, socket.AF_INET6) or not (allowed or is_public(str(address[0]))):
        refusal = RefusedAddress(host, str(address[0]))
        if dial:
            dial.refused = refusal
        raise refusal
    return socket.socket(family, kind, protocol)


class Resolver(AbstractResolver):
    """Looks names up in threads of its own and refuses those with an address that is not public."""

    def __init__(self, allow_hosts: frozenset[str], executor: Executor, lookup: Lookup, timeout_s: float) -> None:
        self._allow_hosts = allow_hosts
        self._executor = executor
        self._lookup = lookup
        self._timeout_s = timeout_s

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Errors: RefusedAddress, LookupTimeout, socket.gaierror.
        """
        call = partial(self._lookup, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await asyncio.get_running_loop().run_in_executor(self._executor, call)
        except TimeoutError as exc:
            raise LookupTimeout(f"looking up {host} took longer than {self._timeout_s:g} s") from exc
        except UnicodeError as exc:
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is no host name") from exc
        addresses = [(info[0], info[2], str(info[4][0])) for info in found]
        if host.lower() not in self._allow_hosts:
            for _, _, address in addresses:
                if not is_public(address):
                    raise RefusedAddress(host, address)
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=fam, proto=proto, flags=int(socket.AI_NUMERICHOST)
            )
            for fam, proto, address in addresses
        ]

    async def check(self, host: str) -> None:
        """Look a name up only to see whether it may be asked for: what is done before a proxy gets it.

        Errors: as `resolve`.
        """
        await self.resolve(host)

    async def close(self) -> None:
        """Nothing of its own to close; the executor is its owner's."""
