// Eyes, lids and mouth without WebGL: shaders.js in JavaScript, where the formulas are explained.

const GROW = 0.65;  // pixels

const seen = [0, 0, 0, 0], front = [0, 0, 0, 0], apart = [0, 0];  // scratch

/** Kind -> painter(picture, atlas, overlay). */
export const OVERLAYS = {
  ball(picture, atlas, { layers, toWhite, toIris, polygon, upper, blur, weight, ...o }) {
    blend(picture, o.box, (x, y, out) => {
      chains(polygon, upper, x, y);
      const alpha = cover(blur) * weight;
      if (alpha === 0) return 0;
      layer(atlas, layers.white, toWhite, x, y, out);
      layer(atlas, layers.iris, toIris, x, y, front);
      mix(out, front, front[3] * within(layers.iris, toIris, x, y));
      chains(polygon, upper, x, y - o.shadeShift);
      scale(out, o.shade[0] + o.shade[1] * Math.min(o.shadeGain * cover(o.shadeBlur), 1));
      behindLens(atlas, o, x, y, out);
      return alpha;
    });
  },

  lid(picture, atlas, { layers, toSkin, polygon, upper, blur, strength, lash, ...o }) {
    const [ends, lashes] = o.lashes;
    blend(picture, o.box, (x, y, out) => {
      chains(polygon, upper, x, y);
      const alpha = cover(blur) * strength;
      const line = Math.max(stroke(ends, x, y), stroke(lashes, x, y)) * o.lashStrength;
      if (alpha === 0 && line < 0.002) return 0;
      layer(atlas, layers.skin, toSkin, x, y, out);
      const lit = o.light[0] + o.light[1] * Math.min(o.lightGain * stroke(o.middle, x, y), 1);
      for (let c = 0; c < 3; c++) out[c] *= lit ** o.shadow[c];
      behindLens(atlas, o, x, y, out);
      const ink = [...lash, 0], whole = 1 - (1 - alpha) * (1 - line);
      behindLens(atlas, o, x, y, ink);
      for (let c = 0; c < 3; c++) out[c] = (out[c] * alpha * (1 - line) + ink[c] * line) / whole;
      return whole;
    });
  },

  mouth(picture, atlas, { layers, toUpper, toLower, polygon, upper, blur, weight, ...o }) {
    blend(picture, o.box, (x, y, out) => {
      chains(polygon, upper, x, y);
      const alpha = cover(blur) * weight, lit = Math.min(Math.max(o.shade[0] + o.shade[1] * cover(o.shadeBlur), 0), 1);
      if (alpha === 0) return 0;
      layer(atlas, layers.upper, toUpper, x, y, out);
      layer(atlas, layers.lower, toLower, x, y, front);
      const covered = out[3] * within(layers.upper, toUpper, x, y);
      scale(front, o.lowerLight);
      mix(out, front, front[3] * within(layers.lower, toLower, x, y) * (1 - covered));
      for (let c = 0; c < 3; c++) out[c] *= 1 - (1 - lit) * o.bounced[c];
      return alpha;
    });
  },

  joint(picture, _, { line, dark, softness, shade, bounced, weight, box }) {
    const before = picture.data.slice();
    blend(picture, box, (x, y, out) => {
      const alpha = Math.min(2 * stroke(line, x, y), 1) * weight;
      if (alpha < 0.002) return 0;
      soft(before, picture.width, box, softness, x, y, out);
      const shadow = shade * stroke(dark, x, y);
      for (let c = 0; c < 3; c++) out[c] *= 1 - shadow * bounced[c];
      return alpha;
    });
  },
};

/** Paints what `colour(x, y, out)` sets, with the alpha that it returns. */
function blend({ data, width }, [left, top, right, bottom], colour) {
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const alpha = colour(x, y, seen);
      if (!(alpha > 0)) continue;
      const at = 4 * (y * width + x);
      for (let c = 0; c < 3; c++) data[at + c] += (seen[c] - data[at + c]) * alpha;
    }
}

function phi(x) {
  const t = Math.min(Math.max(x, -4), 4);
  return 1 / (1 + Math.exp(-t * (1.5976 + 0.070566 * t * t)));
}

function away(x, y, [ax, ay], [bx, by]) {
  const ex = bx - ax, ey = by - ay, wx = x - ax, wy = y - ay;
  const t = Math.min(Math.max((wx * ex + wy * ey) / Math.max(ex * ex + ey * ey, 1e-6), 0), 1);
  return Math.hypot(wx - ex * t, wy - ey * t);
}

/** Sets `apart`: distances from the two chains of a polygon, inside positive. */
function chains(polygon, upper, x, y) {
  let above = Infinity, below = Infinity, inside = false;
  for (let i = 0; i < polygon.length; i++) {
    const a = polygon[i], b = polygon[i + 1 === polygon.length ? 0 : i + 1], d = away(x, y, a, b);
    if (i < upper - 1) above = Math.min(above, d);
    else below = Math.min(below, d);
    if (a[1] > y !== b[1] > y && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]) inside = !inside;
  }
  if (!inside) {
    if (above < below) above = -above;
    else below = -below;
  }
  apart[0] = above + GROW;
  apart[1] = below + GROW;
}

/** Of the point that `chains` was last asked for. */
function cover(blur) {
  return Math.min(Math.max(phi(apart[0] / blur) + phi(apart[1] / blur) - 1, 0), 1);
}

function stroke({ line, half, blur }, x, y) {
  let d = Infinity;
  for (let i = 0; i + 1 < line.length; i++) d = Math.min(d, away(x, y, line[i], line[i + 1]));
  return phi((half - d) / blur) - phi((-half - d) / blur);
}

/** Sets `out` to what of the atlas lies there: R, G, B in 0..255, alpha in 0..1; beyond its edge the edge goes on. */
function layer({ data, width }, [left, top, w, h], m, x, y, out) {
  const column = Math.min(Math.max(m[0] * x + m[1] * y + m[2], 0), w - 1);
  const row = Math.min(Math.max(m[3] * x + m[4] * y + m[5], 0), h - 1);
  const j = Math.floor(column), i = Math.floor(row), b = column - j, a = row - i;
  const at = 4 * ((top + i) * width + left + j), under = at + 4 * width;
  for (let c = 0; c < 4; c++) {
    const above = data[at + c] * (1 - b) + data[at + 4 + c] * b;
    const below = data[under + c] * (1 - b) + data[under + 4 + c] * b;
    out[c] = above * (1 - a) + below * a;
  }
  out[3] /= 255;
}

/** 1 on a layer, 0 from a pixel beyond its edge. */
function within([, , w, h], m, x, y) {
  const column = m[0] * x + m[1] * y + m[2], row = m[3] * x + m[4] * y + m[5], ramp = v => Math.min(Math.max(v, 0), 1);
  return ramp(column + 1) * ramp(w - column) * ramp(row + 1) * ramp(h - row);
}

function behindLens(atlas, { lens, toLens }, x, y, colour) {
  if (!lens) return;
  layer(atlas, lens, toLens, x, y, front);
  const part = within(lens, toLens, x, y);
  for (let c = 0; c < 3; c++) colour[c] = colour[c] * (1 - front[3] * part) + front[c] * part;
}

/** The mean around a pixel, by a Gaussian, within a box. */
function soft(data, width, [left, top, right, bottom], softness, x, y, out) {
  let total = 0;
  out.fill(0);
  for (let dy = -3; dy <= 3; dy++)
    for (let dx = -3; dx <= 3; dx++) {
      const share = Math.exp(-0.5 * (dx * dx + dy * dy) / (softness * softness));
      const column = Math.min(Math.max(x + dx, left), right - 1), row = Math.min(Math.max(y + dy, top), bottom - 1);
      const at = 4 * (row * width + column);
      for (let c = 0; c < 3; c++) out[c] += share * data[at + c];
      total += share;
    }
  scale(out, 1 / total);
}

function mix(out, other, share) {
  for (let c = 0; c < 3; c++) out[c] += (other[c] - out[c]) * share;
}

function scale(out, factor) {
  for (let c = 0; c < 3; c++) out[c] *= factor;
}
