"""Glasses drawn on the bundled portrait: lens and rim stay before moving eyes, bare faces are left alone."""

import cv2
import numpy as np
import pytest

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.builtin.lens import wears_glasses
from models.builtin.reflection import find_reflection
from models.expression import EYES
from models.face import load_face_model
from models.motion import Motion, expression
from models.topology import FACE_OVAL

SHUT = Motion(0, expression(eyeBlinkLeft=1, eyeBlinkRight=1))
ASIDE = Motion(0, expression(eyeLookOutLeft=0.7, eyeLookInRight=0.7))
LIGHT = np.array([50.0, 60.0, 60.0])


def prepare(photo):
    return prepare_portrait(photo, (512, 512), framing="head")


@pytest.fixture(scope="module")
def bare(portrait_png):
    return prepare(read_photo(portrait_png))


def frame_of(landmarks, eye):
    """Centre of an eye, and vectors of its width along and across it."""
    outline = landmarks[eye.closed, :2].astype(np.float64)
    along = landmarks[eye.upper[-1], :2] - landmarks[eye.upper[0], :2]
    return outline.mean(0), along, np.array([-along[1], along[0]]) * np.sign(along[0])


def stroke(shape, points, thickness):
    mask = np.zeros(shape[:2], np.uint8)
    cv2.polylines(mask, [np.round(points * 16).astype(np.int32)], False, 255, max(1, round(thickness)), cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), 0.6) / 255.0


def bridge(landmarks, shape):
    corners = landmarks[[133, 362], :2].astype(np.float64)
    return stroke(shape, corners + [0, -0.25 * np.linalg.norm(corners[1] - corners[0])], 3)


def reflection(landmarks, shape):
    """A patch across the inner half of each eye and the skin below it, 0..1."""
    out = np.zeros(shape[:2])
    for eye in EYES:
        centre, along, across = frame_of(landmarks, eye)
        corners = [(0.05, -0.12), (0.4, -0.2), (0.4, 0.45), (0.05, 0.45)]
        mask = np.zeros(shape[:2], np.uint8)
        quad = np.array([centre + a * along + b * across for a, b in corners])
        cv2.fillPoly(mask, [np.round(quad * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        out += cv2.GaussianBlur(mask, (0, 0), 0.7) / 255.0
    return out


def rim(landmarks, shape):
    """A curved line through each eye, 0..1."""
    out = np.zeros(shape[:2])
    for eye in EYES:
        centre, along, across = frame_of(landmarks, eye)
        t = np.linspace(-1.1, 1.1, 60)[:, None]
        out += stroke(shape, centre + t * along + (0.28 * t * t + 0.2 * t - 0.06) * across, 0.07 * np.hypot(*along))
    return np.clip(out, 0, 1)


def with_glasses(portrait, light=None, line=None):
    """The portrait with a bridge and what else is asked for, prepared as a photo of its own."""
    image, alpha = portrait.image.astype(np.float64), bridge(portrait.landmarks, portrait.image.shape)
    if light is not None:
        image = np.clip(image + light[..., None] * LIGHT, 0, 255)
    if line is not None:
        alpha = np.maximum(alpha, line)
    return prepare((image + (35 - image) * alpha[..., None] + 0.5).astype(np.uint8))


def render(portrait, motion):
    return BuiltinAvatar(portrait, load_face_model()).render(motion).astype(float).mean(axis=2)


def eyes(portrait):
    """Where eyes and what is painted around them lie."""
    mask = np.zeros(portrait.image.shape[:2], np.uint8)
    for eye in EYES:
        cv2.fillPoly(mask, [np.round(portrait.landmarks[eye.closed, :2]).astype(np.int32)], 1)
    return mask > 0


@pytest.mark.parametrize("motion", [SHUT, ASIDE], ids=["shut", "aside"])
def test_a_reflection_stays_before_the_eye(bare, motion):
    light = reflection(bare.landmarks, bare.image.shape)
    added = render(with_glasses(bare, light=light), motion) - render(bare, motion)
    lit = eyes(bare) & (light > 0.95)
    assert lit.sum() > 30
    assert np.median(added[lit]) > 0.6 * LIGHT.mean()
    dark = eyes(bare) & (light < 0.02)
    assert np.abs(np.median(added[dark])) < 0.25 * LIGHT.mean(), "hardly any where there was none"


def test_a_rim_is_not_covered_by_the_lid(bare):
    line = rim(bare.landmarks, bare.image.shape)
    shut = render(with_glasses(bare, line=line), SHUT)
    across = eyes(bare) & (line > 0.9)
    assert across.sum() > 20
    assert np.percentile(shut[across], 75) < 80


def test_rest_is_the_photo_behind_glasses_too(bare):
    worn = with_glasses(bare, reflection(bare.landmarks, bare.image.shape), rim(bare.landmarks, bare.image.shape))
    difference = np.abs(render(worn, Motion(0)) - worn.image.mean(axis=2))
    face = cv2.fillPoly(np.zeros(difference.shape), [worn.landmarks[FACE_OVAL, :2].astype(np.int32)], 1) > 0
    assert np.percentile(difference[face], 99) < 4


def test_a_bridge_across_the_nose_tells_glasses(bare):
    assert not wears_glasses(bare.image, bare.landmarks)
    worn = with_glasses(bare)
    assert wears_glasses(worn.image, worn.landmarks)


@pytest.mark.parametrize("below, found", [(0, False), (30, True)], ids=["in the eye alone", "on the skin too"])
def test_only_a_light_that_goes_on_beside_the_eye_is_the_lens(below, found):
    around, inside = np.empty((90, 130, 3), np.float32), np.zeros((90, 130), np.uint8)
    around[:] = (200, 150, 120)
    cv2.ellipse(inside, (65, 45), (30, 12), 0, 0, 360, 1, -1)
    around[inside > 0] = (190, 185, 180)
    cv2.circle(around, (65, 45), 10, (60, 40, 30), -1)
    around[42 : 50 + below, 72:86] += 40
    iris = np.array([[65, 45], [75, 45], [65, 35], [55, 45], [65, 55]], np.float32)
    light = find_reflection(around, inside > 0, iris, 60.0)
    assert (light is not None) == found
    if light is not None:
        assert np.abs(light[44:76, 76:82] - 40).max() < 15
        assert light[:, :60].max() < 5
