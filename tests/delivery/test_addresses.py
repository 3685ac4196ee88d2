"""Nothing is sent to where the site did not mean it: inside addresses, plain HTTP, certificates of somebody else."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from csfinterp.delivery.addresses import DeliveryError, is_allowed
from csfinterp.delivery.destinations import HL7_MLLP, Destination
from csfinterp.delivery.sending import post, send_mllp
from tests.delivery.conftest import LOOPBACK, Receiver, webhook


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
     "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1"],
)  # fmt: skip
def test_an_address_inside_is_refused(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), ())


def test_a_listed_network_is_allowed_and_nothing_beside_it() -> None:
    networks = (ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00::/8"))
    allowed = {"10.20.3.4": True, "::ffff:10.20.3.4": True, "fd00::1": True, "10.21.0.1": False, "127.0.0.1": False}
    assert {text: is_allowed(ipaddress.ip_address(text), networks) for text in allowed} == allowed


def refused(destination: Destination) -> str:
    with pytest.raises(DeliveryError) as caught:
        post(destination, b"{}", {})
    return str(caught.value)


def test_loopback_needs_to_be_listed(receiver: Receiver) -> None:
    assert "not allowed" in refused(webhook(receiver.url, networks=()))
    assert receiver.got == []
    assert post(webhook(receiver.url), b"{}", {}) == b""


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1"])
def test_other_spellings_of_an_inside_address_are_refused_too(receiver: Receiver, host: str) -> None:
    said = refused(webhook(receiver.url.replace("127.0.0.1", host), networks=()))
    assert "not allowed" in said or "resolved" in said
    assert receiver.got == []


def test_plain_http_stays_on_this_machine() -> None:
    """Listed or not: what leaves the machine is encrypted."""
    inside = webhook("http://10.20.0.1/hook", networks=(ipaddress.ip_network("10.20.0.0/16"),))
    assert "not allowed" in refused(inside)


def test_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers otherwise the second time (DNS rebinding) is asked once."""
    real, asked = socket.getaddrinfo, []

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "hooks.example.org" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    post(webhook(receiver.url.replace("127.0.0.1", "hooks.example.org")), b"{}", {})
    assert asked.count("hooks.example.org") == 1
    assert receiver.got[0][0]["host"].startswith("hooks.example.org:")


def test_a_name_that_does_not_resolve_is_told() -> None:
    assert "resolved" in refused(webhook("https://nowhere.invalid/"))


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    post(webhook(receiver.url), b"{}", {})
    assert len(receiver.got) == 1


# --- TLS ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate for localhost, key), signed by itself."""
    assert shutil.which("openssl"), "install openssl: apt-get install openssl"
    folder = tmp_path_factory.mktemp("tls")
    made = (folder / "cert.pem", folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(made[1]), "-out", str(made[0])],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture
def secure(receiver: Receiver, certificate: tuple[Path, Path]) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    return receiver.url.replace("http://127.0.0.1", "https://localhost")


BOTH = (LOOPBACK, ipaddress.ip_network("::1/128"))


def test_https_with_a_known_certificate_is_used(
    secure: str, certificate: tuple[Path, Path], receiver: Receiver
) -> None:
    assert post(webhook(secure, networks=BOTH, ca_file=certificate[0]), b"{}", {}) == b""
    assert receiver.got[0][0]["host"] == secure.partition("//")[2].partition("/")[0]


def test_a_certificate_of_nobody_known_or_of_another_host_is_refused(
    secure: str, certificate: tuple[Path, Path], receiver: Receiver
) -> None:
    assert "TLS failed" in refused(webhook(secure, networks=BOTH))
    other = webhook(secure.replace("localhost", "127.0.0.1"), networks=BOTH, ca_file=certificate[0])
    assert "TLS failed" in refused(other)
    assert receiver.got == []


def test_plain_http_at_a_tls_address_is_told(receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "https://")
    assert "TLS failed" in refused(webhook(url))


# --- MLLP ---


def mllp() -> tuple[Destination, socket.socket]:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    return Destination("lis", HL7_MLLP, host="127.0.0.1", port=port, networks=(LOOPBACK,), timeout_s=1.0), server


def test_mllp_sends_a_frame_and_reads_one() -> None:
    destination, server = mllp()
    got = []

    def serve() -> None:
        link, _ = server.accept()
        with link:
            got.append(link.recv(4096))
            for part in (b"\x0bMSH|^~\\&|\rMSA|A", b"A|1\r\x1c", b"\r"):
                link.sendall(part)

    thread = threading.Thread(target=serve)
    thread.start()
    assert send_mllp(destination, b"MSH|1\r") == b"MSH|^~\\&|\rMSA|AA|1\r"
    thread.join()
    server.close()
    assert got == [b"\x0bMSH|1\r\x1c\r"]


def test_mllp_without_tls_goes_only_to_listed_networks() -> None:
    destination, server = mllp()
    with pytest.raises(DeliveryError, match="not allowed"):
        send_mllp(replace(destination, networks=()), b"MSH")
    with pytest.raises(DeliveryError, match=r"no (ACK|answer)"):
        send_mllp(destination, b"MSH")
    server.close()
