"""The other end of a call as an output: motion leaves in place of pictures, and the voice as late as it."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.delayed_sound import DelayedSound
from runtime.sound import Sound

_HOLD_S = 0.1  # in which it shows how late sound comes; the instant at which it leaves is known exactly


class FarEnd:
    """Gives every motion away, and delays the voice until its lips leave: what arrives together belongs together."""

    name: ClassVar[str] = "far end"
    shows: ClassVar[bool] = True

    def __init__(self, give: Callable[[Motion], None], motion_age_ns: Callable[[], int | None]) -> None:
        """`motion_age_ns`: how old motions are when they leave, smoothed; None while that is not known."""
        self._give, self._motion_age_ns = give, motion_age_ns
        self._sound = DelayedSound(_HOLD_S)

    def send(self, picture: Picture) -> None:
        """Gives the motion away."""
        self._give(picture.motion)
        age_ns = self._motion_age_ns()
        if age_ns is not None:
            self._sound.aim(age_ns)

    def hear(self, sound: Sound) -> None:
        """Takes the next block of the voice."""
        self._sound.add(sound)

    def say(self, count: int, leaves_ns: int) -> Float32[np.ndarray, "count 2"]:
        """The next samples of the voice, 48 kHz stereo, of which the first leaves at an instant. Any thread."""
        return self._sound.read(count, leaves_ns)

    def close(self, complete: bool = True) -> None:
        """Nothing to free: the connection is its owner's."""
