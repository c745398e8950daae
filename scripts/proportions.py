"""Which points each named proportion of a face moves at one standard deviation, and which it leaves alone.

Amounts follow published anthropometry (a few millimetres; 0.01 is about 0.9 mm). Only the subject's left half and the
midline are named; the right half follows by symmetry. x is outward here, y down, z away from the camera.
"""

from collections.abc import Callable, Mapping

import numpy as np
from face_surface import LOWER_LIP_ROWS, UPPER_LIP_ROWS, Points
from jaxtyping import Float

from models.topology import LEFT_LOWER_LID, LEFT_UPPER_LID

Group = tuple[int, ...]
Vector = tuple[float, float, float]
Rule = Callable[[Float[np.ndarray, "3"]], Vector]
Handles = Mapping[Group, Vector | Rule]
"""Points -> displacement, or a rule that gives it for a point."""
Proportion = tuple[Handles, Group]
"""What moves, and what stays."""

_UPPER_LID, _LOWER_LID = tuple(map(int, LEFT_UPPER_LID)), tuple(map(int, LEFT_LOWER_LID))
_CREASE = (467, 260, 259, 257, 258, 286, 414)
_UNDER_LID = (359, 255, 339, 254, 253, 252, 256, 341, 463)
_EYE = (*_UPPER_LID, *_LOWER_LID, *_CREASE, *_UNDER_LID)
_BAG = (452, 451, 450, 449, 448)
_BROW_UPPER, _BROW_LOWER = (336, 296, 334, 293, 300), (285, 295, 282, 283, 276)  # from the nose outwards
_SOCKET = (441, 442, 443, 444, 445)
_BROW = (*_BROW_UPPER, *_BROW_LOWER)
_GLABELLA = (9, 8)
_BRIDGE, _RIDGE, _TIP, _BASE = (168, 6, 351, 417), (197, 195, 419, 248), (5, 4, 1, 275, 274, 281), (19, 94, 2, 326)
_WALL = (465, 412, 399, 456)
_WING = (278, 279, 294, 331, 358, 327, 344, 360)
_NOSE = (*_BRIDGE, *_RIDGE, *_TIP, *_BASE, *_WALL, *_WING)
_UPPER_LIP_LEFT = tuple({int(i) for i in UPPER_LIP_ROWS[:, 5:].flat})
_LOWER_LIP_LEFT = tuple({int(i) for i in LOWER_LIP_ROWS[:, 5:].flat})
_MOUTH = tuple({*_UPPER_LIP_LEFT, *_LOWER_LIP_LEFT})
_FOREHEAD_TOP, _FOREHEAD = (10, 338, 297, 332), (151, 337, 299, 333)
_TEMPLE, _SIDE = (251, 389, 356, 368, 301), (454, 323, 361, 447, 366, 401)
_JAW, _CHIN = (288, 397, 365, 435, 367), (152, 175, 377, 396, 400, 369)
_CHEEKBONE, _CHEEK = (352, 345, 340, 346), (425, 427, 411, 436, 416, 434, 376, 433, 432)
_MAXILLA = (330, 329, 266, 423, 426, 371)


def proportions(mean: Points) -> dict[str, Proportion]:
    """Every proportion by its name; more of what is named is positive: wider, longer, higher, fuller, nearer."""
    return _head() | _brows() | _eyes(mean) | _cheeks() | _nose() | _mouth(mean) | _jaw(mean)


def _head() -> dict[str, Proportion]:
    middle = (*_EYE, *_NOSE, *_MOUTH, *_BROW, *_GLABELLA)
    return {
        "faceWidth": (
            {
                (*_SIDE, 389, 356, 368, 251): (0.034, 0.0, 0.0), (288, 435, 284, 301): (0.028, 0.0, 0.0),
                (397, 365, 352, 376): (0.022, 0.0, 0.0), (379, 332, 411): (0.012, 0.0, 0.0),
            },
            (*middle, 10, 152, 175, 199),
        ),
        "faceLength": (
            {
                _FOREHEAD_TOP: (0.0, -0.022, 0.0), _BROW: (0.0, -0.01, 0.0), _BASE: (0.0, 0.012, 0.0),
                _MOUTH: (0.0, 0.024, 0.0), _CHIN: (0.0, 0.045, 0.0), (379, 378): (0.0, 0.042, 0.0),
                _JAW: (0.0, 0.03, 0.0),
            },
            (*_EYE, *_BRIDGE, 454, 356),
        ),
        "faceDepth": (
            {
                (*_SIDE, 389, 356): (0.0, 0.0, 0.055), (288, 435, 368): (0.0, 0.0, 0.045),
                (251, 397, 376): (0.0, 0.0, 0.035), (284, 352, 365): (0.0, 0.0, 0.025),
            },
            (*middle, 10, 338, 151, 152, 175, 199),
        ),
        "foreheadHeight": (
            {
                (10, 338, 297): (0.0, -0.05, 0.012), (332,): (0.0, -0.036, 0.008), _FOREHEAD: (0.0, -0.026, 0.0),
                (284, 298): (0.0, -0.018, 0.0),
            },
            (*middle, *_SIDE, 356, 389),
        ),
        "foreheadWidth": (
            {
                (284, 251, 298, 301, 332): (0.034, 0.0, 0.0), (333, 389, 297): (0.022, 0.0, 0.0),
                (299, 338): (0.01, 0.0, 0.0),
            },
            (*middle, *_SIDE, *_JAW),
        ),
        "foreheadSlope": (
            {
                (10, 338, 297): (0.0, 0.006, 0.055), (332,): (0.0, 0.004, 0.045), _FOREHEAD: (0.0, 0.0, 0.024),
                (284,): (0.0, 0.0, 0.03),
            },
            (*middle, *_SIDE, 356, 389),
        ),
        "templeFullness": (
            {(251, 301, 389, 368): (0.02, 0.0, -0.012), (298, 383, 284): (0.012, 0.0, -0.01)},
            (*middle, *_SIDE, 10, 151, 297, 299),
        ),
    }  # fmt: skip


def _brows() -> dict[str, Proportion]:
    rest = (*_UPPER_LID, *_LOWER_LID, *_UNDER_LID, *_RIDGE, *_MOUTH, *_SIDE, *_FOREHEAD_TOP, 6)

    def tilt(p: Float[np.ndarray, "3"]) -> Vector:
        return (0.0, float(0.02 - 0.045 * np.clip((p[0] - 0.1) / 0.5, 0.0, 1.0)), 0.0)

    return {
        "browRidge": (
            {_BROW: (0.0, 0.0, -0.022), _GLABELLA: (0.0, 0.0, -0.022), _SOCKET: (0.0, 0.0, -0.014)}, rest
        ),
        "browHeight": (
            {_BROW: (0.0, -0.028, 0.0), _GLABELLA: (0.0, -0.016, 0.0), _SOCKET: (0.0, -0.018, 0.0)}, rest
        ),
        "browTilt": ({_BROW: tilt, _SOCKET: lambda p: (0.0, 0.5 * tilt(p)[1], 0.0)}, (*rest, *_GLABELLA)),
        "browSpacing": (
            {(285, 336): (0.022, 0.0, 0.0), (295, 296): (0.016, 0.0, 0.0), (282, 334): (0.008, 0.0, 0.0)},
            (*rest, *_GLABELLA, 168),
        ),
    }  # fmt: skip


def _eyes(mean: Points) -> dict[str, Proportion]:
    outer, inner = mean[_UPPER_LID[0]], mean[_UPPER_LID[-1]]
    centre, half = 0.5 * (outer + inner), 0.5 * float(outer[0] - inner[0])
    rest = (*_NOSE, *_MOUTH, *_BROW_UPPER, *_SIDE, *_TEMPLE, *_FOREHEAD_TOP, *_MAXILLA)

    def along(p: Float[np.ndarray, "3"]) -> float:
        return float((p[0] - centre[0]) / half)

    def bulge(p: Float[np.ndarray, "3"]) -> float:
        return max(0.0, 1.0 - along(p) ** 2)

    return {
        "eyeHeight": (
            {
                _UPPER_LID: lambda p: (0.0, -0.015 * bulge(p), 0.0),
                _CREASE: lambda p: (0.0, -0.010 * bulge(p), 0.0),
                _LOWER_LID: lambda p: (0.0, 0.007 * bulge(p), 0.0),
                _UNDER_LID: lambda p: (0.0, 0.004 * bulge(p), 0.0),
            },
            (*rest, *_BROW_LOWER),
        ),
        "eyeWidth": ({_EYE: lambda p: (0.014 * along(p), 0.0, 0.0)}, rest),
        "eyeSpacing": ({_EYE: (0.02, 0.0, 0.0), (*_SOCKET, *_BROW_LOWER): (0.012, 0.0, 0.0)}, (*_NOSE, *rest)),
        "eyeTilt": (
            {_EYE: lambda p: (0.0, -0.02 * along(p), 0.0), _SOCKET: lambda p: (0.0, -0.012 * along(p), 0.0)}, rest
        ),
        "eyeDepth": ({_EYE: (0.0, 0.0, 0.022), _SOCKET: (0.0, 0.0, 0.012)}, (*rest, *_BROW_LOWER)),
        "eyeLevel": ({(*_EYE, *_BAG): (0.0, -0.02, 0.0), (*_SOCKET, *_BROW_LOWER): (0.0, -0.012, 0.0)}, rest),
        "lidFold": (
            {_CREASE: lambda p: (0.0, 0.012 * bulge(p), -0.006), _SOCKET: (0.0, 0.006, -0.008)},
            (*rest, *_BROW_LOWER, *_UPPER_LID, *_LOWER_LID),
        ),
        "eyeBag": (
            {_BAG: (0.0, 0.0, -0.014), _UNDER_LID: lambda p: (0.0, 0.0, -0.008 * bulge(p))},
            (*rest, *_UPPER_LID, *_LOWER_LID),
        ),
    }  # fmt: skip


def _cheeks() -> dict[str, Proportion]:
    rest = (*_EYE, *_NOSE, *_MOUTH, *_BROW, *_FOREHEAD_TOP, *_CHIN)
    return {
        "cheekboneWidth": (
            {_CHEEKBONE: (0.022, 0.0, -0.012), (372, 447, 366): (0.014, 0.0, 0.0), (280, 347): (0.008, 0.0, -0.012)},
            (*rest, *_JAW, *_MAXILLA, 389),
        ),
        "cheekboneLevel": ({(*_CHEEKBONE, 280, 347): (0.0, -0.03, 0.0), (330, 425): (0.0, -0.016, 0.0)}, (*rest, 454)),
        "cheekFullness": (
            {(427,): (0.02, 0.0, -0.028), (411, 434): (0.02, 0.0, -0.02), (425, 432, 436): (0.01, 0.0, -0.016)},
            (*rest, *_CHEEKBONE, 454, 361),
        ),
        "maxilla": ({_MAXILLA: (0.0, 0.0, -0.02), (*_BASE, *_WING): (0.0, 0.0, -0.012)}, (*_EYE, *_MOUTH, *_SIDE, 6)),
    }


def _nose() -> dict[str, Proportion]:
    rest = (*_EYE, *_MOUTH, *_BROW, *_MAXILLA, *_CHEEKBONE, *_FOREHEAD_TOP)
    return {
        "noseLength": (
            {
                (*_BASE, *_WING, 1, 274): (0.0, 0.028, 0.0), (4, 275): (0.0, 0.026, 0.0), (5, 281): (0.0, 0.018, 0.0),
                (195, 248): (0.0, 0.01, 0.0), (197, 419): (0.0, 0.004, 0.0),
            },
            rest,
        ),
        "noseWidth": (
            {_WING: (0.017, 0.0, 0.0), (440, 438, 439, 455, 460, 305): (0.011, 0.0, 0.0)}, (*rest, *_BRIDGE, 4)
        ),
        "noseProtrusion": (
            {
                _TIP: (0.0, 0.0, -0.032), _BASE: (0.0, 0.0, -0.02), (195, 248): (0.0, 0.0, -0.02),
                (197, 419): (0.0, 0.0, -0.01), _WING: (0.0, 0.0, -0.01),
            },
            rest,
        ),
        "noseBridgeHeight": ({(168, 6, 351): (0.0, 0.0, -0.022), (197, 419, 417): (0.0, 0.0, -0.014)}, (*rest, *_TIP)),
        "noseBridgeWidth": (
            {(351, 419, 417): (0.008, 0.0, 0.0), _WALL: (0.012, 0.0, 0.0)}, (*rest, *_WING, *_TIP, 168)
        ),
        "noseHump": (
            {(197, 195): (0.0, 0.0, -0.02), (419, 248): (0.0, 0.0, -0.016)}, (*rest, *_WING, 168, 4, 1, 275)
        ),
        "noseTipUp": (
            {(4, 1, 275, 274): (0.0, -0.018, -0.006), (19, 94): (0.0, -0.016, -0.006), (5, 281): (0.0, -0.006, 0.0)},
            (*rest, *_BRIDGE, *_RIDGE, 278, 294, 331, 358, 327),
        ),
        "noseTipWidth": (
            {(275, 274, 281): (0.01, 0.0, 0.0), (440, 363, 457): (0.014, 0.0, 0.0)},
            (*rest, *_BRIDGE, 278, 294, 331, 358, 327),
        ),
        "wingHeight": ({_WING: (0.0, -0.015, 0.0)}, (*rest, *_BRIDGE, *_RIDGE, 4, 1, 19, 94, 2)),
    }  # fmt: skip


def _mouth(mean: Points) -> dict[str, Proportion]:
    half = float(mean[UPPER_LIP_ROWS[0, -1], 0])
    rest = (*_EYE, *_BRIDGE, *_RIDGE, *_TIP, *_WING, *_BASE, *_SIDE, *_BROW)

    def thicker(rows: np.ndarray, y: float) -> Handles:
        depth = {int(i): row / 3 for row, indices in enumerate(rows) for i in indices[5:]}
        size = {i: (1 - d) * (1 - (mean[i, 0] / half) ** 2) for i, d in depth.items()}
        return {(i,): (0.0, y * s, -0.3 * abs(y) * s) for i, s in size.items()}

    return {
        "mouthWidth": (
            {
                _MOUTH: lambda p: (0.022 * p[0] / half, 0.0, 0.006 * (p[0] / half) ** 2),
                (287, 273, 410): (0.018, 0.0, 0.0),
            },
            (*rest, *_CHIN),
        ),
        "mouthLevel": ({_MOUTH: (0.0, 0.022, 0.0), (287, 273, 410): (0.0, 0.018, 0.0)}, (*rest, *_CHIN)),
        "mouthProtrusion": (
            {_MOUTH: (0.0, 0.0, -0.022), (164, 393): (0.0, 0.0, -0.012), (18, 313): (0.0, 0.0, -0.012)},
            (*rest, *_CHIN, *_CHEEK),
        ),
        "upperLip": (thicker(UPPER_LIP_ROWS, -0.013), (*rest, *_CHIN, *_LOWER_LIP_LEFT)),
        "lowerLip": (thicker(LOWER_LIP_ROWS, 0.016), (*rest, *_CHIN, *_UPPER_LIP_LEFT)),
        "cupidBow": (
            {(0, 11): (0.0, 0.008, 0.0), (267, 302): (0.0, -0.006, 0.0)},
            (*rest, *_LOWER_LIP_LEFT, *UPPER_LIP_ROWS[2:].flat),
        ),
        "mouthCorner": (
            {_MOUTH: lambda p: (0.0, -0.016 * float(abs(p[0] / half) ** 2.5), 0.0), (287,): (0.0, -0.012, 0.0)},
            (*rest, *_CHIN),
        ),
    }  # fmt: skip


def _jaw(mean: Points) -> dict[str, Proportion]:
    half = float(mean[UPPER_LIP_ROWS[0, -1], 0])
    rest = (*_EYE, *_NOSE, *_BROW, *_CHEEKBONE)
    return {
        "jawWidth": (
            {
                _JAW: (0.036, 0.0, 0.0), (361, 401, 433, 364): (0.022, 0.0, 0.0), (379, 416): (0.024, 0.0, 0.0),
                (378, 434): (0.012, 0.0, 0.0),
            },
            (*rest, *_MOUTH, 152, 175, 199, 454, 447),
        ),
        "jawLevel": (
            {_JAW: (0.0, 0.032, 0.0), (379, 361, 401): (0.0, 0.018, 0.0)}, (*rest, *_MOUTH, *_CHIN, 454, 447)
        ),
        "chinLength": (
            {_CHIN: (0.0, 0.04, 0.0), (378, 199, 428): (0.0, 0.032, 0.0), (379, 395): (0.0, 0.022, 0.0)},
            (*rest, *_MOUTH, 288, 361),
        ),
        "chinWidth": (
            {(377, 396): (0.014, 0.0, 0.0), (400, 378, 369, 395): (0.026, 0.0, 0.0), (379,): (0.022, 0.0, 0.0)},
            (*rest, *_MOUTH, 152, 175, 288, 361),
        ),
        "chinProtrusion": (
            {
                (152, 175, 199, 377, 396, 428): (0.0, 0.0, -0.036), (400, 369, 200): (0.0, 0.0, -0.024),
                (378,): (0.0, 0.0, -0.016),
            },
            (*rest, *_MOUTH, 288, 397, 361),
        ),
        "jawForward": (
            {
                (*_CHIN, 199, 200): (0.0, 0.0, -0.03), (18,): (0.0, 0.0, -0.026), _JAW: (0.0, 0.0, -0.016),
                tuple(LOWER_LIP_ROWS[0, 5:]): lambda p: (0.0, 0.0, -0.02 * (1 - (p[0] / half) ** 2)),
            },
            (*rest, *_UPPER_LIP_LEFT, *_SIDE),
        ),
        "chinFold": ({(18, 313, 200, 421): (0.0, 0.0, 0.016)}, (*rest, *_MOUTH, *_CHIN, *_JAW)),
    }  # fmt: skip
