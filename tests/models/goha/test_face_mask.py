"""Which pixels are features of the face."""

import torch
from torch.nn import functional

from models.goha.face_mask import eroded, keep_mask

SKIN, BROW, EYE, GLASSES, EAR, MOUTH, LIP, NECK, HAT = 1, 2, 4, 6, 7, 11, 12, 14, 18


def classes(number: int) -> torch.Tensor:
    """Skin all over, but for one pixel in the middle."""
    image = torch.full((1, 31, 31), SKIN)
    image[0, 15, 15] = number
    return functional.one_hot(image, 19).permute(0, 3, 1, 2).float()


def hidden(number: int) -> int:
    return int((1 - keep_mask(classes(number))).sum())


def test_features_are_hidden_eyes_with_six_pixels_around() -> None:
    assert [hidden(n) for n in (BROW, BROW + 1, MOUTH, LIP, LIP + 1)] == [1] * 5
    assert [hidden(n) for n in (EYE, EYE + 1)] == [13 * 13] * 2
    assert [hidden(n) for n in (0, SKIN, EAR, EAR + 1, EAR + 3, NECK, 17)] == [0] * 7


def test_what_is_below_glasses_counts() -> None:
    worn = classes(GLASSES)
    worn[0, BROW, 15, 15] = 0.5
    assert int((1 - keep_mask(worn)).sum()) == 1
    assert hidden(GLASSES) == hidden(HAT) == 0


def test_erosion_takes_three_pixels_and_none_at_the_borders() -> None:
    mask = torch.ones(1, 1, 31, 31)
    assert eroded(mask).equal(mask)
    mask[..., 15, 15] = 0
    assert int((1 - eroded(mask)).sum()) == 7 * 7
    assert eroded(mask)[0, 0, 12, 18] == 0
