// Light that slopes take and folds that expressions make: models/builtin/relief.py in the browser.

import { clip, distance, smoothstep } from "./numbers.js";
import { SURFACE } from "./package.js";

export class Relief {
  constructor(avatar, puppet) {
    this.avatar = avatar;
    this.normals = new Float64Array(3 * SURFACE);
    this.light = new Float32Array(puppet.count).fill(1);  // factor at each vertex
    const [width, height] = avatar.foldsSize;
    this.width = width;
    this.height = height;
    this.folds = new Float32Array(width * height);  // to be added to the factors, over the face's extent
    const { restVertices } = puppet;
    let right = -Infinity;
    this.left = this.top = Infinity;  // pixels of the picture
    for (let i = 0; i < 3 * SURFACE; i += 3) {
      this.left = Math.min(this.left, restVertices[i]);
      right = Math.max(right, restVertices[i]);
      this.top = Math.min(this.top, restVertices[i + 1]);
    }
    this.step = (right - this.left) / (width - 1);  // pixels of the picture in one of `folds`
    this.towards = 1;
    this.findNormals(puppet.rest);
    let depth = 0;
    for (let i = 2; i < 3 * SURFACE; i += 3) depth += this.normals[i];
    this.towards = depth < 0 ? 1 : -1;
    this.restLight = Float64Array.from({ length: SURFACE }, (_, i) => this.lightAt(i));
    this.restSpans = avatar.folds.map(fold => span(puppet.rest, fold));
    this.folded = false;
  }

  /** For a face: `light` and `folds` are set. Returns whether there is anything to see. */
  update(canonical) {
    const { constants: { relief } } = this.avatar;
    let most = this.fold(canonical);
    this.findNormals(canonical);
    for (let i = 0; i < SURFACE; i++) {
      this.light[i] = clip(this.lightAt(i) / this.restLight[i], ...relief.slope_range);
      most = Math.max(most, Math.abs(this.light[i] - 1));
    }
    return most > relief.unseen;
  }

  /** Draws the folds; returns the greatest change. */
  fold(canonical) {
    const { folds, avatar, width } = this;
    const weights = avatar.folds.map((fold, n) =>
      smoothstep(fold.onset, 1 - span(canonical, fold) / this.restSpans[n]));
    this.changed = this.folded || weights.some(weight => weight > 0);
    this.folded = weights.some(weight => weight > 0);
    if (!this.changed) return 0;
    folds.fill(0);
    let most = 0;
    avatar.folds.forEach(({ top, left, rows, columns, values }, n) => {
      if (weights[n] === 0) return;
      for (let row = 0, from = 0; row < rows; row++)
        for (let i = (top + row) * width + left, end = i + columns; i < end; i++, from++) {
          folds[i] += weights[n] * values[from];
          most = Math.max(most, Math.abs(folds[i]));
        }
    });
    return most;
  }

  findNormals(points) {
    const { triangles, skin } = this.avatar, { normals } = this;
    normals.fill(0);
    for (let t = 0; t < 3 * skin; t += 3) {
      const a = 3 * triangles[t], b = 3 * triangles[t + 1], c = 3 * triangles[t + 2];
      const ux = points[b] - points[a], uy = points[b + 1] - points[a + 1], uz = points[b + 2] - points[a + 2];
      const vx = points[c] - points[a], vy = points[c + 1] - points[a + 1], vz = points[c + 2] - points[a + 2];
      const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
      for (let corner = 0; corner < 3; corner++) {
        const i = 3 * triangles[t + corner];
        normals[i] += x;
        normals[i + 1] += y;
        normals[i + 2] += z;
      }
    }
  }

  /** How light a point of the face is whose normals were found last. */
  lightAt(i) {
    const { constants: { relief: { light, ambient } } } = this.avatar, { normals, towards } = this;
    const x = normals[3 * i], y = normals[3 * i + 1], z = normals[3 * i + 2];
    const towardsLight = towards * (x * light[0] + y * light[1] + z * light[2]) / Math.max(Math.hypot(x, y, z), 1e-9);
    return ambient + Math.max(towardsLight, 0);
  }
}

/** Mean distance of the points across a fold. */
function span(points, { across }) {
  return across.reduce((sum, [i, j]) => sum + distance(points, i, j), 0) / across.length;
}
