"""What was heard of the mouth -> expression coefficients, such that the lips are as far apart as they should be."""

import numpy as np
from jaxtyping import Float32

from models.audio.curves import MouthFrame
from models.ease import smoothstep
from models.face import FaceModel
from models.motion import COEFFICIENTS, INDEX
from models.topology import LOWER_LIP, UPPER_LIP

GAP = 0.27
"""Distance of the inner lips at a `lipGap` of 1, in distances of the outer eye corners: as far as speakers go."""
JAW = 1.4
"""The coefficient of `jawOpen` at a curve of 1: chins go as far as speakers' do."""
MOST = 1.5
"""The largest amplitude: beyond it speech becomes shouting."""

_SHAPES = (
    "jawOpen", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile", "mouthRollLower", "mouthRollUpper",
    "mouthPress", "mouthUpperUp", "mouthLowerDown",
)  # fmt: skip
_SIDES = [(name, INDEX[side]) for name in _SHAPES for side in (name, f"{name}Left", f"{name}Right") if side in INDEX]
_NAMES, _TO = [name for name, _ in _SIDES], [index for _, index in _SIDES]
_OPENERS = {"mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3, "mouthUpperUpLeft": 0.15, "mouthUpperUpRight": 0.15}
"""What parts the lips where the jaw does not suffice, and by how much each may grow."""
_SURELY = (0.35, 0.75)  # probabilities between which lips that may be pressed together close
_WIDE_JAW = 0.85  # up to here people's chins move further than the curve says
_PRESSED = 0.35  # `mouthPress` of lips that surely are


class LipControl:
    """Curves in, coefficients out. Stateless.

    The network's shapes make the mouth's form; the distance of the inner lips is then made what `lipGap` says, by
    `mouthClose` or by the lips' own shapes and the jaw, through the face model's linear response. Lips that are surely
    pressed together meet, whatever the curves say. The curve of the tongue is left out: it stays behind the teeth.
    """

    def __init__(self, model: FaceModel) -> None:
        middle = slice(4, 7)  # of the inner lips
        apart = model.expression[:, LOWER_LIP[middle], 1] - model.expression[:, UPPER_LIP[middle], 1]
        self._gap = apart.mean(axis=1).astype(np.float32)
        """By how much each coefficient parts the inner lips."""

    def expression(self, frame: MouthFrame, amplitude: float = 1.0) -> Float32[np.ndarray, "64"]:
        """Coefficients 0..1 of the mouth, `mouthNeutral` 1, all others 0; `amplitude` 0..`MOST` scales movements."""
        out = np.zeros(len(COEFFICIENTS), np.float32)
        amplitude = min(max(amplitude, 0.0), MOST)
        sealed = smoothstep(*_SURELY, frame.closed) * min(amplitude, 1.0)
        out[_TO] = [amplitude * frame[name] for name in _NAMES]
        jaw = INDEX["jawOpen"]
        out[jaw] = max(out[jaw], min(JAW * out[jaw], _WIDE_JAW))
        for side in ("Left", "Right"):
            press = INDEX[f"mouthPress{side}"]
            out[press] = max(float(out[press]), _PRESSED * sealed)
        self._part(out, amplitude * GAP * frame["lipGap"] * (1.0 - sealed))
        out[INDEX["mouthNeutral"]] = 1.0
        return np.clip(out, 0.0, 1.0)

    def gap(self, expression: Float32[np.ndarray, "64"]) -> float:
        """Distance of the inner lips on the mean face, in distances of the outer eye corners."""
        return float(self._gap @ expression)

    def _part(self, out: Float32[np.ndarray, "64"], gap: float) -> None:
        """Changes coefficients until the inner lips are `gap` apart."""
        missing = gap - self.gap(out)
        if missing <= 0:
            out[INDEX["mouthClose"]] += missing / self._gap[INDEX["mouthClose"]]
            return
        for name, most in _OPENERS.items():
            index = INDEX[name]
            more = min(most, missing / float(self._gap[index]) / len(_OPENERS))
            out[index] += more
        missing = gap - self.gap(out)
        out[INDEX["jawOpen"]] += max(missing, 0.0) / self._gap[INDEX["jawOpen"]]
