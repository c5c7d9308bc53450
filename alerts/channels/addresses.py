"""Which addresses a webhook may connect to: public ones, and those the configuration allows.

The name is resolved once, every address is checked, and the connection goes to a checked address: a second, different
answer of the resolver is never asked for.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from alerts.errors import ChannelBroken, DeliveryError

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]

CARRIER = ip_network("100.64.0.0/10")
NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
SIX_TO_FOUR = IPv6Network("2002::/16")


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the open internet, also when an IPv4 address hides in an IPv6 one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in SIX_TO_FOUR or any(address in net for net in NAT64) or address.teredo is not None:
            return False
    elif address in CARRIER:
        return False
    return address.is_global and not address.is_multicast


def allowed(address: str, allow: Iterable[str]) -> bool:
    """Tell whether the configuration names the address, or a network that holds it."""
    found = ip_address(address)
    for entry in allow:
        try:
            if found in ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """Ask the system's resolver, in its order. Errors: OSError."""
    loop = asyncio.get_running_loop()
    rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


async def checked(channel: str, host: str, port: int, allow: tuple[str, ...], ask: Resolve = resolve) -> str:
    """Resolve a host and give the address to connect to.

    Errors: ChannelBroken when any of its addresses is not public and neither it nor the host is allowed;
    DeliveryError when the name cannot be resolved.
    """
    try:
        found = await ask(host, port)
    except (OSError, UnicodeError) as exc:
        raise DeliveryError(channel, "unresolved", f"{host}: {type(exc).__name__}") from exc
    if not found:
        raise DeliveryError(channel, "unresolved", host)
    for address in found:
        if host not in allow and not is_public(ip_address(address)) and not allowed(address, allow):
            raise ChannelBroken(channel, "address_refused", f"{host} is not an address of the open internet")
    return found[0]
