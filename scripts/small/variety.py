"""New persons out of few: portraits bent along identities of the face model, and faces put into other heads."""

from dataclasses import replace

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from models.face import FaceModel
from models.portrait import Portrait
from models.pose import fit_pose
from models.raster import rasterise
from models.topology import FACE_OVAL, SURFACE_COUNT

_CELLS = 25
_IDENTITY, _SMOOTH = 0.8, 0.012
_ANCHORS = np.arange(0, SURFACE_COUNT, 5)


def bent(portrait: Portrait, model: FaceModel, random: np.random.Generator) -> Portrait:
    """The portrait with a face of other proportions: picture and landmarks move together."""
    landmarks, side = portrait.landmarks.astype(np.float64), max(portrait.image.shape[:2])
    pose = fit_pose(portrait.landmarks, model.mean)
    identity = np.tensordot(random.normal(0, _IDENTITY, len(model.identity)), model.identity, 1)
    new = landmarks + pose.scale * identity @ pose.rotation.T
    coarse = random.normal(0, _SMOOTH * side, (4, 4, 2)).astype(np.float32)
    cells = np.clip(landmarks[:, :2] / side, 0, 1).astype(np.float32) * 3
    new[:, :2] += cv2.remap(coarse, cells[None, :, 0], cells[None, :, 1], cv2.INTER_LINEAR)[0]
    middle = new[:, :2].mean(0)
    new[:, :2] = middle + (new[:, :2] - middle) * random.uniform(0.93, 1.07, 2)
    margin = portrait.person_margin
    edge = np.linspace(-margin, side + margin, 7)
    frame = np.array([(x, y) for x in edge for y in edge if x in edge[[0, -1]] or y in edge[[0, -1]]])
    places = np.vstack([new[_ANCHORS, :2], frame])
    shift = np.vstack([(landmarks - new)[_ANCHORS, :2], np.zeros_like(frame)])
    grid = np.linspace(-margin, side + margin, _CELLS)
    x, y = np.meshgrid(grid, grid)
    field = RBFInterpolator(places, shift, smoothing=1.0)(np.column_stack([x.ravel(), y.ravel()]))
    field = field.reshape(_CELLS, _CELLS, 2).astype(np.float32)
    return _moved(portrait, field, new.astype(np.float32))


def _moved(portrait: Portrait, field: np.ndarray, landmarks: np.ndarray) -> Portrait:
    """`field`: where a pixel comes from, less where it is, on a grid over `person`, pixels of the picture."""
    scale, margin, (high, wide) = portrait.person_scale, portrait.person_margin, portrait.person.shape[:2]
    cells = [(np.arange(n, dtype=np.float32) / (n - 1)) * (_CELLS - 1) for n in (wide, high)]
    away = cv2.remap(field, *np.meshgrid(*cells), cv2.INTER_CUBIC)
    at = np.stack(np.meshgrid(np.arange(wide), np.arange(high)), -1).astype(np.float32) + scale * away
    person = cv2.remap(portrait.person, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height, width = portrait.image.shape[:2]
    small = cv2.resize(away, (wide // scale, high // scale), interpolation=cv2.INTER_AREA)
    inner = small[margin : margin + height, margin : margin + width]
    on_image = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32) + inner
    image = cv2.remap(portrait.image, on_image, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    matte = cv2.remap(portrait.matte, on_image, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return replace(portrait, image=image, matte=matte, person=person, landmarks=landmarks)


def with_face_of(head: Portrait, other: Portrait, model: FaceModel, random: np.random.Generator) -> Portrait:
    """`head` with the skin of another face, whose colours follow it; its proportions stay."""
    place, source = (_on_person(portrait) for portrait in (head, other))
    high, wide = head.person.shape[:2]
    triangles = np.vstack([model.triangles, model.mouth_strip, model.eye_strips]).astype(np.int32)
    vertices = np.column_stack([place, head.landmarks[:, 2]])[:SURFACE_COUNT].astype(np.float32)
    drawn = rasterise(vertices, triangles, source[:SURFACE_COUNT].astype(np.float32), (wide, high))
    seen = cv2.remap(other.person, drawn.image[..., 0], drawn.image[..., 1], cv2.INTER_LINEAR)[..., :3]
    mask = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(mask, [np.rint(place[FACE_OVAL]).astype(np.int32)], 255)
    height = float(np.ptp(place[FACE_OVAL, 1]))
    mask = cv2.erode(mask & (255 * drawn.mask).astype(np.uint8), np.ones((3, 3)), iterations=max(1, int(0.05 * height)))
    inside = mask > 0
    own = head.person[..., :3][inside].astype(np.float64)
    new = seen[inside].astype(np.float64)
    matched = (seen - new.mean(0)) * np.clip(own.std(0) / np.maximum(new.std(0), 1), 0.6, 1.6) + own.mean(0)
    share = (cv2.GaussianBlur(mask, (0, 0), 0.03 * height) / 255.0 * random.uniform(0.6, 1.0))[..., None]
    person = head.person.copy()
    person[..., :3] = np.clip(person[..., :3] * (1 - share) + matched * share, 0, 255)
    scale, margin, (h, w) = head.person_scale, head.person_margin, head.image.shape[:2]
    small = [
        cv2.resize(x.astype(np.float32), (wide // scale, high // scale), interpolation=cv2.INTER_AREA)[
            margin : margin + h, margin : margin + w
        ]
        for x in (matched, share)
    ]
    image = np.clip(head.image * (1 - small[1][..., None]) + small[0] * small[1][..., None], 0, 255).astype(np.uint8)
    return replace(head, person=person, image=image)


def _on_person(portrait: Portrait) -> np.ndarray:
    return (portrait.landmarks[:, :2].astype(np.float64) + portrait.person_margin + 0.5) * portrait.person_scale - 0.5
