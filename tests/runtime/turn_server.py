"""A TURN server, coturn's, on the loopback, where it is installed."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from runtime.transports.ice import policy_for

USER, PASSWORD = "ann", "relay me"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def turn_server(folder: Path) -> Iterator[str]:
    """The server's address, as `--ice-server` takes it; its logs are in the folder."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed")
    port = free_port()
    command = [program, "-n", "--lt-cred-mech", f"--user={USER}:{PASSWORD}", "--realm=agent", "--no-cli", "--no-tls"]
    command += ["--no-dtls", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"]
    command += ["--allow-loopback-peers", f"--pidfile={folder / 'turn.pid'}", f"--userdb={folder / 'turn.db'}"]
    log = folder / "turn.log"
    with log.open("w") as said, subprocess.Popen([*command, "--log-file=stdout"], stdout=said, stderr=said) as process:
        try:
            _await_answer(port)
            yield f"turn:127.0.0.1:{port}"
        finally:
            process.terminate()


def relayed(server: str, password: str = PASSWORD) -> partial:
    """Policies of an agent that goes through the server and no other way."""
    return partial(policy_for, servers=[server], user=USER, password=password, relayed=True)


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
