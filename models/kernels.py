"""The z-buffer's loop over pixels, compiled by numba and cached on disk. One thread, no GIL."""

import numpy as np
from numba import njit

STEPS = 256
"""Vertices are rounded to this fraction of a pixel, so that edges are tested in whole numbers: exactly."""
FARTHEST = 2.0**20
"""Triangles with a vertex farther off than this many pixels are left out: whole numbers would overflow."""


@njit(cache=True, nogil=True)
def draw(vertices, triangles, colours, image, depth):
    """Draws triangles, the nearest in front; of equally near ones the first.

    A pixel belongs to a triangle when its centre is inside or on an edge. Triangles of either winding are drawn; those
    without area, and those with a vertex that is not finite or too far off, are not.

    Args:
        vertices: float32 [n, 3], x and y in pixels, the centre of the first pixel at (0, 0), and depth; smaller is
            nearer.
        triangles: int32 [t, 3], vertex numbers; not checked.
        colours: float32 [n, c].
        image: float32 [h, w, c], written.
        depth: float32 [h, w], written where nearer than what it holds.
    """
    h, w = depth.shape
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        usable = True
        for i in (a, b, c):
            usable &= (
                abs(vertices[i, 0]) <= FARTHEST and abs(vertices[i, 1]) <= FARTHEST and np.isfinite(vertices[i, 2])
            )
        if not usable:
            continue
        ax, ay = _fixed(vertices[a, 0]), _fixed(vertices[a, 1])
        bx, by = _fixed(vertices[b, 0]), _fixed(vertices[b, 1])
        cx, cy = _fixed(vertices[c, 0]), _fixed(vertices[c, 1])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area < 0:
            b, c, bx, by, cx, cy, area = c, b, cx, cy, bx, by, -area
        if area == 0:
            continue
        left, right = max(0, -(-min(ax, bx, cx) // STEPS)), min(w - 1, max(ax, bx, cx) // STEPS)
        top, bottom = max(0, -(-min(ay, by, cy) // STEPS)), min(h - 1, max(ay, by, cy) // STEPS)
        x, y = left * STEPS, top * STEPS
        to_a = (cx - bx) * (y - by) - (cy - by) * (x - bx)  # twice the area of b, c and the pixel, and so on
        to_b = (ax - cx) * (y - cy) - (ay - cy) * (x - cx)
        to_c = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        a_dx, b_dx, c_dx = (by - cy) * STEPS, (cy - ay) * STEPS, (ay - by) * STEPS
        a_dy, b_dy, c_dy = (cx - bx) * STEPS, (ax - cx) * STEPS, (bx - ax) * STEPS
        share = 1.0 / area
        az, bz, cz = vertices[a, 2], vertices[b, 2], vertices[c, 2]
        for row in range(top, bottom + 1):
            in_a, in_b, in_c = to_a, to_b, to_c
            for column in range(left, right + 1):
                if (in_a | in_b | in_c) >= 0:
                    of_a, of_b, of_c = in_a * share, in_b * share, in_c * share
                    near = np.float32(of_a * az + of_b * bz + of_c * cz)
                    if near < depth[row, column]:
                        depth[row, column] = near
                        for j in range(colours.shape[1]):
                            image[row, column, j] = of_a * colours[a, j] + of_b * colours[b, j] + of_c * colours[c, j]
                in_a += a_dx
                in_b += b_dx
                in_c += c_dx
            to_a += a_dy
            to_b += b_dy
            to_c += c_dy


@njit(cache=True, nogil=True)
def _fixed(pixels):
    return np.int64(np.floor(pixels * STEPS + 0.5))
