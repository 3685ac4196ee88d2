"""Where a delivery may go: public addresses, and those that the site lists.

The checked address is the one connected to: a name that resolves to the inside of the network (SSRF), or to another
place the second time, gets nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from csfinterp.delivery.destinations import Network
from csfinterp.errors import CsfinterpError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_ADDRESSES_TRIED = 2
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class DeliveryError(CsfinterpError):
    """A try that failed; the message goes into the outbox and the log, so it holds nothing of a patient or a secret.

    `retry_after`: seconds that the receiver asked for. `final`: the receiver wants no further try.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.retry_after, self.final = retry_after, final


def is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Public unicast, or in a network that the site lists. An IPv4 address inside an IPv6 one counts as itself."""
    inner = _inside(address)
    if is_listed(address, networks) or is_listed(inner, networks):
        return True
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in (address, inner))


def is_listed(address: Address, networks: Sequence[Network]) -> bool:
    """In one of the networks."""
    return any(address in network for network in networks if network.version == address.version)


def _inside(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def connect(
    host: str, port: int, networks: Sequence[Network], timeout: float, plain: Callable[[Address], bool] | None
) -> socket.socket:
    """A connection to the first allowed address of the host. Raises DeliveryError.

    `plain`: None where TLS follows; else which of the listed addresses may be talked to without it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DeliveryError("the name of the host cannot be resolved") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    allowed = [one for one in dict.fromkeys(addresses) if is_allowed(one, networks)]
    if plain is not None:
        allowed = [one for one in allowed if is_listed(one, networks) and plain(one)]
    if not allowed:
        raise DeliveryError("the address is not allowed; list its network in networks if it is meant")
    for address in allowed[:_ADDRESSES_TRIED]:
        with suppress(OSError):
            return socket.create_connection((str(address), port), timeout=timeout)
    raise DeliveryError("no connection")


def tls_around(raw: socket.socket, host: str, ca_file: Path | None) -> ssl.SSLSocket:
    """The connection prepared for TLS, without the handshake. Raises DeliveryError."""
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    except OSError as error:
        raise DeliveryError(f"TLS cannot begin ({type(error).__name__}); check ca_file") from None


def shake_hands(link: ssl.SSLSocket) -> None:
    """The handshake, with the certificate checked for the host. Raises DeliveryError."""
    try:
        link.do_handshake()
    except OSError as error:
        raise DeliveryError(f"TLS failed ({getattr(error, 'verify_message', '') or type(error).__name__})") from None
