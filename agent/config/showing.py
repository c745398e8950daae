"""Settings of how pictures are drawn and where they go, of every command that draws live."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from runtime.ladder import Quality


@dataclass(frozen=True)
class Showing:
    """Where pictures go, and how they are drawn."""

    output: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """virtual-camera, virtual-camera:DEVICE, virtual-microphone, virtual-microphone:NAME, preview, webrtc, whip:URL, or
    a file (.mp4 .mov .mkv .webm); may be given several times. Default: virtual-camera if there is one, else preview.

    A virtual microphone carries the voice, delayed until its lips are seen: on Linux one that is made for the run and
    called NAME or Avatar microphone, elsewhere the loopback device NAME (BlackHole, VB-CABLE).

    webrtc serves a page, on this machine alone unless --webrtc-host says otherwise, on which whoever opens the printed
    link first sees and hears the avatar; another link is then printed for the next viewer. Players join by WHEP, with
    the link's token as bearer once, or as often as they like with a token of yours, of 16 characters or more, in the
    environment variable AGENT_WHEP_TOKEN. whip:URL pushes to a media server, with the bearer token in AGENT_WHIP_TOKEN,
    if there is one."""

    background: str = "keep"
    """keep, blur, a colour (#RRGGBB or a name), a picture file, or transparent (into .webm or .mov files only)."""

    framing: Literal["photo", "head"] = "photo"
    """photo: the whole photo, padded to the output's shape; head: head and shoulders fill the output."""

    size: str = "512"
    """Output size in pixels: one even number for a square, or WIDTHxHEIGHT. The photo is scaled and padded to it."""

    fps: int = 25
    """Output pictures per second, 1 to 120."""

    quality: Quality = "auto"
    """What a live run does on a machine that is too busy: auto draws the person more coarsely, then follows every
    second frame of the camera and predicts the others, then halves --fps, each before pictures come late, and takes it
    back when there is time again; best never draws worse and rather leaves pictures out; fast begins where auto goes
    first, at the engine's second level (of goha, that which the paper describes: the portrait's detail stays where it
    lies on the portrait). Files are rendered at that with fast, else at their best."""

    metrics_port: int | None = None
    """Serve the figures of a live run for Prometheus at http://127.0.0.1:PORT/metrics, to this machine only; 0 takes
    any free port. Default: not at all."""

    webrtc_host: str = "127.0.0.1"
    """Address at which --output webrtc serves: one of this machine's, or 0.0.0.0 for all. Others then can join, and
    pictures and sound leave this machine, encrypted; the link itself is only as private as the network."""

    webrtc_port: int | None = None
    """Port of --output webrtc. Default: 8790, or the next that is free."""

    webrtc_public_url: str = ""
    """https://HOST under which a proxy of yours passes the page of --output webrtc on; the link then leads there.
    Pictures and sound do not go through it: give --webrtc-host, too."""

    webrtc_viewers: int = 8
    """How many may watch at a time, 1 to 64."""

    ice_server: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """For webrtc, whip and calls across networks: stun:HOST:PORT, and turn:HOST:PORT, turn:HOST:PORT?transport=tcp or
    turns:HOST:PORT (TLS), one of either kind; for TURN, user and password are in the environment variables
    AGENT_TURN_USER and AGENT_TURN_PASSWORD. Browsers that join ask the same servers for their own address, without a
    password; a turns: server needs a stun: one beside it for that. Default: none is asked."""

    relay_only: bool = False
    """Pictures, motion and voice go through the TURN server of --ice-server and no other way; the link's page or the
    call's first question still goes straight from machine to machine."""

    report: Path | None = None
    """Write frames, drops, stage times and latency to this JSON file at the end."""
