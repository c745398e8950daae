"""The numbers by which a portrait moves and is painted: one table for this engine and for players in other languages.

What only preparing a portrait needs stays where it is used. `TABLE` travels in avatar packages. Where nothing else is
said, lengths are parts of what they lie on: of the eye's width for eyes and lids, of the mouth's for the mouth.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Head:
    """How far the head goes. Radians and eye distances."""

    expression: Range = (-1.0, 1.5)
    """Bounds of coefficients."""
    torso_gain: float = 0.45
    """Part of the head's shift that the torso follows."""
    turn: Range = (math.radians(25.0), math.radians(40.0))
    """Turns bend from the first on and never reach the second; so do shifts."""
    shift: Range = (0.9, 1.6)
    room_knee: float = 0.6
    """Of the room that the face has in the picture: shifts bend from there on."""
    hidden_room: float = math.radians(9.0)
    """Over which turns towards the side that the photo hides come to their end."""
    zoom: Range = (0.7, 1.4)
    steadying_turns: Range = (math.radians(3.0), math.radians(10.0))
    """Turns of the head from which hair turns with it, and wholly."""


@dataclass(frozen=True, slots=True)
class _Lips:
    """Bounds of a grin, eye distances between the corners of the mouth."""

    corners: tuple[int, int] = (78, 308)
    """Of the inner lips, the subject's right and left."""
    grin_knee: float = 0.66
    grin_room: float = 0.08


@dataclass(frozen=True, slots=True)
class _Relief:
    """Light that slopes take and folds."""

    light: tuple[float, float, float] = (0.0, -0.55, -0.84)
    """From above the camera."""
    ambient: float = 4.0
    slope_range: Range = (0.92, 1.06)
    unseen: float = 0.004
    """A relief that differs less from 1 is left out."""


@dataclass(frozen=True, slots=True)
class _Eye:
    """The eyeball between the lids."""

    least_area: float = 0.02
    """Squares of the eye's width between the lids below which nothing of the ball is seen."""
    gaze: float = 0.3
    """Radii of the iris by which it goes, after which the painted ball takes the photo's place."""
    opening: float = 0.12
    """The same for openness."""
    slack: float = 0.15
    """Part of either in which the photo's own eye stays."""
    shade: Range = (0.62, 0.38)
    """Light in the upper lid's shadow, and what is added out of it."""
    shade_gain: float = 1.15
    shade_shift: float = 0.1
    shade_blur: Range = (0.8, 0.07)
    """Pixels at least, and parts; so are the blurs below."""
    blur: Range = (0.6, 0.03)


@dataclass(frozen=True, slots=True)
class _Lid:
    """Skin and lashes of a lid that closes."""

    closing: Range = (0.08, 0.4)
    """Parts of the opening by which it has closed, from which the lid is painted, and wholly."""
    shut: Range = (0.7, 1.0)
    """The same for what covers the photo's lashes below the eye."""
    below: float = 0.15
    corner: Range = (0.14, 0.08)
    """Covered past the outer corner, and to both sides there."""
    blur: Range = (0.6, 0.05)
    light: Range = (0.84, 0.16)
    """At the edges, and what is added in the middle."""
    light_gain: float = 1.5
    light_width: float = 0.2
    light_blur: Range = (0.8, 0.12)
    lash: float = 0.05
    lash_ends: float = 0.03
    lash_blur: Range = (0.6, 0.018)
    lash_strength: float = 0.82


@dataclass(frozen=True, slots=True)
class _Mouth:
    """The inside of the mouth, and lips that meet. Areas in squares of the mouth's width."""

    unit: float = 0.45
    """Eye distances in a mouth unit."""
    moved: float = 0.05
    """By which lips move from the photo's, for the photo's own inside to be covered."""
    open: Range = (0.002, 0.006)
    """Areas between the lips: less is rounding, no mouth."""
    blur: Range = (0.7, 0.012)
    lower_light: float = 0.93
    shade_blur: Range = (2.0, 0.05)
    shade: Range = (0.55, 0.65)
    """Light at the lips, and what is added away from them."""
    closed: Range = (0.01, 0.03)
    """Areas by which less is open than in the photo where lips are joined."""
    joined: Range = (0.002, 0.01)
    """Areas between the lips at which they are no longer joined."""
    joint_px: float = 1.0
    joint_shade: float = 0.5
    joint_blur: Range = (0.6, 0.008)
    jaw_points: tuple[int, int, int] = (152, 148, 377)
    jaw_down: Range = (0.7, 0.3)
    """Shares of chin and lower lip in how far the jaw goes down."""
    jaw_up: float = 0.02
    """Mouth units by which it may go up."""
    jaw_shift: tuple[float, float, float] = (0.5, 1.12, 0.02)
    """Parts of its way aside and down that lower teeth go, and mouth units that they always are lower."""


@dataclass(frozen=True, slots=True)
class _Backdrop:
    """How far crown or torso go, in parts of the picture's longer side, until no photo is left behind them."""

    gone: Range = (0.004, 0.02)
    crown: float = 0.4
    """Heights of the face that the crown lies above it."""


HEAD, LIPS, RELIEF, EYE, LID, MOUTH, BACKDROP = _Head(), _Lips(), _Relief(), _Eye(), _Lid(), _Mouth(), _Backdrop()

TABLE: dict[str, dict[str, Any]] = {
    "head": asdict(HEAD),
    "lips": asdict(LIPS),
    "relief": asdict(RELIEF),
    "eye": asdict(EYE),
    "lid": asdict(LID),
    "mouth": asdict(MOUTH),
    "backdrop": asdict(BACKDROP),
}
"""All of them by group and name, as JSON can tell them."""
