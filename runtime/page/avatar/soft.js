// Draws an avatar without WebGL: every pixel by JavaScript, on one thread.

import { Frames } from "./frame.js";
import { OVERLAYS } from "./soft_overlays.js";

const PARTS = 256;  // of a pixel of the sheet
const EMPTY = -1;
const EDGE = 1e-3;  // pixels; triangles that share an edge leave no gap

export class SoftRenderer {
  constructor(canvas, avatar) {
    const { width, height, backdrop, sheet } = avatar;
    this.avatar = avatar;
    this.frames = new Frames(avatar);
    canvas.width = width;
    canvas.height = height;
    this.context = canvas.getContext("2d", { alpha: false });
    this.picture = new ImageData(width, height);
    this.pixels = new Uint32Array(this.picture.data.buffer);  // of bytes R, G, B, A
    this.texels = new Uint32Array(sheet.data.buffer);
    this.depth = new Float32Array(width * height);
    this.u = new Int32Array(width * height);  // texel, in 1 / PARTS
    this.v = new Int32Array(width * height);
    this.light = new Float32Array(width * height);
    this.behind = new Backdrop(backdrop, avatar.gone);
  }

  /** Draws {expression, rotation, translation, torso}. */
  draw(motion) {
    const { frames, pixels, picture } = this, frame = frames.at(motion);
    this.rasterise(frame.vertices, frame.shaded);
    pixels.set(this.behind.pixels(frame.behind));
    this.sample(frame.shaded);
    for (const overlay of frame.overlays) OVERLAYS[overlay.kind](picture, this.avatar.atlas, overlay);
    this.context.putImageData(picture, 0, 0);
  }

  close() {}

  /** Fills `u`, `v` and `light`: what of the sheet each pixel shows; the nearest surface wins, of equals the first. */
  rasterise(vertices, shaded) {
    const { avatar: { triangles } } = this;
    this.depth.fill(Infinity);
    this.u.fill(EMPTY);
    for (let t = 0; t < triangles.length; t += 3) this.triangle(vertices, triangles, t, shaded);
  }

  triangle(xyz, triangles, t, shaded) {
    const { avatar: { width, height, sheet }, frames: { uv, relief: { light } }, depth, u, v } = this;
    const i = triangles[t], j = triangles[t + 1], k = triangles[t + 2];
    const ax = xyz[3 * i], ay = xyz[3 * i + 1], bx = xyz[3 * j], by = xyz[3 * j + 1];
    const cx = xyz[3 * k], cy = xyz[3 * k + 1];
    const first = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
    const last = Math.min(height - 1, Math.floor(Math.max(ay, by, cy)));
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
    if (!(first <= last && Math.abs(area) > 1e-6)) return;
    if (Math.max(ax, bx, cx) < 0 || Math.min(ax, bx, cx) > width - 1) return;
    const bdx = (cy - ay) / area, bdy = (ax - cx) / area, cdx = (ay - by) / area, cdy = (bx - ax) / area;
    const gradient = (a, b, c) => [(b - a) * bdx + (c - a) * cdx, (b - a) * bdy + (c - a) * cdy];
    const [udx, udy] = gradient(uv[2 * i], uv[2 * j], uv[2 * k]);
    const [vdx, vdy] = gradient(uv[2 * i + 1], uv[2 * j + 1], uv[2 * k + 1]);
    const [zdx, zdy] = gradient(xyz[3 * i + 2], xyz[3 * j + 2], xyz[3 * k + 2]);
    const [ldx, ldy] = shaded ? gradient(light[i], light[j], light[k]) : [0, 0];
    const uMost = (sheet.width - 1.05) * PARTS, vMost = (sheet.height - 1.05) * PARTS;
    for (let y = first; y <= last; y++) {
      let left = Infinity, right = -Infinity;
      for (let e = 0; e < 3; e++) {
        const px = e === 0 ? ax : e === 1 ? bx : cx, py = e === 0 ? ay : e === 1 ? by : cy;
        const qx = e === 0 ? bx : e === 1 ? cx : ax, qy = e === 0 ? by : e === 1 ? cy : ay;
        if (!(py <= y && qy >= y || qy <= y && py >= y)) continue;
        if (py === qy) {
          left = Math.min(left, px, qx);
          right = Math.max(right, px, qx);
        } else {
          const x = px + (y - py) * (qx - px) / (qy - py);
          if (x < left) left = x;
          if (x > right) right = x;
        }
      }
      const end = Math.min(width - 1, Math.floor(right + EDGE));
      for (let x = Math.max(0, Math.ceil(left - EDGE)); x <= end; x++) {
        const dx = x - ax, dy = y - ay, z = xyz[3 * i + 2] + zdx * dx + zdy * dy, at = y * width + x;
        if (z >= depth[at]) continue;
        depth[at] = z;
        u[at] = Math.min(Math.max((uv[2 * i] + udx * dx + udy * dy) * PARTS, 0), uMost);
        v[at] = Math.min(Math.max((uv[2 * i + 1] + vdx * dx + vdy * dy) * PARTS, 0), vMost);
        if (shaded) this.light[at] = light[i] + ldx * dx + ldy * dy;
      }
    }
  }

  /** Lays the person over what stands behind. Two channels at a time: a texel's bytes lie 16 bits apart. */
  sample(shaded) {
    const { pixels, texels, u, v, frames: { relief }, avatar: { sheet: { width: stride } } } = this;
    for (let at = 0; at < pixels.length; at++) {
      if (u[at] === EMPTY) continue;
      const x = u[at], y = v[at], fx = x & PARTS - 1, fy = y & PARTS - 1, from = (y >> 8) * stride + (x >> 8);
      const br = fx * fy >> 8, tr = fx - br, bl = fy - br, tl = PARTS - fx - fy + br;
      const p = texels[from], q = texels[from + 1], r = texels[from + stride], s = texels[from + stride + 1];
      const odd = Math.imul(p & 0xff00ff, tl) + Math.imul(q & 0xff00ff, tr) + Math.imul(r & 0xff00ff, bl)
        + Math.imul(s & 0xff00ff, br) + 0x800080;
      const even = Math.imul(p >>> 8 & 0xff00ff, tl) + Math.imul(q >>> 8 & 0xff00ff, tr)
        + Math.imul(r >>> 8 & 0xff00ff, bl) + Math.imul(s >>> 8 & 0xff00ff, br) + 0x800080;
      let seen = (odd >>> 8 & 0xff00ff | even & 0xff00ff00) >>> 0;
      if (shaded) seen = this.shade(seen, at, relief);
      const alpha = seen >>> 24;
      pixels[at] = alpha === 255 ? seen : over(seen, pixels[at], 255 - alpha);
    }
  }

  shade(seen, at, relief) {
    let factor = this.light[at];
    if (relief.folded) {
      const { margin } = this.avatar;
      factor += foldAt(relief, this.u[at] / PARTS - margin, this.v[at] / PARTS - margin);
    }
    if (factor === 1) return seen;
    const alpha = seen >>> 24;
    const red = Math.min((seen & 255) * factor + 0.5, alpha);
    const green = Math.min((seen >>> 8 & 255) * factor + 0.5, alpha);
    const blue = Math.min((seen >>> 16 & 255) * factor + 0.5, alpha);
    return (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
  }
}

/** Of a relief, bilinear, at a pixel of the portrait. */
function foldAt({ left, top, step, width, height, folds }, px, py) {
  const x = (px - left) / step, y = (py - top) / step, i = Math.floor(y), j = Math.floor(x);
  if (i < 0 || j < 0 || i >= height - 1 || j >= width - 1) return 0;
  const b = x - j, a = y - i, at = i * width + j;
  const above = folds[at] * (1 - b) + folds[at + 1] * b, below = folds[at + width] * (1 - b) + folds[at + width + 1] * b;
  return above * (1 - a) + below * a;
}

/** Premultiplied `layer` over an opaque pixel of which `rest` / 255 is seen. */
function over(layer, pixel, rest) {
  const red = (layer & 255) + (pixel & 255) * rest / 255 + 0.5;
  const green = (layer >>> 8 & 255) + (pixel >>> 8 & 255) * rest / 255 + 0.5;
  const blue = (layer >>> 16 & 255) + (pixel >>> 16 & 255) * rest / 255 + 0.5;
  return (0xff000000 | Math.min(blue, 255) << 16 | Math.min(green, 255) << 8 | Math.min(red, 255)) >>> 0;
}

/** What stands behind the person: keeps what it showed last. */
class Backdrop {
  constructor({ width, height, data }, gone) {
    this.shown = new Uint8ClampedArray(data.length);
    this.words = new Uint32Array(this.shown.buffer);
    this.band = [];  // [byte of the picture, share of the head, what is seen when the person has gone, and at rest]
    for (let at = 0; at < data.length; at += 4) {
      this.shown.set([data[at], data[at + 1], data[at + 2], 255], at);
      if (data[at + 3] === 0) continue;
      const x = at / 4 % width, y = Math.floor(at / 4 / width);
      const far = goneAt(gone, (x + 0.5) * gone.width / width - 0.5, (y + 0.5) * gone.height / height - 0.5);
      this.band.push([at, (data[at + 3] - 1) / 254, far, data.slice(at, at + 3)]);
    }
    this.shares = [1, 1];
  }

  /** How far head and torso have the photo behind them -> pixels, valid until the next call. */
  pixels([head, torso]) {
    if (head !== this.shares[0] || torso !== this.shares[1]) {
      for (const [at, ofHead, far, rest] of this.band) {
        const share = torso + (head - torso) * ofHead;
        for (let c = 0; c < 3; c++) this.shown[at + c] = far[c] + share * (rest[c] - far[c]);
      }
      this.shares = [head, torso];
    }
    return this.words;
  }
}

function goneAt({ width, height, data }, x, y) {
  const column = Math.min(Math.max(x, 0), width - 1.001), row = Math.min(Math.max(y, 0), height - 1.001);
  const j = Math.floor(column), i = Math.floor(row), b = column - j, a = row - i;
  const at = 4 * (i * width + j), under = at + 4 * width;
  return [0, 1, 2].map(c => (data[at + c] * (1 - b) + data[at + 4 + c] * b) * (1 - a)
    + (data[under + c] * (1 - b) + data[under + 4 + c] * b) * a);
}
