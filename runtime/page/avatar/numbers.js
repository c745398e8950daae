// Small arithmetic that several modules share.

export const clip = (x, low, high) => Math.min(Math.max(x, low), high);

/** 0 below `low`, 1 above `high`, cubic between. */
export function smoothstep([low, high], x) {
  const t = clip((x - low) / (high - low), 0, 1);
  return t * t * (3 - 2 * t);
}

/** `v` unchanged up to length `knee`, then bent softly so that it stays under `limit`. */
export function bend(v, [knee, limit]) {
  const length = Math.hypot(...v);
  if (length <= knee) return v;
  const room = limit - knee, factor = (knee + room * Math.tanh((length - knee) / room)) / length;
  return v.map(x => x * factor);
}

/** 3 x 3 matrices, row by row. */
export function multiply(a, b) {
  const out = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
  return out;
}

export function apply(m, v) {
  return [0, 3, 6].map(row => m[row] * v[0] + m[row + 1] * v[1] + m[row + 2] * v[2]);
}

export function transpose(m) {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
}

/** The rotation by a rotation vector (Rodrigues). */
export function rotation(v) {
  const angle = Math.hypot(...v);
  if (angle < 1e-12) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const [x, y, z] = v.map(component => component / angle), c = Math.cos(angle), s = Math.sin(angle), d = 1 - c;
  return [
    c + d * x * x, d * x * y - s * z, d * x * z + s * y,
    d * x * y + s * z, c + d * y * y, d * y * z - s * x,
    d * x * z - s * y, d * y * z + s * x, c + d * z * z,
  ];
}

/** Distance of two points of a list of coordinates x, y, z. */
export function distance(points, i, j) {
  return Math.hypot(points[3 * i] - points[3 * j], points[3 * i + 1] - points[3 * j + 1],
    points[3 * i + 2] - points[3 * j + 2]);
}
