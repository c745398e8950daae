// Shape -> what is painted over the person: eyes, lids and mouth, as models/builtin/{eyes,lids,mouth}.py have them.
// Renderers draw what comes from here and decide nothing.

import { apply, clip, distance, smoothstep } from "./numbers.js";

const MARGIN_PX = 3;  // around polygons: their blurred edges
const LEAST_SEEN = 0.02;  // of a mouth's inside

/**
 * What is painted over the person, in order. Each has `kind`, `box` (left, top, right, bottom; whole pixels of the
 * picture, the last two exclusive) and what its kind needs. A polygon is a list of points; its first `upper` points are
 * the upper one of the two chains that close it. Affine maps are [xx, xy, x, yx, yy, y], from the picture to a layer.
 */
export class Scene {
  constructor(avatar, puppet) {
    this.avatar = avatar;
    this.puppet = puppet;
    const { rest } = puppet;
    this.rest = avatar.topology.eyes.map(eye => ({ openness: openness(rest, eye), gaze: gaze(rest, eye) }));
  }

  overlays(shape) {
    const { eyes } = this.avatar;
    return [
      ...eyes.flatMap((eye, n) => [this.ball(eye, n, shape), this.lid(eye, n, shape)]),
      ...this.mouth(shape),
    ].filter(overlay => overlay !== null && overlay.box !== null);
  }

  ball(eye, n, shape) {
    const { topology, constants: { eye: table }, puppet } = this.avatar, contour = topology.eyes[n];
    if (!eye.origin) return null;
    const polygon = pointsOf(shape.vertices, [...contour.upper, ...contour.lower.slice(1, -1).reverse()]);
    const zoom = shape.scale / puppet.scale;
    if (area(polygon) < table.least_area * (eye.width * zoom) ** 2) return null;
    const looks = gaze(shape.canonical, contour).map((value, axis) => value - this.rest[n].gaze[axis]);
    const moved = apply(puppet.rotation, looks).slice(0, 2).map(value => value * puppet.scale);
    const opened = openness(shape.canonical, contour) - this.rest[n].openness;
    const change = Math.max(Math.hypot(...moved) / (table.gaze * eye.radius), opened / table.opening);
    const weight = clip(change - table.slack, 0, 1);
    if (weight === 0) return null;
    const place = this.near(shape, [contour.upper[0], contour.upper[8]]);
    return {
      kind: "ball", box: this.box(polygon, MARGIN_PX), polygon, upper: 9, weight,
      toWhite: inverse(shifted(place, eye.origin)),
      toIris: inverse(shifted(place, eye.origin.map((value, axis) => value + moved[axis]))),
      ...this.lens(eye, n, place),
      layers: { white: this.layer(n, "white"), iris: this.layer(n, "iris") },
      blur: blurPx(table.blur, eye.width),
      shade: table.shade, shadeGain: table.shade_gain,
      shadeShift: table.shade_shift * eye.width * zoom, shadeBlur: blurPx(table.shade_blur, eye.width),
    };
  }

  lid(eye, n, shape) {
    const { topology, constants: { lid: table }, puppet } = this.avatar, contour = topology.eyes[n];
    const closed = 1 - openness(shape.canonical, contour) / this.rest[n].openness;
    const strength = smoothstep(table.closing, closed);
    if (!eye.crease || strength === 0) return null;
    const size = eye.width * shape.scale / puppet.scale, shut = smoothstep(table.shut, closed);
    const place = this.near(shape, [contour.upper[0], contour.upper[8]]);
    const crease = Array.from({ length: 9 }, (_, i) => mapped(place, eye.crease.slice(2 * i, 2 * i + 2)));
    const edge = pointsOf(shape.vertices, contour.upper);
    const turned = v => [place[0] * v[0] + place[1] * v[1], place[3] * v[0] + place[4] * v[1]];
    const down = turned(eye.down).map(value => value * table.below * eye.width * shut);
    const bulge = i => Math.sqrt(Math.max(Math.sin(Math.PI * i / 8), 0));  // lashes stand out most in the middle
    const hem = edge.map((point, i) => point.map((value, axis) => value + down[axis] * bulge(i)));
    const out = turned(eye.out).map(value => value * table.corner[0] * eye.width * shut);
    const aside = turned(eye.down).map(value => value * table.corner[1] * eye.width * shut);
    for (const axis of [0, 1]) {
      crease[0][axis] += out[axis] - aside[axis];
      hem[0][axis] += out[axis] + aside[axis];
    }
    const middle = crease.map((point, i) => point.map((value, axis) => 0.5 * (value + edge[i][axis])));
    const polygon = [...crease, ...hem.reverse()];
    return {
      kind: "lid", box: this.box(polygon, 4 + Math.round(0.1 * size)), polygon, upper: 9, strength,
      toSkin: inverse(shifted(place, eye.lid_origin)), layers: { skin: this.layer(n, "lid") },
      ...this.lens(eye, n, place),
      blur: blurPx(table.blur, size),
      light: table.light, lightGain: table.light_gain, shadow: eye.shadow,
      middle: stroke(middle.slice(2, -2), table.light_width * eye.width, blurPx(table.light_blur, eye.width)),
      lashes: [
        stroke(edge.slice(0, -1), table.lash_ends * size, blurPx(table.lash_blur, size)),
        stroke(edge.slice(2, -2), table.lash * size, blurPx(table.lash_blur, size)),
      ],
      lash: eye.lash, lashStrength: table.lash_strength * strength,
    };
  }

  mouth(shape) {
    const { topology: { lips: [uppers, lowers] }, constants: { mouth: table }, mouth, puppet } = this.avatar;
    const polygon = pointsOf(shape.vertices, [...uppers, ...lowers.slice(1, -1).reverse()]);
    const zoom = shape.scale / puppet.scale, size = mouth.width * zoom, opened = area(polygon) / size ** 2;
    const weight = Math.min(1, this.lipsMoved(shape) / table.moved) * smoothstep(table.open, opened);
    const box = this.box(polygon, MARGIN_PX);
    const closed = smoothstep(table.closed, mouth.rest_area / mouth.width ** 2 - opened);
    const joined = closed * (1 - smoothstep(table.joined, opened));
    const out = [];
    if (joined > 0) out.push(this.joint(shape, box, joined));
    if (weight >= LEAST_SEEN) {
      const place = this.plates(shape), jaw = this.jawShift(shape);
      out.push({
        kind: "mouth", box, polygon, upper: uppers.length, weight,
        toUpper: inverse(place),
        toLower: inverse([place[0], place[1], place[2] + jaw[0], place[3], place[4], place[5] + jaw[1]]),
        layers: { upper: this.avatar.places.get("mouth.upper"), lower: this.avatar.places.get("mouth.lower") },
        blur: blurPx(table.blur, mouth.width), lowerLight: table.lower_light,
        shade: table.shade, shadeBlur: blurPx(table.shade_blur, size), bounced: mouth.bounced,
      });
    }
    return out;
  }

  /** The line on which lips meet that the photo shows apart. */
  joint(shape, box, weight) {
    const { topology: { lips: [uppers, lowers] }, constants: { mouth: table }, mouth } = this.avatar;
    const upper = pointsOf(shape.vertices, uppers), lower = pointsOf(shape.vertices, lowers);
    const line = upper.map((point, i) => point.map((value, axis) => 0.5 * (value + lower[i][axis])));
    return {
      kind: "joint", box, weight, softness: table.joint_px, shade: table.joint_shade, bounced: mouth.bounced,
      line: stroke(line, 2, table.joint_px),
      dark: stroke(line.slice(1, -1), 1, blurPx(table.joint_blur, mouth.width)),
    };
  }

  /** How far the inner lips are from where the photo has them, at most, in widths of the mouth. */
  lipsMoved(shape) {
    const { topology: { lips }, constants: { lips: { corners } } } = this.avatar, { rest } = this.puppet;
    const away = i => Math.hypot(...[0, 1, 2].map(axis => shape.canonical[3 * i + axis] - rest[3 * i + axis]));
    return Math.max(...lips.flat().map(away)) / distance(rest, ...corners);
  }

  /** Plate pixels -> picture pixels. */
  plates({ linear: m, translation }) {
    const { mouth: { anchor, to_portrait: inner }, puppet } = this.avatar;
    const moved = apply(m, anchor.map((value, axis) => value - puppet.translation[axis]));
    const head = [m[0], m[1], 0, m[3], m[4], 0];
    for (const axis of [0, 1]) {
      const row = 3 * axis;
      head[row + 2] = moved[axis] + translation[axis] - head[row] * anchor[0] - head[row + 1] * anchor[1];
    }
    return [0, 3].flatMap(row => [
      head[row] * inner[0] + head[row + 1] * inner[3],
      head[row] * inner[1] + head[row + 1] * inner[4],
      head[row] * inner[2] + head[row + 1] * inner[5] + head[row + 2],
    ]);
  }

  /** How far the lower plate has gone with the chin, in picture pixels; the lower lip bounds it. */
  jawShift({ canonical, scale, rotation }) {
    const { constants: { mouth: table }, puppet: { closed_jaw: closed }, topology: { lips } } = this.avatar;
    const unit = table.unit * this.puppet.eyeDistance;
    const chin = axis => table.jaw_points.reduce(
      (sum, point, k) => sum + canonical[3 * point + axis] - closed[3 * k + axis], 0) / 3;
    const lip = canonical[3 * lips[1][5] + 1] - closed[10];
    const down = clip(table.jaw_down[0] * chin(1) + table.jaw_down[1] * lip, -table.jaw_up * unit, Math.max(lip, 0));
    const [aside, along, lower] = table.jaw_shift;
    return apply(rotation, [aside * chin(0), along * down + lower * unit, 0]).map(value => value * scale);
  }

  /** Portrait pixels -> picture pixels around some face points: the head's turn, put where they are now. */
  near({ linear: m, vertices }, indices) {
    const middle = (points, axis) => indices.reduce((sum, i) => sum + points[3 * i + axis], 0) / indices.length;
    const { restVertices } = this.puppet, x = middle(restVertices, 0), y = middle(restVertices, 1);
    return [
      m[0], m[1], middle(vertices, 0) - m[0] * x - m[1] * y,
      m[3], m[4], middle(vertices, 1) - m[3] * x - m[4] * y,
    ];
  }

  lens(eye, n, place) {
    if (!eye.lens_origin) return { lens: null };
    return { lens: this.layer(n, "lens"), toLens: inverse(shifted(place, eye.lens_origin)) };
  }

  layer(n, name) {
    return this.avatar.places.get(`${["right_eye", "left_eye"][n]}.${name}`);
  }

  /** A polygon's bounding box, larger by `pad` and cut to the picture; null when too little is left. */
  box(polygon, pad) {
    const { width, height } = this.avatar;
    const xs = polygon.map(point => point[0]), ys = polygon.map(point => point[1]);
    const left = Math.max(Math.floor(Math.min(...xs)) - pad, 0), top = Math.max(Math.floor(Math.min(...ys)) - pad, 0);
    const right = Math.min(Math.ceil(Math.max(...xs)) + pad, width);
    const bottom = Math.min(Math.ceil(Math.max(...ys)) + pad, height);
    return right - left >= 3 && bottom - top >= 3 ? [left, top, right, bottom] : null;
  }
}

/** A line, half as wide as the engine's is drawn when told `thickness`, and its blur. */
function stroke(line, thickness, blur) {
  const told = Math.max(1, Math.round(thickness)), drawn = told === 1 ? 1.2 : 2 * Math.ceil(told / 2) + 1.2;
  return { line, half: 0.5 * drawn, blur };
}

const blurPx = ([least, part], size) => Math.max(least, part * size);

function pointsOf(vertices, indices) {
  return indices.map(i => [vertices[3 * i], vertices[3 * i + 1]]);
}

/** Enclosed, in square pixels. */
function area(polygon) {
  let twice = 0;
  polygon.forEach(([x, y], i) => {
    const [nextX, nextY] = polygon[(i + 1) % polygon.length];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}

/** Gap over width. */
function openness(points, { upper, lower }) {
  const gap = [3, 4, 5].reduce((sum, i) => sum + distance(points, upper[i], lower[i]), 0) / 3;
  return gap / distance(points, upper[0], upper[8]);
}

/** Iris relative to the middle of the corners. */
function gaze(points, { upper, iris }) {
  return [0, 1, 2].map(a => points[3 * iris + a] - 0.5 * (points[3 * upper[0] + a] + points[3 * upper[8] + a]));
}

function mapped(m, [x, y]) {
  return [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]];
}

/** `m` after a shift of what it maps. */
function shifted(m, origin) {
  const [x, y] = mapped(m, origin);
  return [m[0], m[1], x, m[3], m[4], y];
}

function inverse([a, b, x, c, d, y]) {
  const det = a * d - b * c;
  return [d / det, -b / det, (b * y - d * x) / det, -c / det, a / det, (c * x - a * y) / det];
}
