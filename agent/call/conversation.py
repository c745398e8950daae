"""A call from end to end: a line to somebody, what leaves by it, and a session that shows who is there."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from agent.build import Session
from agent.call.plans import check_call, plan_of, shown_plan, with_voice
from agent.call.portraits import KeptPortraits, own_avatar, own_portrait, place_of, their_portrait
from agent.call.speaking import Speaking
from agent.call.truth import SAID, Truth
from agent.config.call import Call
from agent.far import Far
from agent.webrtc import ice_of
from models.errors import AgentError
from runtime.change import Change, Nobody, Upload
from runtime.clock import MonotonicClock
from runtime.far_view import FarView
from runtime.metrics import Metrics
from runtime.remote_lane import FarSounds, RemoteLane
from runtime.sound import Sound
from runtime.transports.call_control import Hello, digest_of
from runtime.transports.call_host import Myself
from runtime.transports.caller import Caller
from runtime.transports.ice import IcePolicy, policy_for
from runtime.transports.line import Line
from runtime.transports.links import public_origin
from runtime.transports.listener import Listener
from runtime.transports.peer import check_relay

_EASE_S = 1.5  # in which somebody who has left comes to rest
_SOMEBODY = "somebody"


class Conversation:
    """Host of a line: its user's inputs, and the session that shows the other end. Callers come one at a time."""

    def __init__(self, config: Call, say: Callable[[str], None], interrupted: Callable[[], bool]) -> None:
        """Opens inputs and line; waits until somebody is there, and prepares what is shown.

        Raises:
            InputError: wrong settings, an input or output that cannot be used.
            AgentError: nobody answers, or the other end refuses.
            Abandoned: it was interrupted.
        """
        check_call(config, say)
        self._config, self._say = config, say
        self._clock = MonotonicClock()
        self._kept, self._sounds, self._line = KeptPortraits(), FarSounds(), Line()
        self._view, self._who = FarView(self._clock, self._seen), ""
        self._first: Future[Upload | Nobody] = Future()
        self._shown: bytes | None = b""
        self._turn = threading.Lock()  # guards who is here: _shown and the four below
        self._visit = self._first_visit = 0  # of the present one, who is the next after those who left
        self._lost, self._losses = False, 0  # whether the present one is not heard, and how often that came
        self._ready, self._over = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        plan = plan_of(config)
        self._size = plan.size
        outputs = with_voice(plan.outputs, config.speaker, say)
        avatar = own_avatar(config.portrait) if config.listen else None
        glimpses = config.guard == "video" and plan.camera is not None
        myself = Myself(config.name, own_portrait(config.portrait), not config.forget, avatar, glimpses)
        with ExitStack() as opened:
            self._truth: Truth | None = None
            if plan.camera is not None:
                self._truth = Truth(config.portrait, config.guard, say, self._line.present, self._line.glimpse)
                opened.callback(self._truth.close)
            watch = None if self._truth is None else self._truth.look
            self._speaking = Speaking(plan, self._clock, say, self._line.give, self._spoken, watch)
            opened.callback(self._speaking.close)
            self._end = self._open_line(myself)
            opened.callback(self._end.close, "hung up")
            opened.callback(self._ready.set)
            opened.callback(self._over.set)
            self.session = Session(shown_plan(plan, outputs), self._clock, say, interrupted, far=self._far())
            opened.pop_all()
        with self._turn:
            if self._visit != self._first_visit:
                self.session.clear()  # they have left meanwhile
            self._ready.set()
            self._lay_outline()

    def close(self) -> None:
        """Hangs up and frees everything."""
        self._over.set()
        self._sounds.close()
        self._end.close("hung up")
        self._speaking.close()
        if self._truth is not None:
            self._truth.close()
        self.session.close()

    def figures(self) -> dict[str, Any]:
        """For the report: the session's, and of the connection."""
        peer = self._line.peer
        counts = {} if peer is None else peer.link.counts() | peer.glimpses.counts()
        guard = {} if self._truth is None else {"guard": self._truth.figures()}
        return {**self.session.report().as_dict(), "call": counts} | guard

    def check(self) -> None:
        """Raises what the call failed by."""
        if self._failure is not None:
            raise self._failure

    def called(self, hello: Hello) -> None:
        """Says who is there, and what becomes of both portraits."""
        self._who = hello.name
        self._view.clear()
        who = hello.name or _SOMEBODY
        keeps = "and kept for the next call" if hello.may_keep else "and kept nowhere"
        shows = f"a portrait, which is drawn here {keeps}" if hello.portrait else "none: an outline is drawn here"
        self._say(f"{who} is there and shows {shows}")
        forgets = ", and asked not to keep it" if self._config.forget else ""
        if hello.camera:
            self._say(f"{who} may show small pictures of their camera while the portrait is not true")
        self._say(f"{who} is given your portrait {self._config.portrait.name}{forgets}")

    def known(self, digest: str) -> bytes | None:
        """The portrait that is shown already, or one that was kept."""
        return self._shown if self._shown and digest_of(self._shown) == digest else self._kept.load(digest)

    def show(self, hello: Hello, portrait: bytes | None) -> None:
        """Shows a portrait once it is known to be one, and keeps it if that is allowed; or that there is none."""
        visit, losses = self._visit, self._losses
        if self._first.done() and portrait == self._shown:
            self._found(losses)
            self._keep(hello, portrait)
            return
        look = Nobody() if portrait is None else their_portrait(hello, portrait)
        with self._turn:
            if visit != self._visit:
                return
            if isinstance(look, Upload):
                self._view.lay(*place_of(look, self._config.framing, self._size))
            is_first = not self._first.done()
            if is_first:
                self._first_visit = visit
                self._first.set_result(look)
        self._ready.wait()
        if self._over.is_set():
            return
        if not is_first:
            self.session.swap(Change(portrait=look))
        with self._turn:
            if visit != self._visit:
                self.session.clear(look)  # they have left meanwhile, and who came next may be shown by now
                return
            self._shown = portrait
        self._found(losses)
        self._keep(hello, portrait)

    def shown(self) -> None:
        """From now on motion leaves, and the newest portrait if another one is shown."""
        self._speaking.begin()
        if self._truth is not None:
            self._truth.shown()

    def lost(self) -> None:
        """An outline takes their place until they are back."""
        with self._turn:
            self._lost, self._losses = True, self._losses + 1
            self._lay_outline()

    def see(self, glimpsed: UInt8[np.ndarray, "h w 3"] | None) -> None:
        """Over the portrait."""
        self._view.see(glimpsed)

    def hear(self, sound: Sound) -> None:
        """To the session's outputs, once there are some."""
        if self._ready.is_set():
            self._sounds.put(sound)

    def say(self, count: int, leaves_ns: int) -> Float32[np.ndarray, "count 2"]:
        """The user's voice."""
        if self._config.mute:
            return np.zeros((count, 2), np.float32)
        return self._speaking.far_end.say(count, leaves_ns)

    def _keep(self, hello: Hello, portrait: bytes | None) -> None:
        """Or nothing of it any more, as its owner says."""
        if portrait is not None and self._kept.save(hello, portrait):
            self._say(f"what an earlier call had kept of the portrait of {hello.name or _SOMEBODY} is removed")

    def _lay_outline(self) -> None:
        """Of somebody who is lost, once there is a session. With the turn."""
        outline = self.session.outline() if self._lost and self._ready.is_set() else None
        if outline is not None:
            self._view.lose(outline)

    def _found(self, losses: int) -> None:
        """They are there, unless they were lost since there were so many losses."""
        with self._turn:
            if losses == self._losses:
                self._lost = False
                self._view.find()

    def _open_line(self, myself: Myself) -> Caller | Listener:
        config, clock, told = self._config, self._clock, (self._say, self._left)
        policy_at: Callable[[str], IcePolicy] = partial(policy_for, **ice_of(config))
        self._try_relay(policy_at(config.host))
        if config.link:
            return Caller(config.link, policy_at, self._line, myself, self, clock, *told)
        public = public_origin("--public-url", config.public_url)
        listener = Listener(config.host, config.port, policy_at, self._line, myself, self, clock, *told, public)
        self._say(listener.invitation)
        return listener

    def _try_relay(self, policy: IcePolicy) -> None:
        """Before the link is sent to anybody."""
        if policy.relays:
            try:
                asyncio.run(check_relay(policy))
            except AgentError as error:
                self._say(f"agent: warning: {error}")

    def _far(self) -> Far:
        def lane(metrics: Metrics) -> RemoteLane:
            return RemoteLane(self._sounds, self._line.at, metrics, self._clock)

        return Far(self._first.result, lane, self._view.over, self._status)

    def _status(self) -> dict[str, Any]:
        """Of who is shown, and what they see, for the preview page."""
        who, nobody = self._who or _SOMEBODY, self._shown is None
        shown = f"none: {who} is an outline" if nobody else f"the camera of {who}" if self._view.is_shown else who
        if self._lost:
            shown = f"connection lost: waiting for {who}"
        status = {"title": self._who or "Call", "who": self._who, "portrait": shown}
        if self._truth is None:
            return status
        cause = self._truth.cause
        return status | {"own_portrait": SAID[cause] if cause else "looks like you", "own_portrait_is_true": not cause}

    def _seen(self, is_camera: bool) -> None:
        """What is shown has become their camera, or their portrait. In the loop's thread."""
        who = self._who or _SOMEBODY
        self._say(f"now shown: the camera of {who}" if is_camera else f"now shown: the portrait of {who} again")

    def _left(self, ending: str | AgentError) -> None:
        """The other end is gone for good. In the line's thread."""
        self._view.clear()
        if isinstance(self._end, Listener) and not self._over.is_set():
            self._say(f"the call is over: {ending}; {self._end.invitation}")
            if self._truth is not None:
                self._truth.left()
            with self._turn:
                self._visit += 1
                self._shown = None
                if self._ready.is_set():
                    self.session.clear()
            self._found(self._losses)
        elif isinstance(ending, AgentError) and not self._over.is_set():
            self._finish(ending)
        else:
            self._say(f"the call is over: {ending}")
            self._finish(None)

    def _spoken(self, error: Exception | None) -> None:
        """There is nothing more to say. In the thread that spoke."""
        if not self._over.is_set():
            self._finish(error)
            self._end.close("hung up")

    def _finish(self, failure: Exception | None) -> None:
        """Ends the session when the face that it shows has come to rest. The first cause counts."""
        if self._over.is_set():
            return
        self._failure = failure
        self._over.set()
        if not self._first.done():
            self._first.set_exception(failure or AgentError("the other end hung up before anything was shown"))
        threading.Timer(_EASE_S, self._sounds.close).start()
