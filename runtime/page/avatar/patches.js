// The mesh in parts that need different work for a pixel: drawn by a CPU, every texture that is looked at counts.

import { SURFACE } from "./package.js";

const PARTS = ["solid", "lit", "edged"];
const REACH_PX = 2;  // of what a bilinear look takes in, and of rounding

/**
 * The triangles in another order: {triangles, parts: {name: {first, count}}}, of indices. "solid" ones show the person
 * alone and take no light, "lit" ones take it; through "edged" ones something behind may be seen. `uv`: of every vertex,
 * pixels of the sheet; `relief` is where the light's folds are.
 */
export function patches({ triangles, sheet, margin }, uv, relief) {
  const sorted = { solid: [], lit: [], edged: [] };
  const right = relief.left + relief.step * (relief.width - 1), bottom = relief.top + relief.step * (relief.height - 1);
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = triangles.subarray(t, t + 3), side = axis => [...corners].map(i => uv[2 * i + axis]);
    const xs = side(0), ys = side(1), box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const apart = box[0] > right + margin + REACH_PX || box[2] < relief.left + margin - REACH_PX
      || box[1] > bottom + margin + REACH_PX || box[3] < relief.top + margin - REACH_PX;
    const part = !isSolid(sheet, box) ? "edged" : apart && corners.every(i => i >= SURFACE) ? "solid" : "lit";
    sorted[part].push(...corners);
  }
  const parts = {};
  let first = 0;
  for (const name of PARTS) {
    parts[name] = { first, count: sorted[name].length };
    first += sorted[name].length;
  }
  return { triangles: Uint16Array.from(PARTS.flatMap(name => sorted[name])), parts };
}

/** Whether nothing shines through a box of the sheet. */
function isSolid({ width, height, data }, [left, top, right, bottom]) {
  const bytes = new Uint8Array(data.buffer);
  const last = Math.min(width - 1, Math.ceil(right) + REACH_PX), end = Math.min(height - 1, Math.ceil(bottom) + REACH_PX);
  for (let y = Math.max(0, Math.floor(top) - REACH_PX); y <= end; y++)
    for (let x = Math.max(0, Math.floor(left) - REACH_PX); x <= last; x++)
      if (bytes[4 * (y * width + x) + 3] < 255) return false;
  return true;
}
