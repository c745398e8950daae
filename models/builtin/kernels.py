"""The loops over pixels, compiled by numba and cached on disk. One thread, no GIL."""

import math

import numpy as np
from numba import njit

BITS = 5
"""The texture is sampled in 2**-BITS of its pixels."""

_PARTS, _MASK = np.float32(1 << BITS), (1 << BITS) - 1


@njit(cache=True, nogil=True, fastmath=True)
def backward_map(xy, z, uv, triangles, texture_width, texture_height, whole, parts, depth):
    """Rasterises triangles into a map from output pixels to texture pixels; the nearest surface wins.

    Args:
        xy: float32 [n, 2], vertices in output pixels.
        z: float32 [n], depth of vertices; smaller is nearer.
        uv: float32 [n, 2], texture pixels of vertices.
        triangles: int32 [t, 3].
        texture_width: pixels.
        texture_height: pixels.
        whole: int16 [h, w, 2], written: x and y in the texture, rounded down; -1 where nothing is drawn. Coordinates
            outside the texture are clamped to its edge.
        parts: uint16 [h, w], written where something is drawn: what is left of x and, BITS higher, of y, both in
            2**-BITS of a pixel, as `cv2.remap` takes them.
        depth: float32 [h, w], scratch.
    """
    h, w = depth.shape
    depth[:] = np.float32(1e9)
    whole[:] = np.int16(-1)
    u_max, v_max = (
        np.float32(texture_width - 1.05),
        np.float32(texture_height - 1.05),
    )  # bilinear sampling stays inside the texture
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay, bx, by, cx, cy = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
        y_low, y_high = min(ay, min(by, cy)), max(ay, max(by, cy))
        x_low, x_high = min(ax, min(bx, cx)), max(ax, max(bx, cx))
        if y_high < 0 or y_low > h - 1 or x_high < 0 or x_low > w - 1:
            continue
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-6:
            continue
        i = 1.0 / area
        bx_dx, bx_dy = (cy - ay) * i, -(cx - ax) * i  # gradient of b's barycentric weight
        cx_dx, cx_dy = -(by - ay) * i, (bx - ax) * i
        u_dx = (uv[b, 0] - uv[a, 0]) * bx_dx + (uv[c, 0] - uv[a, 0]) * cx_dx
        u_dy = (uv[b, 0] - uv[a, 0]) * bx_dy + (uv[c, 0] - uv[a, 0]) * cx_dy
        v_dx = (uv[b, 1] - uv[a, 1]) * bx_dx + (uv[c, 1] - uv[a, 1]) * cx_dx
        v_dy = (uv[b, 1] - uv[a, 1]) * bx_dy + (uv[c, 1] - uv[a, 1]) * cx_dy
        z_dx = (z[b] - z[a]) * bx_dx + (z[c] - z[a]) * cx_dx
        z_dy = (z[b] - z[a]) * bx_dy + (z[c] - z[a]) * cx_dy
        for y in range(max(0, math.ceil(y_low)), min(h - 1, math.floor(y_high)) + 1):
            left, right = 1e9, -1e9
            for e in range(3):
                if e == 0:
                    px, py, qx, qy = ax, ay, bx, by
                elif e == 1:
                    px, py, qx, qy = bx, by, cx, cy
                else:
                    px, py, qx, qy = cx, cy, ax, ay
                if (py <= y and qy >= y) or (qy <= y and py >= y):
                    if py == qy:
                        left, right = min(left, min(px, qx)), max(right, max(px, qx))
                    else:
                        x = px + (y - py) * (qx - px) / (qy - py)
                        left, right = min(left, x), max(right, x)
            x_begin, x_end = max(0, math.ceil(left - 1e-3)), min(w - 1, math.floor(right + 1e-3))
            if x_end < x_begin:
                continue
            u_row = uv[a, 0] + u_dy * (y - ay) - u_dx * ax
            v_row = uv[a, 1] + v_dy * (y - ay) - v_dx * ax
            z_row = z[a] + z_dy * (y - ay) - z_dx * ax
            for x in range(x_begin, x_end + 1):
                near = z_row + z_dx * x
                if near < depth[y, x]:
                    depth[y, x] = near
                    u = np.int32(min(max(u_row + u_dx * x, np.float32(0)), u_max) * _PARTS + np.float32(0.5))
                    v = np.int32(min(max(v_row + v_dx * x, np.float32(0)), v_max) * _PARTS + np.float32(0.5))
                    whole[y, x, 0], whole[y, x, 1] = u >> BITS, v >> BITS
                    parts[y, x] = (v & _MASK) << BITS | u & _MASK


@njit(cache=True, nogil=True, fastmath=True)
def soften_outlines(layer, depth, step):
    """Smooths pixels at which one surface ends before another, so that outlines do not look like stairs.

    Args:
        layer: uint8 [h, w, 4], premultiplied, changed in place.
        depth: float32 [h, w]; 1e9 where nothing is drawn.
        step: difference in depth between neighbouring pixels that makes an outline, pixels.
    """
    h, w = depth.shape
    count = 0
    found = np.empty((h * w // 16, 2), np.int32)
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            z, right, below = depth[y, x], depth[y, x + 1], depth[y + 1, x]
            if (
                z < 1e8
                and ((right < 1e8 and abs(z - right) > step) or (below < 1e8 and abs(z - below) > step))
                and count < len(found)
            ):
                found[count, 0], found[count, 1] = y, x
                count += 1
    smooth = np.empty((count, 4), np.uint8)
    for i in range(count):
        y, x = found[i, 0], found[i, 1]
        for c in range(4):
            around = (
                np.int32(layer[y - 1, x, c])
                + np.int32(layer[y + 1, x, c])
                + np.int32(layer[y, x - 1, c])
                + np.int32(layer[y, x + 1, c])
            )
            smooth[i, c] = (4 * np.int32(layer[y, x, c]) + around + 4) // 8
    for i in range(count):
        for c in range(4):
            layer[found[i, 0], found[i, 1], c] = smooth[i, c]


@njit(cache=True, nogil=True, fastmath=True)
def shade(layer, whole, parts, relief, left, top, per_pixel):
    """Makes the drawn skin lighter or darker by a relief that lies on the texture.

    Args:
        layer: uint8 [h, w, 4], premultiplied, changed in place.
        whole: int16 [h, w, 2], as `backward_map` writes it.
        parts: uint16 [h, w], the same.
        relief: float32 [rh, rw], factors.
        left: texture pixel at which the relief begins.
        top: the same.
        per_pixel: relief pixels in a texture pixel.
    """
    rh, rw = relief.shape
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            if whole[y, x, 0] < 0:
                continue
            u = (whole[y, x, 0] + np.float32(parts[y, x] & _MASK) / _PARTS - left) * per_pixel
            v = (whole[y, x, 1] + np.float32(parts[y, x] >> BITS) / _PARTS - top) * per_pixel
            i, j = math.floor(v), math.floor(u)
            if i < 0 or j < 0 or i >= rh - 1 or j >= rw - 1:
                continue
            a, b = np.float32(v - i), np.float32(u - j)
            above = relief[i, j] * (1 - b) + relief[i, j + 1] * b
            below = relief[i + 1, j] * (1 - b) + relief[i + 1, j + 1] * b
            factor = above * (1 - a) + below * a
            alpha = np.float32(layer[y, x, 3])
            for c in range(3):
                layer[y, x, c] = np.uint8(min(np.float32(layer[y, x, c]) * factor + np.float32(0.5), alpha))


@njit(cache=True, nogil=True, fastmath=True)
def over(layer, background, out):
    """Composites a premultiplied RGBA layer over a background.

    Args:
        layer: uint8 [h, w, 4], colour already multiplied by alpha.
        background: uint8 [h, w, 3].
        out: uint8 [h, w, 3], written.
    """
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            alpha = layer[y, x, 3]
            if alpha == 255:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = layer[y, x, 0], layer[y, x, 1], layer[y, x, 2]
            elif alpha == 0:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = (
                    background[y, x, 0],
                    background[y, x, 1],
                    background[y, x, 2],
                )
            else:
                rest = np.uint32(255) - np.uint32(alpha)
                for c in range(3):
                    behind = (np.uint32(background[y, x, c]) * rest + np.uint32(127)) // np.uint32(255)
                    out[y, x, c] = np.uint8(min(np.uint32(layer[y, x, c]) + behind, np.uint32(255)))


@njit(cache=True, nogil=True, fastmath=True)
def unpremultiply(layer, out):
    """Divides a premultiplied layer's colours by its alpha.

    Args:
        layer: uint8 [h, w, 4], colour already multiplied by alpha.
        out: uint8 [h, w, 4], written.
    """
    for y in range(layer.shape[0]):
        for x in range(layer.shape[1]):
            alpha = np.uint32(layer[y, x, 3])
            out[y, x, 3] = alpha
            for c in range(3):
                out[y, x, c] = (
                    min((np.uint32(layer[y, x, c]) * 255 + alpha // 2) // alpha, np.uint32(255)) if alpha > 0 else 0
                )
