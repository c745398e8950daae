"""Which addresses a peer may use: those of this machine's loopback alone, unless told otherwise."""

import ipaddress
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from aioice import Candidate
from aiortc import RTCIceServer, RTCPeerConnection
from aiortc.rtcicetransport import RTCIceGatherer, parse_stun_turn_uri

from models.errors import InputError

LOOPBACK, ANYWHERE = "127.0.0.1", "0.0.0.0"

_ANY = (ANYWHERE, "::")

_Gather = Callable[..., Awaitable[list[Candidate]]]


@dataclass(frozen=True, slots=True)
class IcePolicy:
    """What a peer may offer of this machine, and what it may be told of the other one."""

    addresses: tuple[str, ...] | None = (LOOPBACK,)
    """Own IP addresses that may be used; None: all."""
    servers: tuple[RTCIceServer, ...] = ()
    """STUN and TURN servers that may be asked."""
    relayed: bool = False
    """Whether media go through a TURN server and no other way: no own address is offered."""

    @property
    def for_browsers(self) -> list[str]:
        """STUN servers for browsers that join: those here, without the password that their TURN part asks for.

        Browsers name no address of their own network; by what a STUN server tells them they are found and let through
        by a TURN server here. One that is used over TCP mostly answers that by UDP, too; one over TLS has another port.
        """
        parts = [parse_stun_turn_uri(url) for server in self.servers for url in _urls(server)]
        plain = [part for part in parts if part["scheme"] in ("stun", "turn")]
        return list(dict.fromkeys(f"stun:{part['host']}:{part['port']}" for part in plain))

    @property
    def encrypted(self) -> bool:
        """Whether the TURN server is spoken to over TLS, and has to show a certificate."""
        return any(_scheme(url) == "turns" for server in self.servers for url in _urls(server))

    @property
    def relays(self) -> bool:
        """Whether there is a TURN server."""
        return any(_scheme(url) in ("turn", "turns") for server in self.servers for url in _urls(server))

    @property
    def stays_here(self) -> bool:
        """Whether nothing may leave this machine."""
        only_loopback = self.addresses is not None and all(map(is_loopback, self.addresses))
        return only_loopback and not self.servers

    def usable(self, found: Sequence[str]) -> list[str]:
        """Of the addresses that the machine has (without loopback) those that may be used."""
        if self.relayed:
            return []
        known = [LOOPBACK, *found]
        return known if self.addresses is None else list(self.addresses)

    def permits(self, address: str) -> bool:
        """Whether the other end may be looked for there. Names (mDNS, too) are never looked up."""
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return False
        return not self.stays_here or is_loopback(address)


def policy_for(
    host: str, servers: Sequence[str] = (), user: str = "", password: str = "", relayed: bool = False
) -> IcePolicy:
    """The policy of an agent that listens at `host`: at a loopback address nothing leaves this machine.

    Args:
        host: an IP address of this machine or "localhost"; 0.0.0.0 or :: are all.
        servers: stun:HOST[:PORT], turn:HOST[:PORT][?transport=tcp] or turns:HOST[:PORT] (TLS), at most one of either
            kind. With any, all addresses are used.
        user: for TURN.
        password: for TURN.
        relayed: through a TURN server, and no other way.

    Raises:
        InputError: an address or server that is none, or no TURN server to relay.
    """
    schemes = [_scheme(server) for server in servers]
    relays = schemes.count("turn") + schemes.count("turns")
    if relays > 1 or schemes.count("stun") > 1:
        raise InputError("--ice-server: one STUN and one TURN server can be asked, no more of either")
    if relayed and not relays:
        raise InputError("--relay-only has no server to go through: give --ice-server turn:HOST:PORT")
    asked = tuple(RTCIceServer(server, user or None, password or None) for server in servers)
    address = LOOPBACK if host == "localhost" else host
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise InputError(f"{host} is no address of this machine: give an IP address, or 0.0.0.0 for all") from None
    return IcePolicy(None if servers or address in _ANY else (address,), asked, relayed)


def _scheme(server: str) -> str:
    """Raises InputError for what is no server."""
    if "@" in server:
        raise InputError(
            "--ice-server: user and password are not given there, where others can read them, but in the environment "
            "variables AGENT_TURN_USER and AGENT_TURN_PASSWORD"
        )
    try:
        parts = parse_stun_turn_uri(server)
    except ValueError:
        raise InputError(f"{server} is no STUN or TURN server: give stun:HOST:PORT or turn:HOST:PORT") from None
    if parts["scheme"] == "stuns":
        raise InputError(f"{server}: STUN is asked without encryption alone: give stun:HOST:PORT")
    if parts["scheme"] == "turns" and parts["transport"] != "tcp":
        raise InputError(f"{server}: TURN goes over TLS, not DTLS: give turns:HOST:PORT")
    return str(parts["scheme"])


def _urls(server: RTCIceServer) -> Sequence[str]:
    return [server.urls] if isinstance(server.urls, str) else server.urls


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine's own."""
    return ipaddress.ip_address(address).is_loopback


def is_local(host: str) -> bool:
    """Whether a host name or address stands for this machine, without looking it up."""
    try:
        return is_loopback(host)
    except ValueError:
        return host == "localhost"


def confine(peer: RTCPeerConnection, policy: IcePolicy) -> None:
    """Lets a peer gather the candidates that `policy` permits, and no others. Before its local description is set."""
    for gatherer in gatherers(peer):
        connection = gatherer._connection
        gather = partial(_gather, type(connection).get_component_candidates, connection, policy)
        vars(connection)["get_component_candidates"] = gather  # aioice leaves loopback out and cannot be told


def gatherers(peer: RTCPeerConnection) -> Iterator[RTCIceGatherer]:
    """What finds the peer's candidates; where all media go one way, several times the same."""
    for transceiver in peer.getTransceivers():
        yield transceiver.receiver.transport.transport.iceGatherer
    if peer.sctp is not None:
        yield peer.sctp.transport.transport.iceGatherer


async def _gather(
    gather: _Gather, connection: object, policy: IcePolicy, component: int, addresses: list[str]
) -> list[Candidate]:
    return await gather(connection, component, policy.usable(addresses))
