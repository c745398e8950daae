"""What is painted over the photo: lids, teeth, and the line on which lips meet."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.builtin.avatar import BuiltinAvatar
from models.builtin.drawing import LUMA, area
from models.builtin.light import light_on
from models.builtin.plates import CENTRE, PER_UNIT, paint_plates
from models.expression import EYES
from models.face import load_face_model
from models.motion import Motion, expression
from models.topology import INNER_LIPS, LOWER_LIP, UPPER_LIP

SHUT = Motion(0, expression(eyeBlinkLeft=1, eyeBlinkRight=1))


def coloured(image, factors):
    return np.clip(image * np.asarray(factors, np.float32), 0, 255).astype(np.uint8)


def around(image, landmarks, eye):
    """Colour of the skin just beyond an eye's lashes."""
    contour = landmarks[eye.closed, :2].astype(np.float64)
    width = eye.width(landmarks)
    mask = np.ones(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [contour.astype(np.int32)], 0)
    beyond = cv2.distanceTransform(mask, cv2.DIST_L2, 5) / width
    return image[(beyond > 0.2) & (beyond < 0.3)].mean(0)


def lid(picture, landmarks, eye):
    """Colour of a shut lid's middle, above the lashes."""
    upper, lower = landmarks[eye.upper[3:6], :2], landmarks[eye.lower[3:6], :2]
    x, y = np.round(0.65 * upper + 0.35 * lower).mean(0).astype(int)
    return picture[y - 1 : y + 2, x - 2 : x + 3].mean((0, 1))


@pytest.mark.parametrize("shadow", [(1, 1, 1), (0.75, 0.5, 0.3), (0.5, 0.55, 0.65)], ids=["lit", "brown", "blue"])
def test_a_shut_lid_has_hue_and_shade_of_the_skin_around_the_eye(portrait, shadow):
    landmarks, height = portrait.landmarks, portrait.image.shape[0]
    y = np.arange(height, dtype=np.float32)[:, None, None]
    eyes = landmarks[[33, 263], 1].mean()
    depth = np.exp(-(((y - eyes) / (0.35 * np.ptp(landmarks[[33, 263], 0]))) ** 4))  # a band of shadow, as in paintings
    factors = 1 - depth * (1 - np.asarray(shadow, np.float32))
    image = coloured(portrait.image, factors)
    person = portrait.person.copy()
    person[..., :3] = cv2.resize(factors[:, :1], (1, person.shape[0])).reshape(-1, 1, 3) * person[..., :3]
    shut = BuiltinAvatar(replace(portrait, image=image, person=person), load_face_model()).render(SHUT)
    for eye in EYES:
        painted, skin = lid(shut, landmarks, eye), around(image, landmarks, eye)
        assert np.abs(np.log(painted / painted.mean()) - np.log(skin / skin.mean())).max() < 0.1
        assert 0.8 < (painted @ LUMA) / (skin @ LUMA) < 1.2


def test_upper_teeth_touch_and_end_without_steps(portrait):
    cover = paint_plates(light_on(portrait.image, portrait.landmarks), teeth=True).upper_cover
    middle, left, right = (
        round(c) for c in (CENTRE[1] - 0.1 * PER_UNIT, *(CENTRE[0] + PER_UNIT * np.array([-0.4, 0.4])))
    )
    assert cover[middle, left:right].min() > 0.95, "no gap from gum to edge"
    edge = cover[:, left:right].sum(0)
    assert np.abs(np.diff(edge)).max() < 3, "corners of biting edges are round"


def test_teeth_are_no_whiter_than_the_eyes(portrait):
    light = light_on(portrait.image, portrait.landmarks)
    dull = portrait.image.copy()
    for eye in EYES:
        cv2.fillPoly(dull, [portrait.landmarks[eye.closed, :2].astype(np.int32)], (120, 110, 100))
    duller = light_on(dull, portrait.landmarks)
    assert duller.white < 0.97 * light.white
    for seen in (light, duller):
        assert (paint_plates(seen, teeth=True).upper @ LUMA).max() <= seen.white


def test_a_mouth_is_as_warm_as_the_picture_and_grey_in_a_grey_one(portrait):
    def teeth(image):
        upper = paint_plates(light_on(image, portrait.landmarks), teeth=True).upper
        return upper[upper @ LUMA > 0.9 * (upper @ LUMA).max()].mean(0)

    plain, warm = teeth(portrait.image), teeth(coloured(portrait.image, (1.0, 0.85, 0.5)))
    assert warm[2] / warm[0] < 0.75 * plain[2] / plain[0]
    assert warm[0] > warm[1] > warm[2], "ivory, not green"
    grey = np.repeat((portrait.image @ LUMA).astype(np.uint8)[..., None], 3, axis=2)
    plates = paint_plates(light_on(grey, portrait.landmarks), teeth=True)
    assert np.ptp(plates.upper, axis=2).max() < 2 and np.ptp(plates.lower[..., :3], axis=2).max() < 2
    assert np.ptp(paint_plates(light_on(portrait.image, portrait.landmarks), teeth=True).upper, axis=2).max() > 30


def test_lips_that_the_photo_shows_apart_meet_on_an_even_line(avatar):
    closed = Motion(0, expression(mouthNeutral=1, mouthPucker=0.5))
    vertices = avatar._puppet.shape(closed).vertices
    line = 0.5 * (vertices[UPPER_LIP, :2] + vertices[LOWER_LIP, :2])[2:-2]
    steps = np.linspace(0, len(line) - 1, 60)
    x, y = (np.interp(steps, np.arange(len(line)), line[:, axis]).astype(np.float32)[None] for axis in (0, 1))
    luma = (avatar.render(closed) @ LUMA).astype(np.float32)
    on, above, below = (cv2.remap(luma, x, y + aside, cv2.INTER_LINEAR)[0] for aside in (0, -5, 5))
    assert np.abs(np.diff(on, 2)).mean() < 4
    assert (on < np.minimum(above, below)).mean() > 0.8, "a line, darker than the lips"


def test_a_mouth_that_opens_as_far_as_in_the_photo_does_not_show_the_photos_inside_through(avatar, portrait):
    def opening(jaw):
        return Motion(0, expression(mouthNeutral=1, jawOpen=jaw))

    def opened(jaw):
        return area(avatar._puppet.shape(opening(jaw)).vertices[INNER_LIPS, :2])

    wanted = area(portrait.landmarks[INNER_LIPS, :2].astype(np.float64))
    same = min(np.linspace(0.05, 1, 96), key=lambda jaw: abs(opened(jaw) - wanted))
    assert opened(same) == pytest.approx(wanted, rel=0.1)
    scale, margin = portrait.person_scale, portrait.person_margin
    person = portrait.person.copy()
    inside = (portrait.landmarks[INNER_LIPS, :2] + margin + 0.5) * scale - 0.5
    cv2.fillPoly(person, [np.round(inside).astype(np.int32)], (0, 255, 0, 255))
    marked = BuiltinAvatar(replace(portrait, person=person), load_face_model())
    assert marked.render(Motion(0))[..., 1].max() > 250, "at rest it is the photo"
    lips = np.zeros(portrait.image.shape[:2], np.uint8)
    contour = avatar._puppet.shape(opening(same)).vertices[INNER_LIPS, :2]
    cv2.fillPoly(lips, [np.round(contour).astype(np.int32)], 1)
    deep = cv2.erode(lips, np.ones((3, 3), np.uint8), iterations=3) > 0
    assert deep.any()
    shown = [which.render(opening(same))[deep].astype(int) for which in (avatar, marked)]
    assert np.abs(shown[1] - shown[0]).mean() < 10
