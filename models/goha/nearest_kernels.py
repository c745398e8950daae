"""The kernel behind `nearest_triton.py`, compiled by Triton for the GPU at hand."""

import triton
import triton.language as tl


@triton.jit
def find_nearest(points, places, found, n, m, PLACES: tl.constexpr, POINTS: tl.constexpr):
    """Indices [b, m] of points [b, n, 2] for places [m, 2]; grid (blocks of places, b). Of equals, the first."""
    batch = tl.program_id(1).to(tl.int64)
    place = tl.program_id(0) * PLACES + tl.arange(0, PLACES)
    asked = place < m
    x = tl.load(places + place * 2, mask=asked, other=0.0)[:, None]
    y = tl.load(places + place * 2 + 1, mask=asked, other=0.0)[:, None]
    points += batch * n * 2
    least = tl.full((PLACES, POINTS), float("inf"), tl.float32)
    which = tl.zeros((PLACES, POINTS), tl.int32)
    for begin in range(0, n, POINTS):
        point = begin + tl.arange(0, POINTS)
        right = tl.load(points + point * 2, mask=point < n, other=float("inf"))[None, :] - x
        down = tl.load(points + point * 2 + 1, mask=point < n, other=float("inf"))[None, :] - y
        distance = right * right + down * down
        which = tl.where(distance < least, point[None, :], which)
        least = tl.minimum(distance, least)
    nearest = tl.min(least, 1)
    first = tl.min(tl.where(least == nearest[:, None], which, n), 1)
    tl.store(found + batch * m + place, first.to(tl.int64), mask=asked)
