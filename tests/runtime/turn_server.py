"""A TURN server, coturn's, on the loopback, where it is installed."""

import datetime
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from runtime.transports.ice import policy_for

USER, PASSWORD = "ann", "relay me"


@dataclass(frozen=True, slots=True)
class TurnServer:
    """Its addresses, as `--ice-server` takes them."""

    udp: str
    tcp: str
    tls: str
    stun: str
    certificate: Path
    """That of `tls`, which nobody has signed."""

    def at(self, transport: str) -> str:
        """The address for "udp", "tcp" or "tls"."""
        return {"udp": self.udp, "tcp": self.tcp, "tls": self.tls}[transport]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def turn_server(folder: Path) -> Iterator[TurnServer]:
    """The server, once it answers; its log is in the folder."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed")
    port, tls_port = free_port(), free_port()
    certificate, key = _certificate(folder)
    command = [program, "-n", "--lt-cred-mech", f"--user={USER}:{PASSWORD}", "--realm=agent", "--no-cli", "--no-dtls"]
    command += ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"]
    command += [f"--tls-listening-port={tls_port}", f"--cert={certificate}", f"--pkey={key}"]
    command += ["--allow-loopback-peers", f"--pidfile={folder / 'turn.pid'}", f"--userdb={folder / 'turn.db'}"]
    log = folder / "turn.log"
    with log.open("w") as said, subprocess.Popen([*command, "--log-file=stdout"], stdout=said, stderr=said) as process:
        try:
            _await_answer(port)
            here = f"127.0.0.1:{port}"
            yield TurnServer(
                udp=f"turn:{here}",
                tcp=f"turn:{here}?transport=tcp",
                tls=f"turns:127.0.0.1:{tls_port}",
                stun=f"stun:{here}",
                certificate=certificate,
            )
        finally:
            process.terminate()


def relayed(*servers: str, password: str = PASSWORD) -> partial:
    """Policies of an agent that goes through the servers and no other way."""
    return partial(policy_for, servers=servers, user=USER, password=password, relayed=True)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself; and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1)).add_extension(here, critical=False)
    certificate, secret = folder / "turn.pem", folder / "turn.key"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


def _await_answer(port: int) -> None:
    """Until it answers a STUN request."""
    request = bytes.fromhex("000100002112a442") + b"are you on? "
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect(("127.0.0.1", port))
        for _ in range(50):
            try:
                probe.send(request)
                if probe.recv(2048)[8:20] == request[8:]:
                    return
            except (TimeoutError, ConnectionError):
                time.sleep(0.1)
    raise AssertionError("the TURN server does not answer")
