"""The fused renderer's kernels, compiled by Triton for the GPU at hand. `volume_triton.py` launches them.

Written for Hopper, run on any GPU that Triton knows; sums are kept in float32. A program takes a small rectangle of
pixels and goes along their rays together: neighbours read neighbouring texels, so that most are found in the
multiprocessor's cache. A texel's features lie side by side, so that four threads read them in one piece each.
"""

import triton
import triton.language as tl


@triton.jit
def to_texels(
    one, other, texels, pixels,
    one_batch, one_plane, one_channel, one_pixel,
    other_batch, other_plane, other_channel, other_pixel,
    PLANES: tl.constexpr, CHANNELS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Adds two sets of planes [b, p, c, hw] of any layout into texels [b, p, hw, c]; grid (pixel blocks, b * p)."""
    batch, plane = (tl.program_id(1) // PLANES).to(tl.int64), tl.program_id(1) % PLANES
    channel = tl.arange(0, CHANNELS)[:, None]
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)[None, :]
    one += batch * one_batch + plane * one_plane
    other += batch * other_batch + plane * other_plane
    inside = pixel < pixels
    a = tl.load(one + channel * one_channel + pixel * one_pixel, mask=inside, other=0.0).to(tl.float32)
    b = tl.load(other + channel * other_channel + pixel * other_pixel, mask=inside, other=0.0).to(tl.float32)
    texels += (batch * PLANES + plane) * pixels * CHANNELS
    tl.store(texels + tl.trans(pixel * CHANNELS + channel), tl.trans(a + b), mask=tl.trans(inside))


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
    texels += batch * (PLANES * HEIGHT * WIDTH * CHANNELS)
    unit = tl.arange(0, HIDDEN)
    first = tl.load(hidden_weight + tl.arange(0, CHANNELS)[:, None] * HIDDEN + unit[None, :])
    first_bias, second = tl.load(hidden_bias + unit), tl.load(density_weight + unit)
    bias = tl.load(density_bias)
    begin = tl.program_id(1) * STEPS
    for sample in range(begin, tl.minimum(begin + STEPS, coarse)):
        depth = start + way * (sample / (coarse - 1.0))
        features = _features(texels, origin, direction, depth, AXES, PLANES, HEIGHT, WIDTH, CHANNELS, ACROSS * DOWN)
        hidden = _softplus(tl.dot(features.to(first.dtype), first, input_precision=PRECISION) + first_bias[None, :])
        seen_density = tl.sum(hidden * second[None, :], 1) + bias
        tl.store(density + (batch * coarse + sample) * rays + ray, seen_density, mask=seen)


@triton.jit
def choose_depths(
    density, near, far, depths, rays, coarse, fine, COARSE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Depths [b, fine, rays] as `volume.fine_depths` draws them; grid (blocks of rays, b).

    COARSE: `coarse`, rounded up to a power of two. One thread holds all samples of a ray.
    """
    batch = tl.program_id(1).to(tl.int64)
    ray = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    known = ray < rays
    start = tl.load(near + batch * rays + ray, mask=known, other=0.0)
    step = (tl.load(far + batch * rays + ray, mask=known, other=0.0) - start) / (coarse - 1.0)

    sample = tl.arange(0, COARSE)[None, :]
    between = known[:, None] & (sample < coarse - 1)
    density += batch * coarse * rays + sample * rays + ray[:, None]
    mean = (tl.load(density, mask=between, other=0.0) + tl.load(density + rays, mask=between, other=0.0)) * 0.5
    alpha = tl.where(between, 1 - tl.exp(-_softplus(mean - 1) * step[:, None]), 0.0)
    left = 1 - alpha + 1e-10
    weight = alpha * (tl.cumprod(left, 1) / left)
    before = tl.gather(weight, tl.broadcast_to(tl.maximum(sample - 1, 0), weight.shape), 1)
    after = tl.gather(weight, tl.broadcast_to(tl.minimum(sample + 1, COARSE - 1), weight.shape), 1)
    smooth = (tl.maximum(before, weight) + tl.maximum(weight, after)) * 0.5 + (0.01 + 1e-5)
    bins = coarse - 2
    chance = tl.where((sample >= 1) & (sample < bins), smooth, 0.0)
    reached = tl.cumsum(chance, 1) / tl.sum(chance, 1)[:, None]
    reached = tl.where(sample < bins, reached, float("inf"))

    depths += batch * fine * rays + ray
    for number in range(fine):
        draw = number / tl.maximum(fine - 1.0, 1.0)
        passed = reached <= draw
        low = tl.sum(passed.to(tl.int32), 1) - 1
        at_low = tl.max(tl.where(passed, reached, 0.0), 1)
        width = tl.min(tl.where(passed, float("inf"), reached), 1) - at_low
        part = tl.where(low == bins - 1, 0.0, (draw - at_low) / tl.where(width < 1e-5, 1.0, width))
        tl.store(depths + number * rays, start + step * (low + 0.5 + part), mask=known)


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
    texels += batch * (PLANES * HEIGHT * WIDTH * CHANNELS)
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
        hidden = _softplus(tl.dot(features.to(first.dtype), first, input_precision=PRECISION) + first_bias[None, :])
        density = tl.sum(hidden * second[None, :], 1) + bias
        colour = tl.dot(hidden.to(paint.dtype), paint, input_precision=PRECISION) + paint_bias[None, :]
        colour = 1.002 / (1 + tl.exp(-colour)) - 0.001

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
    mean = tl.where(opacity > 0, total_depth / opacity, tl.load(farthest))
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
    for plane in tl.static_range(PLANES):
        x = _place(origin[AXES[plane][0]], direction[AXES[plane][0]], depth, WIDTH)
        y = _place(origin[AXES[plane][1]], direction[AXES[plane][1]], depth, HEIGHT)
        column, row = tl.floor(x), tl.floor(y)
        right, lower = x - column, y - row
        left, upper = 1 - right, 1 - lower
        column, row = column.to(tl.int32), row.to(tl.int32)
        image = texels + plane * HEIGHT * WIDTH * CHANNELS
        total += _texel(image, column, row, left * upper, HEIGHT, WIDTH, CHANNELS)
        total += _texel(image, column + 1, row, right * upper, HEIGHT, WIDTH, CHANNELS)
        total += _texel(image, column, row + 1, left * lower, HEIGHT, WIDTH, CHANNELS)
        total += _texel(image, column + 1, row + 1, right * lower, HEIGHT, WIDTH, CHANNELS)
    return total


@triton.jit
def _place(origin, direction, depth, SIZE: tl.constexpr):
    """Along one side of a plane, in texels, the centre of the first at 0; what is outside ends beside the plane."""
    return tl.minimum(tl.maximum((origin + direction * depth + 1) * (SIZE * 0.5) - 0.5, -1.0), SIZE)


@triton.jit
def _texel(image, column, row, share, HEIGHT: tl.constexpr, WIDTH: tl.constexpr, CHANNELS: tl.constexpr):
    """A share of the texels' features; 0 outside."""
    inside = (column >= 0) & (column < WIDTH) & (row >= 0) & (row < HEIGHT)
    first = (row * WIDTH + column) * CHANNELS
    seen = tl.load(image + first[:, None] + tl.arange(0, CHANNELS)[None, :], mask=inside[:, None], other=0.0)
    return seen.to(tl.float32) * share[:, None]


@triton.jit
def _softplus(x):
    return tl.maximum(x, 0.0) + tl.log(1 + tl.exp(-tl.abs(x)))
