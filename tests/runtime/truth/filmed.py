"""The bundled portrait's person before a camera: drawn by the engine, so that everything about them is known."""

import threading
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from calibration.photo import read_photo
from calibration.portrait import choose_face, prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model
from models.motion import Motion, expression
from runtime.frame import Frame
from runtime.truth.guard import EVERY_NS, Seen, TruthGuard

PHOTO = Path(__file__).parents[3] / "agent" / "example" / "portrait.png"


@cache
def photo():
    image = read_photo(PHOTO)
    return image, choose_face(image, "photo")[0]


@cache
def avatar(side: int) -> BuiltinAvatar:
    image, face = photo()
    return BuiltinAvatar(prepare_portrait(image, (side, side), framing="head", landmarks=face), load_face_model())


def talking(k: int) -> Motion:
    """The k-th look: the head sways by 8 degrees, the mouth opens and shuts."""
    sway = np.array([0.05 * np.sin(k / 5), 0.14 * np.sin(k / 7), 0.03 * np.sin(k / 3)], np.float32)
    moves = expression(jawOpen=0.25 + 0.25 * np.sin(k), mouthSmileLeft=0.2, eyeBlinkLeft=0.5 * (k % 4 == 0))
    return Motion(k * EVERY_NS, moves, sway)


def film(k: int, side: int = 320, motion: Motion | None = None) -> Seen:
    """The k-th look of the camera, at what the driver would have made of it."""
    motion = motion or talking(k)
    person = avatar(side)
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:468] = person.landmarks(motion)
    landmarks[468:473], landmarks[473:] = landmarks[[33, 133]].mean(0), landmarks[[263, 362]].mean(0)
    noise = np.random.default_rng(k).normal(0, 2, (side, side, 1))
    image = np.clip(person.render(motion) + noise, 0, 255).astype(np.uint8)
    return Seen(Frame(image, motion.pts_ns), landmarks, motion)


def repainted(seen: Seen, image: np.ndarray) -> Seen:
    return Seen(Frame(np.ascontiguousarray(image), seen.frame.pts_ns), seen.landmarks, seen.motion)


def hand(seen: Seen) -> Seen:
    """Something of the skin's colour, without features, over nose and mouth."""
    image, points = seen.frame.image.copy(), seen.landmarks[:, :2]
    low, high = points[[4, 50]].min(0).astype(int), points[[280, 152]].max(0).astype(int)
    colour = image[tuple(points[50].astype(int)[::-1])].tolist()
    cv2.rectangle(image, tuple(low.tolist()), tuple(high.tolist()), colour, -1)
    for k in range(4):  # between fingers
        y = int(low[1] + (k + 0.5) * (high[1] - low[1]) / 4)
        cv2.line(image, (int(low[0]), y), (int(high[0]), y), [int(0.6 * c) for c in colour], 3)
    return repainted(seen, image)


def gamma(seen: Seen, exponent: float) -> Seen:
    return repainted(seen, (255 * (seen.frame.image / 255) ** exponent).astype(np.uint8))


def lamp(seen: Seen) -> Seen:
    """Light from one side."""
    across = np.linspace(0.35, 1.3, seen.frame.image.shape[1])[None, :, None]
    return repainted(seen, np.clip(seen.frame.image * across, 0, 255).astype(np.uint8))


def visited(seen: Seen) -> Seen:
    """Somebody else comes into the picture beside the first, as large."""
    image = seen.frame.image
    return repainted(seen, np.hstack([image, cv2.flip(film(0).frame.image, 1)]))


def looked(guard: TruthGuard) -> threading.Event:
    """Set whenever a guard is through with a frame, however long that took."""
    through, take = threading.Event(), guard._take

    def taken(seen: Seen) -> None:
        try:
            take(seen)
        finally:
            through.set()

    guard._take = taken
    return through
