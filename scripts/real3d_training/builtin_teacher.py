"""The built-in engine as a teacher: smooth acting of a portrait, and where its head and torso are in each picture."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from calibration.portrait import choose_face, prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.face import load_face_model
from models.motion import Motion, expression
from models.portrait import Portrait
from models.real3d.face import Real3dFace
from models.real3d.parting import BuiltinSegmenter
from models.real3d.segmentation import BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, Classes
from models.real3d.window import Window, window_of
from models.topology import FACE_OVAL, LANDMARK_COUNT, SURFACE_COUNT
from real3d_training.clip import ClipWriter, Picture
from real3d_training.face import FaceReader, face_digest

_KEY_EVERY = 6  # pictures from one pose to the next
_YAW, _PITCH, _ROLL = np.deg2rad([20.0, 11.0, 8.0])
_WARP = 0.035  # of the photo's longer side
_SEEN = 5  # pictures that tell who it is
Random = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A portrait, and another of the same shape that shows what is what: red head, green neck, blue clothes."""

    avatar: BuiltinAvatar
    parts: BuiltinAvatar
    background: Picture
    window: Window


def write_clip(
    folder: Path, photo: Picture, name: str, face: Real3dFace, side: int, count: int, random: Random, acts: bool
) -> None:
    """An actor drawn from the photo plays so many pictures, or keeps one expression and turns.

    Raises InputError for a photo without a face.
    """
    size = max(256, side)
    actor = _cast(*_varied(photo, choose_face(photo, name)[0], random), size, name)
    reader = FaceReader(face, side)
    motions = list(acting(count, random))
    if not acts:
        kept = motions[random.integers(count)].expression
        motions = [replace(motion, expression=kept) for motion in motions]
    who = reader.person([_landmarks(actor, motion, side) for motion in motions[:: max(1, count // _SEEN)]])
    clip = ClipWriter(folder)
    for motion in motions:
        landmarks = _landmarks(actor, motion, side)
        picture = actor.window.cut(actor.avatar.render(motion)[..., :3], side)
        classes = _classes(actor.window.cut(actor.parts.render(motion), side), landmarks)
        clip.add(reader.shot(picture, classes, landmarks, who))
    clip.finish(actor.window.cut(actor.background, side), reader.canonical(who), face_digest(face))


def acting(count: int, random: Random) -> Iterator[Motion]:
    """Poses and expressions that pass into one another; it begins at rest."""
    keys = [Motion(0), *(_pose(random) for _ in range(count // _KEY_EVERY + 1))]
    for number in range(count):
        key, part = divmod(number, _KEY_EVERY)
        weight = np.float32(0.5 - 0.5 * np.cos(np.pi * part / _KEY_EVERY))
        old, new = keys[key], keys[key + 1]
        yield Motion(
            number,
            expression=old.expression + weight * (new.expression - old.expression),
            rotation=old.rotation + weight * (new.rotation - old.rotation),
        )


def _pose(random: Random) -> Motion:
    jaw, smile, pucker, funnel, blink, brows = random.uniform(0, 1, 6)
    speaks, smiles, rounds = random.permutation([1.0, random.uniform() < 0.5, random.uniform() < 0.3])
    shut = float(blink) if random.uniform() < 0.4 else 0.0
    how = expression(
        jawOpen=speaks * jaw, mouthNeutral=speaks, mouthSmileLeft=smiles * smile, mouthSmileRight=smiles * smile,
        mouthPucker=rounds * pucker, mouthFunnel=rounds * funnel, eyeBlinkLeft=shut, eyeBlinkRight=shut,
        browInnerUp=0.7 * brows, browOuterUpLeft=0.5 * brows, browOuterUpRight=0.5 * brows,
    )  # fmt: skip
    turn = random.uniform(-1, 1, 3) * [_PITCH, _YAW, _ROLL]
    return Motion(0, expression=how, rotation=turn.astype(np.float32))


def _varied(photo: Picture, landmarks: Float32[np.ndarray, "478 3"], random: Random) -> tuple[Picture, np.ndarray]:
    """Mirrored or not, bent, and in another light: somebody like the person."""
    height, width = photo.shape[:2]
    field = random.normal(0, 1, (4, 4, 2)).astype(np.float32)
    field = _WARP * max(height, width) * np.tanh(cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    bent = cv2.remap(photo, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    column, row = (np.clip(landmarks[:, i], 0, n - 1).astype(int) for i, n in enumerate((width, height)))
    moved = landmarks.copy()
    moved[:, :2] -= field[row, column]
    gain, gamma = random.uniform(0.85, 1.1, 3), random.uniform(0.85, 1.2)
    lit = np.clip(255 * (bent / 255.0) ** gamma * gain, 0, 255).astype(np.uint8)
    if random.uniform() < 0.5:
        moved = moved[_mirrored()] * np.float32([-1, 1, 1]) + np.float32([width - 1, 0, 0])
        lit = np.ascontiguousarray(lit[:, ::-1])
    return lit, moved.astype(np.float32)


def _mirrored() -> np.ndarray:
    return load_face_model().mirror


def _cast(photo: Picture, landmarks: np.ndarray, size: int, name: str) -> Actor:
    portrait = prepare_portrait(photo, (size, size), name=name, framing="head", landmarks=landmarks)
    classes = BuiltinSegmenter()(portrait.image, portrait.landmarks)
    model = load_face_model()
    return Actor(
        BuiltinAvatar(portrait, model),
        BuiltinAvatar(_of_parts(portrait, classes), model),
        portrait.background if portrait.background is not None else portrait.image,
        window_of(portrait.landmarks, size, size),
    )


def _of_parts(portrait: Portrait, classes: Classes) -> Portrait:
    head = (classes == HAIR) | (classes == FACE_SKIN)
    colours = np.stack([head, classes == BODY_SKIN, classes == CLOTHES], -1).astype(np.uint8) * 255
    margin, alpha = portrait.person_margin, portrait.person[..., 3:]
    wide = cv2.copyMakeBorder(colours, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    sheet = cv2.resize(wide, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_NEAREST)
    person = np.concatenate([(sheet.astype(np.uint16) * alpha // 255).astype(np.uint8), alpha], -1)
    return replace(portrait, image=colours, person=person, background=np.zeros_like(colours))


def _landmarks(actor: Actor, motion: Motion, side: int) -> np.ndarray:
    """Where the engine has put the face; nothing is detected."""
    points = np.zeros((LANDMARK_COUNT, 3), np.float32)
    points[:SURFACE_COUNT] = actor.avatar.landmarks(motion)
    return actor.window.landmarks(points, side)


def _classes(parts: Picture, landmarks: np.ndarray) -> Classes:
    """From the colours of `Actor.parts`; what the engine paints into mouth and eyes lies within the face."""
    strongest = parts.argmax(-1)
    out = np.choose(strongest, [np.uint8(HAIR), np.uint8(BODY_SKIN), np.uint8(CLOTHES)])
    out[parts.max(-1) < 128] = 0
    oval = np.zeros(out.shape, np.uint8)
    cv2.fillPoly(oval, [np.rint(landmarks[FACE_OVAL, :2]).astype(np.int32)], 1)
    out[oval > 0] = FACE_SKIN
    return out
