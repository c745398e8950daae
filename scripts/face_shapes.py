"""The 52 ARKit shapes on the face mesh, from sparse handles; unit: distance of the outer eye corners."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from face_surface import LOWER_LIP_ROWS, UPPER_LIP_ROWS, Points, Surface
from jaxtyping import Float

from models.topology import (
    FACE_OVAL,
    LANDMARK_COUNT,
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    SURFACE_COUNT,
    UPPER_LIP,
)

Vector = Sequence[float]
Handles = dict[int, Vector]
LipRule = Callable[[float, float, float, int], Vector]
"""(t, along, depth, side) -> displacement.

t: x over the mouth's half width, -1 at the subject's right corner, 1 at the left; along: the same over the
row's own half width; depth: 0 on the outer contour, 1 where the lips meet; side: -1 upper lip, 1 lower lip.
A rule that does not depend on the side at depth 1 keeps the mouth closed.
"""

JAW_ANGLE_RAD = 0.20
GAZE_RAD = {"In": 0.50, "Out": 0.50, "Up": 0.36, "Down": 0.42}
EYEBALL_RADIUS = 0.13
UPPER_SHARE = 0.25
"""Part of the way that the upper lip makes to meet the lower one over an open jaw."""

# Rows around the subject's left eye, from the outer to the inner corner, like the inside of the lid contours.
_LEFT_CREASE = (467, 260, 259, 257, 258, 286, 414)
_LEFT_UNDER_LID = (339, 254, 253, 252, 256, 341)
_LEFT_LOWER_INSIDE = (390, 373, 374, 380, 381, 382)  # the lid points above _LEFT_UNDER_LID
# The subject's left brow from the nose outwards, and the socket below it.
_BROW_UPPER, _BROW_LOWER = (336, 296, 334, 293, 300), (285, 295, 282, 283, 276)
_BROW_SOCKET, _BROW_CREASE = (441, 442, 443, 444, 445), (286, 258, 257, 259, 260)

_LIDS = tuple({*RIGHT_UPPER_LID, *RIGHT_LOWER_LID, *LEFT_UPPER_LID, *LEFT_LOWER_LID})
_UNDER_EYES = (118, 119, 120, 121, 128, 347, 348, 349, 350, 357)
_BROWS = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55, *_BROW_UPPER, *_BROW_LOWER)
_NOSE = (
    1,
    2,
    4,
    5,
    195,
    197,
    6,
    168,
    98,
    327,
    94,
    19,
    64,
    294,
    129,
    358,
    48,
    278,
    49,
    279,
    97,
    326,
    102,
    331,
)
_LIPS = tuple({*map(int, UPPER_LIP_ROWS.flat), *map(int, LOWER_LIP_ROWS.flat)})
_UPPER_FACE = (*_LIDS, *_UNDER_EYES, *_BROWS, *_NOSE, 234, 454, 127, 356, 10, 151, 9, 8)
_CHIN = (152, 148, 377, 176, 400, 175, 171, 396, 199)


def named_shapes(surface: Surface) -> dict[str, Points]:
    """Displacements of the 478 points at coefficient 1 for every ARKit name; exactly mirror-symmetric."""
    builder = _Builder(surface)
    shapes = builder.jaw() | builder.mouth()
    for one_sided in (builder.left_mouth(), builder.left_eye(), builder.left_brow_and_cheek()):
        for name, field in one_sided.items():
            shapes[f"{name}Left"], shapes[f"{name}Right"] = field, surface.flip(field)
    shapes["browInnerUp"] = shapes.pop("browInnerUpLeft") + shapes.pop("browInnerUpRight")
    shapes["tongueOut"] = np.zeros((LANDMARK_COUNT, 3))
    return shapes


def _round(narrow: float, forward: float, part: float) -> LipRule:
    """Corners drawn in by `narrow`, lips pushed forward and parted by `part` at the middle."""

    def rule(t: float, along: float, depth: float, side: int) -> Vector:
        middle = 1 - along**2
        rounding = part * depth + 0.6 * part * (1 - depth)
        thicken = 0.012 * (1 - depth)
        return (-narrow * t, side * middle * (rounding + thicken), -forward * (0.55 + 0.45 * middle))

    return rule


def _roll(rolled: int) -> LipRule:
    """One lip turned in over the teeth."""

    def rule(t: float, along: float, depth: float, side: int) -> Vector:
        tuck = 1 - along**2
        inward = 0.04 * (1 - depth) * tuck**2 if side == rolled else 0.0
        back = 0.022 if side == rolled else 0.008 + 0.014 * depth
        return (0.0, -side * inward, back * tuck)

    return rule


def _shrug(pushing: int) -> LipRule:
    """Both lips pushed up by one of them."""

    def rule(t: float, along: float, depth: float, side: int) -> Vector:
        middle = 1 - t**2
        own = 0.035 + 0.015 * (1 - depth) if side == pushing else 0.035 - 0.012 * (1 - depth)
        return (0.0, -own * middle, -0.018 * middle)

    return rule


def _towards_corner(x: float, y: float, z: float, power: float) -> LipRule:
    """The left corner moved by (x, y, z), the lips following less and less to the right corner.

    The squares of both sides add up to an even stretch, higher powers to a bow.
    """

    def rule(t: float, along: float, depth: float, side: int) -> Vector:
        s = (1 + t) / 2
        return (x * s**2, y * s**power, z * s**power)

    return rule


def _half(t: float) -> float:
    s = float(np.clip((t + 0.5) / 1.0, 0.0, 1.0))
    return s * s * (3 - 2 * s)


def _lift(t: float, along: float, depth: float, side: int) -> Vector:
    w = _half(t) * (1 - along**2) ** 0.8
    return (0.0, -0.075 * w, 0.008 * w) if side < 0 else (0.0, 0.0, 0.0)


def _drop(t: float, along: float, depth: float, side: int) -> Vector:
    w = _half(t) * (1 - along**2) ** 0.8
    return (0.008 * w, 0.075 * w, 0.008 * w) if side > 0 else (0.0, 0.0, 0.0)


def _press(t: float, along: float, depth: float, side: int) -> Vector:
    w = _half(t)
    return (0.006 * w * t, -side * 0.024 * (1 - depth) * (1 - along**2) * w, 0.012 * w)


class _Builder:
    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.points = surface.points
        self.half_width = float(surface.points[UPPER_LIP_ROWS[0, -1], 0])

    def _full(self, field: Float[np.ndarray, "468 3"]) -> Points:
        return np.concatenate([field, np.zeros((LANDMARK_COUNT - SURFACE_COUNT, 3))])

    def _spread(self, handles: Handles, fixed: Sequence[int] = ()) -> Points:
        return self._full(self.surface.spread(handles, fixed))

    def _symmetric(self, field: Points) -> Points:
        return 0.5 * (field + self.surface.flip(field))

    def _lips(self, rule: LipRule) -> Handles:
        """A handle for every lip point by one rule; at the corners the mean of both lips."""
        collected: dict[int, list[Vector]] = {}
        for side, rows in ((-1, UPPER_LIP_ROWS), (1, LOWER_LIP_ROWS)):
            for row, indices in enumerate(rows):
                for i in map(int, indices):
                    x = self.points[i, 0]
                    along = float(np.clip(x / self.points[indices[-1], 0], -1.0, 1.0))
                    collected.setdefault(i, []).append(rule(x / self.half_width, along, row / 3, side))
        return {i: tuple(np.mean(v, axis=0)) for i, v in collected.items()}

    # jaw

    def _jaw_weight(self) -> Float[np.ndarray, "468"]:
        """How much each skin point follows the jaw bone."""

        def lips(t: float, along: float, depth: float, side: int) -> Vector:
            corner = 0.30 * abs(along) ** 3
            return (corner if side < 0 else 0.30 + 0.70 * (1 - abs(along) ** 3.2),)

        handles = self._lips(lips)
        handles |= dict.fromkeys((*_CHIN, 149, 150, 378, 379, 136, 365, 200, 201, 421, 208, 428), (1.0,))
        for right, left, weight in ((172, 397, 0.85), (58, 288, 0.5), (132, 361, 0.2), (93, 323, 0.0)):
            handles |= {right: (weight,), left: (weight,)}
        weight = self.surface.spread(handles, _UPPER_FACE)[:, 0]
        return np.clip(0.5 * (weight + weight[self.surface.mirror[:SURFACE_COUNT]]), 0.0, 1.0)

    def jaw(self) -> dict[str, Points]:
        """The jaw and mouthClose, which undoes at the lips what jawOpen does there."""
        weight = self._jaw_weight()
        skin = self.points[:SURFACE_COUNT]
        axis = self.points[[234, 454]].mean(0) + np.array([0.0, 0.05, -0.02])
        opened = np.empty_like(skin)
        for i, w in enumerate(weight):
            opened[i] = cv2.Rodrigues(np.array([w * JAW_ANGLE_RAD, 0.0, 0.0]))[0] @ (skin[i] - axis) + axis
        narrowing = self._lips(lambda t, along, depth, side: (-0.015 * np.sign(t) * abs(t) ** 3, 0.0, 0.0))
        jaw_open = self._full(opened - skin) + self._spread(narrowing, (*_UPPER_FACE, *FACE_OVAL))
        gap = jaw_open[LOWER_LIP] - jaw_open[UPPER_LIP]

        def close(t: float, along: float, depth: float, side: int) -> Vector:
            across = [np.interp(along, self.points[UPPER_LIP, 0] / self.points[308, 0], gap[:, k]) for k in range(3)]
            part = UPPER_SHARE if side < 0 else UPPER_SHARE - 1
            return tuple(part * (0.85 + 0.15 * depth) * np.array(across))

        handles = self._lips(close)
        for upper, lower, between in zip(UPPER_LIP[1:-1], LOWER_LIP[1:-1], gap[1:-1], strict=True):
            handles |= {
                int(upper): tuple(UPPER_SHARE * between),
                int(lower): tuple((UPPER_SHARE - 1) * between),
            }
        mouth_close = self._spread(handles, (*_UPPER_FACE, *FACE_OVAL, 199, 175, 200))
        side = self._jaw_shift((0.075, 0.0, 0.0))
        return {
            "jawOpen": self._symmetric(jaw_open),
            "mouthClose": self._symmetric(mouth_close),
            "jawForward": self._symmetric(self._jaw_shift((0.0, 0.006, -0.055))),
            "jawLeft": side,
            "jawRight": self.surface.flip(side),
        }

    def _jaw_shift(self, shift: Vector) -> Points:
        """The jaw moved as a whole; the lips stay together and follow in part."""

        def lips(t: float, along: float, depth: float, side: int) -> Vector:
            weight = 0.45 + 0.2 * side * (1 - depth)
            return tuple(weight * (1 - 0.35 * t**2) * np.array(shift))

        handles = self._lips(lips) | dict.fromkeys((*_CHIN, 200, 149, 150, 378, 379, 136, 365), tuple(shift))
        partly = {172: 0.8, 397: 0.8, 58: 0.4, 288: 0.4, 132: 0.12, 361: 0.12, 93: 0.0, 323: 0.0}
        handles |= {i: tuple(w * np.array(shift)) for i, w in partly.items()}
        return self._spread(handles, _UPPER_FACE)

    # mouth

    def mouth(self) -> dict[str, Points]:
        """Shapes of the whole mouth."""

        def aside(t: float, along: float, depth: float, side: int) -> Vector:
            return (0.085 - 0.015 * t**2, -0.010 * t, 0.018 * t + 0.012 * t**2)

        def puff(t: float, along: float, depth: float, side: int) -> Vector:
            return (0.006 * t, 0.0, -0.012 * (1 - t**2))

        def beside_corners(narrow: float, forward: float) -> Handles:
            return {57: (narrow, 0.0, -forward), 287: (-narrow, 0.0, -forward)}

        around = (*_UPPER_FACE, *FACE_OVAL)
        chin_up = dict.fromkeys((200, 199), (0.0, -0.045, -0.012))
        chin_up |= dict.fromkeys((175, 152), (0.0, -0.025, -0.004))
        puffed: Handles = {}
        for i in set(range(SURFACE_COUNT)) - {*_LIPS, *_NOSE}:
            away = self.points[i] - self.points[427]
            w = float(np.exp(-0.5 * (away @ away) / 0.17**2))
            if w > 0.1:
                puffed[i] = (0.05 * w, 0.006 * w, -0.05 * w)
        puffed |= {int(self.surface.mirror[i]): (-x, y, z) for i, (x, y, z) in puffed.items()}
        left = self._spread(self._lips(aside), around)
        fields = {
            "mouthPucker": (self._lips(_round(0.106, 0.07, 0.0)) | beside_corners(0.09, 0.032), around),
            "mouthFunnel": (self._lips(_round(0.084, 0.065, 0.05)) | beside_corners(0.072, 0.03), around),
            "mouthRollUpper": (self._lips(_roll(-1)), around),
            "mouthRollLower": (self._lips(_roll(1)), around),
            "mouthShrugUpper": (self._lips(_shrug(-1)), around),
            "mouthShrugLower": (self._lips(_shrug(1)) | chin_up, _UPPER_FACE),
            "cheekPuff": (self._lips(puff) | puffed, around),
        }
        out = {name: self._symmetric(self._spread(handles, fixed)) for name, (handles, fixed) in fields.items()}
        return out | {"mouthLeft": left, "mouthRight": self.surface.flip(left)}

    def left_mouth(self) -> dict[str, Points]:
        """Shapes of the left half of the mouth; the lips follow with a fall-off to the right corner."""
        cheek = {425: (0.03, -0.05, -0.02), 426: (0.035, -0.05, 0.0), 280: (0.01, -0.028, -0.014)}
        cheek |= {330: (0.004, -0.02, -0.008), 411: (0.032, -0.04, -0.004), 423: (0.014, -0.022, 0.0)}
        wing = {327: (0.006, -0.004, 0.0), 358: (0.008, -0.005, 0.0), 294: (0.007, -0.004, 0.0)}
        around = (*_UPPER_FACE, *FACE_OVAL)
        return {
            "mouthSmile": self._spread(self._corner(0.085, -0.075, 0.05, 3) | cheek | wing, around),
            "mouthFrown": self._spread(self._corner(0.018, 0.062, 0.012, 3), around),
            "mouthStretch": self._spread(self._corner(0.085, 0.018, 0.04, 3), around),
            "mouthDimple": self._spread(self._corner(0.055, -0.008, 0.045, 4), around),
            "mouthUpperUp": self._spread(
                self._lips(_lift) | dict.fromkeys((327, 294, 358), (0.006, -0.012, 0.0)) | {426: (0.004, -0.03, 0.0)},
                around,
            ),
            "mouthLowerDown": self._spread(self._lips(_drop), (*around, 199)),
            "mouthPress": self._spread(self._lips(_press), around),
        }

    def _corner(self, x: float, y: float, z: float, power: float) -> Handles:
        """The left mouth corner moved, with the skin beside it."""
        return self._lips(_towards_corner(x, y, z, power)) | {287: (x, y, z)}

    # eyes

    def left_eye(self) -> dict[str, Points]:
        """Lids and gaze of the subject's left eye."""
        shapes = {
            "eyeBlink": self._lids(0.92, 0.08),
            "eyeWide": self._lids(-0.38, -0.06),
            "eyeSquint": self._lids(0.10, 0.32, under=0.8),
        }
        lids = {"Up": self._lids(-0.18, 0.05), "Down": self._lids(0.38, -0.14)}
        for name in GAZE_RAD:
            shapes[f"eyeLook{name}"] = self._gaze(name) + lids.get(name, 0.0)
        return shapes

    def _lids(self, upper: float, lower: float, under: float = 0.4) -> Points:
        """The lids closed by shares of their gap; `under` says how far the skin below the eye follows."""
        handles: Handles = {}
        gaps = {}
        for u, low in zip(LEFT_UPPER_LID[1:-1], LEFT_LOWER_LID[1:-1], strict=True):
            gap = self.points[low] - self.points[u]
            handles |= {int(u): tuple(upper * gap), int(low): tuple(-lower * gap)}
            gaps[int(low)] = gap
        for crease, u, low in zip(_LEFT_CREASE, LEFT_UPPER_LID[1:-1], LEFT_LOWER_LID[1:-1], strict=True):
            follow = 0.42 if upper > 0 else 0.75
            handles[crease] = tuple(follow * upper * (self.points[low] - self.points[u]))
        for below, low in zip(_LEFT_UNDER_LID, _LEFT_LOWER_INSIDE, strict=True):
            handles[below] = tuple(-under * lower * gaps[low])
        brow = (*_BROW_UPPER, *_BROW_LOWER)
        right = tuple(int(self.surface.mirror[i]) for i in (*_LEFT_CREASE, *_LEFT_UNDER_LID))
        rest = (*_NOSE, *_LIPS, *FACE_OVAL, *brow, *right, 362, 263, 359, 463, 330, 280, 266, 346, 343, 8, 9)
        return self._spread(handles, rest)

    def _gaze(self, direction: str) -> Points:
        """The iris turned about the middle of its eyeball."""
        angle = GAZE_RAD[direction]
        turn = {"In": (0, angle), "Out": (0, -angle), "Up": (-angle, 0), "Down": (angle, 0)}[direction]
        rotation = cv2.Rodrigues(np.array([*turn, 0.0]))[0]
        iris = self.points[LEFT_IRIS]
        centre = iris[0] + [0.0, 0.0, EYEBALL_RADIUS]
        out = np.zeros((LANDMARK_COUNT, 3))
        out[LEFT_IRIS] = (iris - centre) @ rotation.T + centre - iris
        return out

    # brows, cheeks, nose

    def left_brow_and_cheek(self) -> dict[str, Points]:
        """Shapes of the subject's left brow, cheek and nose wing."""
        squint = self._lids(0.04, 0.16, under=1.0)
        cheek = {330: 1.0, 347: 1.0, 346: 0.9, 280: 0.9, 425: 0.5, 266: 0.6, 348: 0.7, 352: 0.5, 411: 0.3}
        lifted: Handles = {i: (0.004 * w, -0.045 * w, -0.018 * w) for i, w in cheek.items()}
        lifted |= {i: tuple(squint[i]) for i in (*_LEFT_CREASE, *_LEFT_UNDER_LID, *map(int, _LIDS))}
        brow_rest = (*_LIDS, *_NOSE, *_LIPS, *FACE_OVAL, 330, 280, 101, 50)
        brow_rest = (*brow_rest, *(int(self.surface.mirror[i]) for i in (*_BROW_UPPER[1:], *_BROW_LOWER[1:])))
        down = self._brow([1.0, 0.95, 0.75, 0.45, 0.2], (-0.018, 0.052, -0.006))
        inner = self._brow([1.0, 0.75, 0.4, 0.12, 0.0], (0.0, -0.085, -0.004))
        outer = self._brow([0.1, 0.4, 0.85, 1.0, 0.85], (0.0, -0.085, 0.004))
        sneer: Handles = dict.fromkeys((358, 294, 279, 278, 331), (0.008, -0.045, -0.004))
        sneer |= {327: (0.006, -0.034, 0.0), 429: (0.002, -0.028, -0.006), 420: (0.0, -0.014, -0.006)}
        sneer |= {355: (0.0, -0.012, -0.006), 371: (0.004, -0.02, -0.006), 423: (0.006, -0.038, -0.006)}
        sneer |= {426: (0.004, -0.026, -0.004), 391: (0.002, -0.022, 0.0)}
        for i in UPPER_LIP_ROWS[0, 6:9]:
            sneer[int(i)] = (0.0, -0.012, 0.0)
        still = tuple(i for i in _LIPS if i not in sneer)
        middle_nose = (1, 2, 4, 5, 195, 197, 6, 168, 98, 64, 129, 48, 94, 19, 164)
        return {
            "cheekSquint": self._spread(lifted, (*_NOSE, *FACE_OVAL, *_BROWS, *_LIPS, 426)),
            "noseSneer": self._spread(sneer, (*middle_nose, *FACE_OVAL, *_BROWS, *_LIDS, *still, 280, 425)),
            "browDown": self._spread(down | {9: (0.0, 0.018, 0.0), 8: (0.0, 0.014, 0.0)}, brow_rest),
            "browInnerUp": self._spread(inner | {9: (0.0, -0.036, 0.0), 8: (0.0, -0.016, 0.0)}, brow_rest),
            "browOuterUp": self._spread(outer, (*brow_rest, 9, 8, 107, 55)),
        }

    def _brow(self, profile: Sequence[float], amount: Vector) -> Handles:
        """The left brow moved by `amount` times a profile from the nose out; the socket below follows."""
        handles: Handles = {}
        for row, follow in (
            (_BROW_UPPER, 1.0),
            (_BROW_LOWER, 1.0),
            (_BROW_SOCKET, 0.6),
            (_BROW_CREASE, 0.25),
        ):
            handles |= {i: tuple(follow * w * np.array(amount)) for i, w in zip(row, profile, strict=True)}
        return handles
