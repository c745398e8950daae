"""SpeechFace: the driver from sound to face, by the network that heard synthetic voices."""

from collections.abc import Sequence

from models.audio.lip_control import LipControl
from models.audio.speaker_layer import SpeakerLayer
from models.audio.speech_mouth import SpeechToMouth
from models.face import FaceModel
from models.motion import Motion
from runtime.drivers.gestures import Gestures
from runtime.drivers.hearing import Hearing
from runtime.sound import Sound


class SpeechFace:
    """Driver[Sound]: 50 motions per second of mouth, brows, lids and head.

    The motion at `pts_ns` follows from the sound up to `pts_ns + look_ahead_ns` and does not depend on how the sound
    was cut into blocks. Confidence rises to 1 with the first speech and eases to 0 from a second after the last.
    """

    def __init__(
        self,
        model: FaceModel,
        look_ahead_ms: int = 80,
        amplitude: float = 1.0,
        gestures: Gestures | None = None,
        speaker: SpeakerLayer | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> None:
        """`look_ahead_ms`: 0, 40, 80 or 120. `amplitude`: of the mouth, see `LipControl`. `speaker`: whose mouth it
        is; None for everybody's. `temperature`, `seed`: of the mouth's variation, see `SpeechToMouth`."""
        ear = SpeechToMouth(look_ahead_ms, speaker=speaker, temperature=temperature, seed=seed)
        self._hearing = Hearing(ear, gestures or Gestures())
        self._lips = LipControl(model)
        self._amplitude = amplitude
        self.look_ahead_ns = self._hearing.look_ahead_ns

    def push(self, value: Sound) -> Sequence[Motion]:
        """Takes the next block of sound; returns the motions that it completes, in time order."""
        heard = self._hearing.push(value)
        return [each.motion(self._lips.expression(each.mouth, self._amplitude)) for each in heard]

    def close(self) -> None:
        """Does nothing: the network is freed with this object."""
