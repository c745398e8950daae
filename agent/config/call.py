"""Settings of `agent call`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from agent.config.driving import Driving
from agent.config.showing import Showing


@dataclass(frozen=True)
class Call(Showing, Driving):
    """Two agents talk: each end sends its portrait once, then motion and voice alone, and draws the other one.

    The portrait leaves this machine when the call connects, and so does how your face moves and what you say; pictures
    of the camera do not, unless --guard says so. The other end's portrait goes to every output that `agent run` has,
    their voice to the loudspeaker (use headphones: the agent takes no echo out) or to a virtual microphone. Ctrl-C
    hangs up.

    Be called: prints a link for one caller:  agent call --listen --portrait me.png

    Call:  agent call 'http://127.0.0.1:8785/#token=...' --portrait me.png

    From another machine:  agent call --listen --host 192.168.1.5 --portrait me.png

    The far face in Zoom:  agent call LINK --portrait me.png --mode video --output virtual-camera
    """

    link: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="[LINK]")] = ""
    """What the other end printed."""

    listen: bool = False
    """Print a link, wait for a caller, and after each call for the next. In a browser the link is a page that shows
    your portrait."""

    host: str = "127.0.0.1"
    """With --listen: address of this machine to be called at. Nothing leaves this machine unless one is given; 0.0.0.0
    is all."""

    port: int | None = None
    """With --listen: port to be called at; 0 takes any free one. Default: 8785 or the next free one."""

    public_url: str = ""
    """With --listen: https://HOST under which a proxy of yours passes the page on, which browsers in other places need
    for their microphone; the link then leads there. Motion and voice do not go through it: give --host, too."""

    name: str = ""
    """What the other end reads of who calls."""

    forget: bool = False
    """Ask the other end not to keep the portrait for the next call."""

    speaker: str | None = None
    """Loudspeaker by name that the other end is heard from, or none. Default: the system's, where neither a virtual
    microphone nor files alone are the outputs."""

    guard: Literal["off", "portrait", "video"] = "off"
    """What is done when your portrait does not look like you any more, in --mode video and both: off only says so
    (something before the face, somebody else, a head turned too far, another light). portrait: in another light a new
    portrait is made of the camera's picture and sent, if its face is that of the photo: you alone, before the photo's
    own background. It is kept nowhere. video: that, and while anything of the above lasts, small pictures of the camera
    as it is, about six a second, take the portrait's place at the other end; both users are told."""

    mute: bool = False
    """Send no voice; --mode video then needs no microphone."""
