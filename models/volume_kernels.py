"""The fused renderer's kernels, compiled by Triton for the GPU at hand. `volume_triton.py` launches them.

Written for Hopper, run on any GPU that Triton knows; sums are kept in float32. A program takes a small rectangle of
pixels and goes along their rays together: neighbours read neighbouring texels, so that most are found in the
multiprocessor's cache. A texel's features lie side by side, so that four threads read them in one piece each.
"""

import triton
import triton.language as tl


@triton.jit
def to_texels(
    one, other, texels,
    one_batch, one_plane, one_channel, one_row, one_column,
    other_batch, other_plane, other_channel, other_row, other_column,
    PLANES: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr, CHANNELS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Adds two sets of planes [b, p, c, h, w] of any layout into texels [b, p, h + 2, w + 2, c]: a border of zeros.

    Grid (blocks of a row, rows with the border, b * p).
    """
    batch, plane = (tl.program_id(2) // PLANES).to(tl.int64), tl.program_id(2) % PLANES
    channel = tl.arange(0, CHANNELS)[:, None]
    column = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)[None, :] - 1
    row = tl.zeros_like(column) + tl.program_id(1) - 1
    inside = (column >= 0) & (column < WIDTH) & (row >= 0) & (row < HEIGHT)
    one += batch * one_batch + plane * one_plane + channel * one_channel + row * one_row + column * one_column
    other += batch * other_batch + plane * other_plane + channel * other_channel
    other += row * other_row + column * other_column
    a = tl.load(one, mask=inside, other=0.0).to(tl.float32)
    b = tl.load(other, mask=inside, other=0.0).to(tl.float32)
    texels += (batch * PLANES + plane) * ((HEIGHT + 2) * (WIDTH + 2) * CHANNELS)
    place = ((row + 1) * (WIDTH + 2) + column + 1) * CHANNELS + channel
    tl.store(texels + tl.trans(place), tl.trans(a + b), mask=tl.trans(column <= WIDTH))


@triton.jit
def look_at_coarse(
    texels, origins, directions, near, far, hidden_weight, hidden_bias, density_weight, density_bias, density,
    side, coarse, scale,
    AXES: tl.constexpr, PLANES: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr, CHANNELS: tl.constexpr,
    HIDDEN: tl.constexpr, PRECISION: tl.constexpr, ACROSS: tl.constexpr, DOWN: tl.constexpr, STEPS: tl.constexpr,
):  # fmt: skip
    """Densities [b, coarse, rays] at evenly spread samples; grid (rectangles, groups of STEPS samples, b)."""
    ray, seen = _rays(side, ACROSS, DOWN)
    batch = tl.program_id(2).to(tl.int64)
    rays = side * side
    start = tl.load(near + batch * rays + ray, mask=seen, other=0.0)
    way = tl.load(far + batch * rays + ray, mask=seen, other=0.0) - start
    origin, direction = _line(origins + batch * 3, directions + batch * rays * 3, ray, seen, scale)
    texels += batch * (PLANES * (HEIGHT + 2) * (WIDTH + 2) * CHANNELS)
    unit = tl.arange(0, HIDDEN)
    first = tl.load(hidden_weight + tl.arange(0, CHANNELS)[:, None] * HIDDEN + unit[None, :])
    first_bias, second = tl.load(hidden_bias + unit), tl.load(density_weight + unit)
    bias = tl.load(density_bias)
    begin = tl.program_id(1) * STEPS
    for sample in range(begin, tl.minimum(begin + STEPS, coarse)):
        depth = start + way * (sample / (coarse - 1.0))
        features = _features(texels, origin, direction, depth, AXES, PLANES, HEIGHT, WIDTH, CHANNELS, ACROSS * DOWN)
        hidden = _softplus_2(tl.dot(features.to(first.dtype), first, input_precision=PRECISION) + first_bias[None, :])
        seen_density = tl.sum(hidden * second[None, :], 1) + bias
        tl.store(density + (batch * coarse + sample) * rays + ray, seen_density, mask=seen)


@triton.jit
def choose_depths(density, near, far, draws, depths, rays, coarse, fine, BLOCK: tl.constexpr):
    """Depths [b, fine, rays] as `volume.fine_depths` draws them; grid (blocks of rays, b). One thread, one ray.

    The densities are overwritten by what the draws are compared with, the sums of the chances so far.
    """
    batch = tl.program_id(1).to(tl.int64)
    ray = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    known = ray < rays
    start = tl.load(near + batch * rays + ray, mask=known, other=0.0)
    step = (tl.load(far + batch * rays + ray, mask=known, other=0.0) - start) / (coarse - 1.0)

    density += batch * coarse * rays + ray
    last_density = tl.load(density, mask=known, other=0.0)
    passed = tl.full((BLOCK,), 1.0, tl.float32)
    last, last_greater, total = tl.zeros_like(start), tl.zeros_like(start), tl.zeros_like(start)
    for sample in range(coarse - 1):
        following = tl.load(density + (sample + 1) * rays, mask=known, other=0.0)
        alpha = 1 - tl.exp(-_softplus((last_density + following) * 0.5 - 1) * step)
        weight = alpha * passed
        passed *= 1 - alpha + 1e-10
        greater = tl.maximum(last, weight)
        total += tl.where(sample >= 2, (last_greater + greater) * 0.5 + (0.01 + 1e-5), 0.0)
        tl.store(density + sample * rays, total, mask=known)
        last_density, last, last_greater = following, weight, greater
    tl.debug_barrier()

    # total of sample k: those of intervals 0 to k - 2; the last is that of all
    intervals = coarse - 3
    depths += batch * fine * rays + ray
    number, interval = tl.zeros_like(ray), tl.zeros_like(ray)
    low, high = tl.zeros_like(start), tl.load(density + 2 * rays, mask=known, other=0.0) / total
    for _ in range(fine + intervals):
        draw = tl.load(draws + tl.minimum(number, fine - 1))
        is_beyond = (interval < intervals) & ((high <= draw) | (number == fine))
        width = high - low
        part = tl.where(interval == intervals, 0.0, (draw - low) / tl.where(width < 1e-5, 1.0, width))
        drawn = known & (is_beyond == 0) & (number < fine)
        tl.store(depths + number * rays, start + step * (interval + 0.5 + part), mask=drawn)
        interval += is_beyond.to(tl.int32)
        number += 1 - is_beyond.to(tl.int32)
        low = tl.where(is_beyond, high, low)
        high = tl.load(density + tl.minimum(interval + 2, coarse - 2) * rays, mask=known, other=0.0) / total


@triton.jit
def march(
    texels, origins, directions, near, far, depths, farthest,
    hidden_weight, hidden_bias, density_weight, density_bias, colour_weight, colour_bias,
    features_out, opacity_out, depth_out, side, coarse, fine, scale,
    AXES: tl.constexpr, PLANES: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr, CHANNELS: tl.constexpr,
    HIDDEN: tl.constexpr, COLOURS: tl.constexpr, PRECISION: tl.constexpr, ACROSS: tl.constexpr, DOWN: tl.constexpr,
):  # fmt: skip
    """What the rays see, front to back: features [b, c, rays], opacity and depth [b, rays]; grid (rectangles, b).

    The even samples and the drawn ones, both nearest first, are merged on the way.
    """
    ray, seen = _rays(side, ACROSS, DOWN)
    batch = tl.program_id(1).to(tl.int64)
    rays = side * side
    origin, direction = _line(origins + batch * 3, directions + batch * rays * 3, ray, seen, scale)
    texels += batch * (PLANES * (HEIGHT + 2) * (WIDTH + 2) * CHANNELS)
    unit, channel = tl.arange(0, HIDDEN), tl.arange(0, COLOURS)
    first = tl.load(hidden_weight + tl.arange(0, CHANNELS)[:, None] * HIDDEN + unit[None, :])
    first_bias, second = tl.load(hidden_bias + unit), tl.load(density_weight + unit)
    bias = tl.load(density_bias)
    paint = tl.load(colour_weight + unit[:, None] * COLOURS + channel[None, :])
    paint_bias = tl.load(colour_bias + channel)

    start = tl.load(near + batch * rays + ray, mask=seen, other=0.0)
    way = tl.load(far + batch * rays + ray, mask=seen, other=0.0) - start
    depths += batch * fine * rays + ray
    drawn = tl.load(depths, mask=seen, other=0.0)
    evens, draws = tl.zeros_like(ray), tl.zeros_like(ray)
    last_depth, last_density = start, tl.zeros_like(start)
    last_colour = tl.zeros((ACROSS * DOWN, COLOURS), tl.float32)
    total, total_depth, opacity = tl.zeros_like(last_colour), tl.zeros_like(start), tl.zeros_like(start)
    passed = tl.full((ACROSS * DOWN,), 1.0, tl.float32)
    for _ in range(coarse + fine):
        even = start + way * (evens / (coarse - 1.0))
        is_even = (evens < coarse) & ((draws == fine) | (even <= drawn))
        depth = tl.where(is_even, even, drawn)
        evens += is_even.to(tl.int32)
        draws += 1 - is_even.to(tl.int32)
        drawn = tl.load(depths + tl.minimum(draws, fine - 1) * rays, mask=seen, other=0.0)
        features = _features(texels, origin, direction, depth, AXES, PLANES, HEIGHT, WIDTH, CHANNELS, ACROSS * DOWN)
        hidden = _softplus_2(tl.dot(features.to(first.dtype), first, input_precision=PRECISION) + first_bias[None, :])
        density = tl.sum(hidden * second[None, :], 1) + bias
        colour = tl.dot(hidden.to(paint.dtype), paint, input_precision=PRECISION) + paint_bias[None, :]
        colour = 1.002 / (1 + tl.exp2(-colour)) - 0.001

        alpha = 1 - tl.exp(-_softplus((density + last_density) * 0.5 - 1) * (depth - last_depth))
        weight = alpha * passed
        passed *= 1 - alpha + 1e-10
        opacity += weight
        total += (0.5 * weight)[:, None] * (colour + last_colour)
        total_depth += 0.5 * weight * (depth + last_depth)
        last_depth, last_density, last_colour = depth, density, colour

    maps = features_out + batch * COLOURS * rays + channel[None, :] * rays + ray[:, None]
    tl.store(maps, 2 * total - 1, mask=seen[:, None])
    tl.store(opacity_out + batch * rays + ray, opacity, mask=seen)
    mean = tl.where(opacity > 0, total_depth / opacity, tl.load(farthest + batch))
    tl.store(depth_out + batch * rays + ray, mean, mask=seen)


@triton.jit
def _rays(side, ACROSS: tl.constexpr, DOWN: tl.constexpr):
    """Numbers of the rays of this program's rectangle, and which of them are in the picture."""
    number = tl.arange(0, ACROSS * DOWN)
    across = tl.cdiv(side, ACROSS)
    column = tl.program_id(0) % across * ACROSS + number % ACROSS
    row = tl.program_id(0) // across * DOWN + number // ACROSS
    return row * side + column, (row < side) & (column < side)


@triton.jit
def _line(origins, directions, ray, seen, scale):
    """Origin and direction of rays, in units in which the cube reaches from -1 to 1."""
    origin = (tl.load(origins) * scale, tl.load(origins + 1) * scale, tl.load(origins + 2) * scale)
    x = tl.load(directions + ray * 3, mask=seen, other=0.0) * scale
    y = tl.load(directions + ray * 3 + 1, mask=seen, other=0.0) * scale
    z = tl.load(directions + ray * 3 + 2, mask=seen, other=0.0) * scale
    return origin, (x, y, z)


@triton.jit
def _features(
    texels, origin, direction, depth, AXES: tl.constexpr, PLANES: tl.constexpr, HEIGHT: tl.constexpr,
    WIDTH: tl.constexpr, CHANNELS: tl.constexpr, RAYS: tl.constexpr,
):  # fmt: skip
    """Sum over the planes of what they hold where the rays are at these depths, as `triplane.look_up` gives it."""
    total = tl.zeros((RAYS, CHANNELS), tl.float32)
    channel = tl.arange(0, CHANNELS)[None, :]
    for plane in tl.static_range(PLANES):
        column, right = _place(origin[AXES[plane][0]], direction[AXES[plane][0]], depth, WIDTH)
        row, lower = _place(origin[AXES[plane][1]], direction[AXES[plane][1]], depth, HEIGHT)
        first = ((plane * (HEIGHT + 2) + row) * (WIDTH + 2) + column) * CHANNELS
        texel = texels + first[:, None] + channel
        below = texel + (WIDTH + 2) * CHANNELS
        upper = 1 - lower
        total += tl.load(texel).to(tl.float32) * (upper - upper * right)[:, None]
        total += tl.load(texel + CHANNELS).to(tl.float32) * (upper * right)[:, None]
        total += tl.load(below).to(tl.float32) * (lower - lower * right)[:, None]
        total += tl.load(below + CHANNELS).to(tl.float32) * (lower * right)[:, None]
    return total


@triton.jit
def _place(origin, direction, depth, SIZE: tl.constexpr):
    """Along one side of a plane: the texel before a point, the border being 0, and how far the point is from it."""
    place = (origin + direction * depth + 1) * (SIZE * 0.5) + 0.5
    place = tl.minimum(tl.maximum(place, 0.0), SIZE + 1.0)
    texel = tl.minimum(tl.floor(place), SIZE)
    return texel.to(tl.int32), place - texel


@triton.jit
def _softplus(x):
    return tl.maximum(x, 0.0) + tl.log(1 + tl.exp(-tl.abs(x)))


@triton.jit
def _softplus_2(x):
    """The softplus in powers of two, log2(1 + 2^x), which is what the hardware computes."""
    return tl.maximum(x, 0.0) + tl.log2(1 + tl.exp2(-tl.abs(x)))
