"""What a call costs on the wire, and how late and how true the other end's face is, on good and on bad networks.

    python scripts/bench_call.py CLIP [--seconds 20] [--portrait PHOTO] [--sound]

Two processes, each in a network namespace of its own, call each other as `agent call` does, and send the motions that
`agent run --mode video` has for CLIP, both at once. Bytes are those of every datagram of one end, 28 more for IP and
UDP: motion, acknowledgements, connection checks and reports, and the voice only with --sound. Ages are from a motion's
instant to the picture: of the newest motion that is known where one is missing. A freeze is a time in which the face
stands still and that of a network without loss would not. The landmark error compares what the built-in engine draws of
the portrait that arrived, moved by what arrived, with what the sender draws, in eye distances, in heads that fill the
picture: by a tracker that follows the face, as in a run, and by one that finds it anew in every picture; "tracker" is
what it finds between the same picture and one moved by half a pixel.

Namespaces, losses (iptables) and the narrow link (tbf) need root; without it only the first row is measured, on the
loopback.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import aioice.ice
import numpy as np
from call_pictures import landmark_error
from motions import FPS, motions_of
from silent_host import SilentHost

from agent.call.portraits import own_portrait
from models.motion import Motion, lerp
from models.motion_codec import TICK_NS as WIRE_TICK_NS
from models.motion_codec import TICKS, MotionDecoder, MotionEncoder
from runtime.clock import MonotonicClock
from runtime.transports.call_host import Myself
from runtime.transports.caller import Caller
from runtime.transports.ice import policy_for
from runtime.transports.line import Line
from runtime.transports.listener import Listener

EXAMPLE = Path(__file__).parents[1] / "agent" / "example" / "portrait.png"
CLOCK = MonotonicClock()
TICK_NS = 1_000_000_000 // FPS
SETTLED = 2 * FPS  # ticks before anything is judged
WRAP_NS = TICKS * WIRE_TICK_NS  # after which times on the wire come again
HEADS = 28  # IP and UDP
MOVES = 1e-3
HOSTS = ("10.99.0.1", "10.99.0.2")
ROWS = {
    "no loss": "",
    "10 % loss": "iptables-legacy -A INPUT -p udp -m statistic --mode random --probability 0.1 -j DROP",
    "20 % loss": "iptables-legacy -A INPUT -p udp -m statistic --mode random --probability 0.2 -j DROP",
    "64 kbit/s": "tc qdisc add dev wire root tbf rate 64kbit burst 2kb latency 300ms",
}


class End(SilentHost):
    """A host that shows nothing, and says a tone or nothing."""

    def __init__(self, portrait: bytes, sound: bool) -> None:
        self.myself, self.line = Myself("", portrait, False), Line()
        self.sound, self.ready = sound, threading.Event()

    def shown(self) -> None:
        self.ready.set()

    def say(self, count: int, leaves_ns: int) -> np.ndarray:
        samples = np.random.default_rng(leaves_ns).normal(0, 0.1 * self.sound, (count, 2))
        return samples.astype(np.float32)


class Wire:
    """Bytes of all datagrams that leave this process by ICE."""

    def __init__(self) -> None:
        self.sent = 0
        for name in ("send_data", "send_stun"):
            self._count(name)

    def _count(self, name: str) -> None:
        send = getattr(aioice.ice.StunProtocol, name)

        def counted(protocol: Any, what: Any, address: Any) -> Any:
            self.sent += HEADS + len(bytes(what))
            return send(protocol, what, address)

        setattr(aioice.ice.StunProtocol, name, counted)


def child(plan: dict[str, Any]) -> None:
    """One end. Says its link or nothing, hears when to begin, says its figures."""
    wire, end = Wire(), End(plan["portrait"], plan["sound"])
    said = (lambda line: None, lambda ending: None)
    if plan["link"] is None:
        listener = Listener(plan["host"], 0, policy_for, end.line, end.myself, end, CLOCK, *said)
        print(listener.link, flush=True)
        open_end: Listener | Caller = listener
    else:
        open_end = Caller(plan["link"], policy_for, end.line, end.myself, end, CLOCK, *said)
    end.ready.wait(60)
    print("ready", flush=True)
    begin_ns = int(sys.stdin.readline())
    if plan["spoil"]:
        subprocess.run(plan["spoil"].split(), check=True)
    print(json.dumps(talk(end, wire, plan, begin_ns)), flush=True)
    sys.stdin.readline()
    open_end.close("done")


def talk(end: End, wire: Wire, plan: dict[str, Any], begin_ns: int) -> dict[str, Any]:
    mine, theirs, stop = plan["mine"], plan["theirs"], threading.Event()
    shown: list[tuple[int, int, int, Motion]] = []  # now, instant shown, newest instant known, motion
    for k, motion in enumerate(mine):
        CLOCK.wait_until(begin_ns + k * TICK_NS, stop)
        if k == 0:
            bytes_before = wire.sent
        end.line.give(motion.at(begin_ns + k * TICK_NS))
        CLOCK.wait_until(begin_ns + k * TICK_NS + TICK_NS // 2, stop)
        now_ns, playout = CLOCK.now_ns(), end.line.peer.link._playout
        there = end.line.at(now_ns)
        if there is not None:
            lag_ns, newest_ns = playout._lag_ns % WRAP_NS, playout._motions[-1].pts_ns
            age_ns = (now_ns - newest_ns) % WRAP_NS
            shown.append((now_ns, round(now_ns - lag_ns), now_ns - age_ns, there))
    seconds, counts = len(mine) / FPS, end.line.peer.link.counts()
    judged = shown[SETTLED:]
    ages_ms = [(now - min(at, newest)) / 1e6 for now, at, newest, _ in judged]
    figures = {
        "wire": (wire.sent - bytes_before) * 8 / seconds / 1000,
        "payload": counts["bytes_sent"] * 8 / seconds / 1000,
        "ages_ms": ages_ms,
        "freeze_ms": freeze_ms(judged, theirs, begin_ns),
        "sure": float(np.mean([motion.confidence for *_, motion in judged])),
        "withheld": counts["packets_withheld"],
    }
    if plan["pairs"] is not None:
        pairs = [(truth(theirs, begin_ns, at), motion) for _, at, _, motion in judged]
        Path(plan["pairs"]).write_bytes(pickle.dumps(pairs))
    return figures


def truth(motions: list[Motion], begin_ns: int, at_ns: int) -> Motion:
    """What the sender had at an instant."""
    where = min(max((at_ns - begin_ns) / TICK_NS, 0.0), len(motions) - 1.001)
    return lerp(motions[int(where)], motions[int(where) + 1], where % 1)


def freeze_ms(judged: list[tuple[int, int, int, Motion]], theirs: list[Motion], begin_ns: int) -> float:
    """The longest time in which what is shown stands still and what a perfect network brings does not."""
    encoder, decoder, perfect = MotionEncoder(), MotionDecoder(), {}
    for k, motion in enumerate(theirs):
        packet = encoder.push(motion.at(k * TICK_NS))
        perfect = {told.pts_ns: told for told in decoder.push(packet)} | perfect if packet else perfect
    coded = [perfect[k] for k in sorted(perfect)]
    longest = still = 0
    for (_, at, _, a), (_, after, _, b) in pairwise(judged):
        moves = far(truth(coded, begin_ns, at), truth(coded, begin_ns, after)) > 3 * MOVES
        still = still + 1 if far(a, b) < MOVES and moves else 0
        longest = max(longest, still)
    return (longest + 1) * TICK_NS / 1e6


def far(a: Motion, b: Motion) -> float:
    parts = (a.expression - b.expression, a.rotation - b.rotation, a.translation - b.translation)
    return float(max(np.abs(part).max() for part in parts))


@contextmanager
def places(rooted: bool) -> Iterator[tuple[list[str], list[str], str]]:
    """Commands that put a process at either end of a wire, and the first end's address."""
    if not rooted:
        yield [], [], "127.0.0.1"
        return
    names = [f"call{os.getpid()}{side}" for side in "ab"]
    try:
        for name in names:
            shell(f"ip netns add {name}")
            shell(f"ip -n {name} link set lo up")
        shell(f"ip -n {names[0]} link add wire type veth peer name wire netns {names[1]}")
        for name, address in zip(names, HOSTS, strict=True):
            shell(f"ip -n {name} addr add {address}/24 dev wire")
            shell(f"ip -n {name} link set wire up")
        yield ["ip", "netns", "exec", names[0]], ["ip", "netns", "exec", names[1]], HOSTS[0]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False)


def shell(command: str) -> None:
    subprocess.run(command.split(), check=True)


def row(spoil: str, motions: list[Motion], portrait: bytes, sound: bool, pairs: str | None) -> list[dict[str, Any]]:
    """Both ends' figures."""
    half = len(motions) // 2
    turned = motions[half:] + motions[:half]
    with places(os.geteuid() == 0) as (first, second, host), tempfile.TemporaryDirectory() as folder:
        common = {"portrait": portrait, "sound": sound, "spoil": spoil, "host": host, "link": None, "pairs": None}
        ends = []
        for k, (where, mine, theirs) in enumerate(((first, motions, turned), (second, turned, motions))):
            plan = common | {"mine": mine, "theirs": theirs}
            if k:
                plan |= {"link": ends[0].stdout.readline().strip(), "pairs": pairs}
            path = Path(folder) / f"plan{k}"
            path.write_bytes(pickle.dumps(plan))
            command = [*where, sys.executable, __file__, "--child", str(path)]
            ends.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        for end in ends:
            assert end.stdout.readline() == "ready\n"
        begin_ns = CLOCK.now_ns() + 1_000_000_000
        for end in ends:
            tell(end, str(begin_ns))
        figures = [json.loads(end.stdout.readline()) for end in ends]
        for end in ends:
            tell(end, "end")
            end.wait()
    return figures


def tell(end: subprocess.Popen, line: str) -> None:
    end.stdin.write(f"{line}\n")
    end.stdin.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--portrait", type=Path, default=EXAMPLE)
    parser.add_argument("--sound", action="store_true")
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    if options.child is not None:
        child(pickle.loads(options.child.read_bytes()))
        return
    portrait = own_portrait(options.portrait)
    motions = motions_of(options.clip)[0]
    there_and_back = motions + motions[-2:0:-1]
    count = round(options.seconds * FPS)
    motions = (there_and_back * (count // len(there_and_back) + 1))[:count]
    rows = ROWS if os.geteuid() == 0 else {"no loss": ""}
    if len(rows) == 1:
        print("not root: no losses and no narrow link")
    print("| network | wire kbit/s | payload | age p50 ms | p95 | longest freeze ms | confidence | withheld |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        kept = str(Path(folder) / "pairs")
        for name, spoil in rows.items():
            ends = row(spoil, motions, portrait, options.sound, None if spoil else kept)
            ages = np.concatenate([end["ages_ms"] for end in ends])
            wire, payload, sure = (np.mean([end[key] for end in ends]) for key in ("wire", "payload", "sure"))
            freeze, withheld = max(end["freeze_ms"] for end in ends), sum(end["withheld"] for end in ends)
            print(
                f"| {name} | {wire:.1f} | {payload:.1f} | {np.median(ages):.0f} | {np.percentile(ages, 95):.0f} "
                f"| {freeze:.0f} | {sure:.3f} | {withheld} |",
                flush=True,
            )
        pairs = pickle.loads(Path(kept).read_bytes())
    for name, (error, tracker) in landmark_error(pairs, options.portrait, portrait).items():
        print(f"landmark error, {name}: {error:.4f} eye distances (tracker {tracker:.4f})")


if __name__ == "__main__":
    main()
