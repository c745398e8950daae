"""`blink.eyes_closed` by torch alone, on any device: fixed shapes, and nothing waits for the device.

The same pictures but for two things: of equally near lids another may be taken, and an eye is what has face on all four
sides in the window where eyes are looked for, be it connected or not.
"""

import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor
from torch.nn import functional

from models.real3d.blink import AFTER_PX, BEFORE_PX, BOTTOM, LEFT_EYE, RIGHT_EYE, RIM_PX, TOP

_FAR = 1000.0  # pixels: there is no lid
_ROWS = slice(TOP - BEFORE_PX, BOTTOM + BEFORE_PX)
_COLUMNS = tuple(slice(begin - BEFORE_PX, end + BEFORE_PX) for begin, end in (RIGHT_EYE, LEFT_EYE))
_SIDE = BOTTOM - TOP + 2 * BEFORE_PX

Mask = Bool[Tensor, "b 2 side side"]
"""Around the right and the left eye."""


def eyes_closed(pncc: Float32[Tensor, "b 3 512 512"], closures: Float[Tensor, "b 2"]) -> Float32[Tensor, "b 3 512 512"]:
    """The pictures with their right and left eyes closed by 0..1 each.

    Pictures of which an eye closes at all are rounded to 256 levels, the others are not.
    """
    levels = torch.floor((pncc + 1) / 2 * 255)
    around = torch.stack([levels[:, :, _ROWS, columns] for columns in _COLUMNS], 1)
    closure = closures.clamp(0, 1)[..., None, None].double()
    filled, lids = _closing((around > 0).all(2), closure)
    codes = around.flatten(3).gather(3, _nearest(lids)[:, :, None].expand(-1, -1, 3, -1)).view_as(around)
    for eye, columns in enumerate(_COLUMNS):
        window = levels[:, :, _ROWS, columns]
        window.copy_(torch.where(filled[:, eye, None], codes[:, eye], window))
    return torch.where((closure > 0).any(1, keepdim=True), levels / 127.5 - 1, pncc)


def _closing(face: Mask, closure: Float[Tensor, "b 2 1 1"]) -> tuple[Mask, Mask]:
    """Pixels that are filled when eyes close so far, and the lids that they take their codes from."""
    rows, columns = _numbers(face)
    hole = _holes(face)
    box = _within(hole.any(3, keepdim=True), rows) & _within(hole.any(2, keepdim=True), columns)
    eye = box & (hole | (face & _near(hole)))
    lids = box & face & ~eye
    middle = (rows * eye).sum(2, keepdim=True) / eye.sum(2, keepdim=True).clamp(min=1)
    first, last = _ends(eye, rows)
    upper = closure * middle + (1 - closure) * first
    lower = closure * middle + (1 - closure) * last
    filled = eye & ((rows <= upper) | (rows >= lower)) & (closure > 0) & lids.any(3, keepdim=True).any(2, keepdim=True)
    return filled, lids


def _numbers(mask: Mask) -> tuple[Float[Tensor, "side 1"], Float[Tensor, "side"]]:
    """Of rows and columns."""
    columns = torch.arange(_SIDE, dtype=torch.float64, device=mask.device)
    return columns[:, None], columns


def _holes(face: Mask) -> Mask:
    """What is empty in the windows and has face above, below, left and right in them."""
    inner = face[:, :, BEFORE_PX:-BEFORE_PX, BEFORE_PX:-BEFORE_PX]
    down, across = inner.cumsum(2), inner.cumsum(3)
    enclosed = (down > 0) & (down < down[:, :, -1:]) & (across > 0) & (across < across[..., -1:])
    return functional.pad(enclosed & ~inner, (BEFORE_PX,) * 4)


def _within(occupied: Bool[Tensor, "b 2 h w"], numbers: Float[Tensor, "*n"]) -> Bool[Tensor, "b 2 h w"]:
    """From a little before the first row (or column) that is occupied to a little after the last."""
    first = torch.where(occupied, numbers, _FAR).amin((2, 3), keepdim=True)
    last = torch.where(occupied, numbers, -_FAR).amax((2, 3), keepdim=True)
    return (numbers >= first - BEFORE_PX) & (numbers <= last + AFTER_PX)


def _near(hole: Mask) -> Mask:
    """What is no farther from a hole than its rim is wide."""
    offset = torch.arange(-RIM_PX, RIM_PX + 1, device=hole.device).square()
    disc = (offset[:, None] + offset <= RIM_PX**2).float()[None, None]
    return functional.conv2d(hole.flatten(0, 1)[:, None].float(), disc, padding=RIM_PX).view_as(hole) > 0.5


def _ends(eye: Mask, rows: Float[Tensor, "side 1"]) -> tuple[Float[Tensor, "b 2 1 side"], Float[Tensor, "b 2 1 side"]]:
    """First and last row of each column."""
    return torch.where(eye, rows, _FAR).amin(2, keepdim=True), torch.where(eye, rows, -_FAR).amax(2, keepdim=True)


def _nearest(lids: Mask) -> Tensor:
    """For each pixel the number of the nearest pixel of a lid, row by row: the nearest of those nearest in columns."""
    rows, columns = (numbers.float() for numbers in _numbers(lids))
    above = torch.where(lids, rows, -_FAR).cummax(2).values
    below = torch.where(lids, rows, _FAR).flip(2).cummin(2).values.flip(2)
    nearer = torch.where(rows - above <= below - rows, above, below)
    distance = (rows - nearer).square()[..., None, :] + (columns[:, None] - columns).square()
    column = distance.argmin(4)
    return (nearer.gather(3, column).clamp(0, _SIDE - 1).long() * _SIDE + column).flatten(2)
