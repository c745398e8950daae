// Motion -> where every vertex goes: models/builtin/puppet.py in the browser. Stateless but for scratch memory.

import { apply, bend, clip, distance, multiply, rotation, smoothstep, transpose } from "./numbers.js";
import { COEFFICIENTS, LANDMARKS, SURFACE } from "./package.js";

export class Puppet {
  constructor(avatar) {
    this.avatar = avatar;
    const { puppet, landmarks, topology, headWeight, grid } = avatar;
    this.rest = new Float64Array(3 * LANDMARKS);  // canonical
    const back = transpose(puppet.rotation).map(value => value / puppet.scale);
    for (let i = 0; i < 3 * LANDMARKS; i += 3)
      this.rest.set(apply(back, [0, 1, 2].map(axis => landmarks[i + axis] - puppet.translation[axis])), i);
    const [right, left] = topology.eyes.map(eye => eye.upper[0]);
    this.eyeDistance = distance(this.rest, right, left);
    this.canonical = new Float64Array(3 * LANDMARKS);
    this.count = SURFACE + headWeight.length;
    this.restVertices = new Float64Array(3 * this.count);
    this.restVertices.set(landmarks.subarray(0, 3 * SURFACE));
    this.restVertices.set(grid, 3 * SURFACE);
    this.vertices = new Float64Array(3 * this.count);
    this.restMouth = this.mouthWidth(this.rest);
    this.outline = new Float64Array(3 * topology.oval.length);
  }

  /** The shape under a motion {expression[64], rotation[3], translation[3], torso[2] or null}; valid until the next. */
  shape(motion) {
    const coefficients = this.coefficients(motion.expression);
    this.express(coefficients);
    const pose = this.pose(motion.rotation, motion.translation);
    this.moveFace(pose);
    const gain = this.avatar.constants.head.torso_gain;
    const torso = motion.torso ?? [gain * motion.translation[0], gain * motion.translation[1]];
    this.moveSurround(pose, this.aside(torso));
    return { canonical: this.canonical, vertices: this.vertices, ...pose };
  }

  coefficients(expression) {
    const [least, most] = this.avatar.constants.head.expression;
    return Float32Array.from({ length: COEFFICIENTS }, (_, i) => clip(expression[i], least, most));
  }

  express(coefficients) {
    const { basis } = this.avatar, { canonical, rest } = this, size = 3 * LANDMARKS;
    canonical.set(rest);
    for (let k = 0; k < COEFFICIENTS; k++) {
      const weight = coefficients[k], from = k * size;
      if (weight) for (let i = 0; i < size; i++) canonical[i] += weight * basis[from + i];
    }
    this.closeLids(coefficients);
    const { skull } = this.avatar;
    for (let i = 0; i < size; i++) canonical[i] += skull[i / 3 | 0] * (rest[i] - canonical[i]);
    this.boundGrin();
    this.partLips();
  }

  closeLids(coefficients) {
    const { puppet, topology, coefficient, expression } = this.avatar, { canonical, rest } = this;
    topology.eyes.forEach((eye, n) => {
      const side = ["Right", "Left"][n];
      const blink = coefficients[coefficient.get(`eyeBlink${side}`)];
      const wide = coefficients[coefficient.get(`eyeWide${side}`)];
      let opening = Math.max(0, 1 - blink + expression.wide_gain * wide);
      const [least, most] = expression.shut;
      opening *= clip((opening - least) / (most - least), 0, 1);
      let follow = 1;
      for (let k = 0; k < COEFFICIENTS; k++) follow += puppet.lid_follow[n * COEFFICIENTS + k] * coefficients[k];
      opening *= Math.max(0, follow);
      for (let i = 1; i < 8; i++) {
        const upper = 3 * eye.upper[i], lower = 3 * eye.lower[i];
        for (let axis = 0; axis < 3; axis++)
          canonical[upper + axis] = canonical[lower + axis] + (rest[upper + axis] - rest[lower + axis]) * opening;
      }
    });
  }

  boundGrin() {
    const { constants: { lips }, grin } = this.avatar, { canonical } = this, width = this.mouthWidth(canonical);
    const knee = Math.max(lips.grin_knee, this.restMouth);
    if (width <= knee) return;
    const excess = width - bend([width], [knee, knee + lips.grin_room])[0];
    const [right, left] = lips.corners;
    const part = 0.5 * excess / width;
    const across = [0, 1, 2].map(axis => part * (canonical[3 * left + axis] - canonical[3 * right + axis]));
    for (let i = 0; i < LANDMARKS; i++)
      for (let axis = 0; axis < 3; axis++) canonical[3 * i + axis] += grin[i] * across[axis];
  }

  /** Inner lips that crossed are moved to their midline. */
  partLips() {
    const { topology: { chin, forehead, lips: [uppers, lowers] } } = this.avatar, { canonical } = this;
    const axis = [0, 1, 2].map(a => canonical[3 * chin + a] - canonical[3 * forehead + a]);
    const down = axis.map(a => a / Math.hypot(...axis));
    for (let i = 1; i < uppers.length - 1; i++) {
      const upper = 3 * uppers[i], lower = 3 * lowers[i];
      let gap = 0;
      for (let a = 0; a < 3; a++) gap += (canonical[lower + a] - canonical[upper + a]) * down[a];
      if (gap < 0)
        for (let a = 0; a < 3; a++) {
          canonical[upper + a] += 0.5 * gap * down[a];
          canonical[lower + a] -= 0.5 * gap * down[a];
        }
    }
  }

  /** In eye distances. */
  mouthWidth(canonical) {
    const [right, left] = this.avatar.constants.lips.corners;
    return distance(canonical, right, left) / this.eyeDistance;
  }

  pose(vector, shift) {
    const { puppet, constants: { head }, expression } = this.avatar;
    let turned = [...vector];
    if (turned[1] * puppet.rest_yaw < 0)
      turned[1] = bend([turned[1]], [puppet.hidden_knee, puppet.hidden_knee + head.hidden_room])[0];
    turned = rotation(bend(turned, head.turn));
    const zoom = clip(expression.camera / Math.max(expression.camera + shift[2], 1), ...head.zoom);
    const turn = multiply(turned, puppet.rotation), scale = puppet.scale * zoom;
    const aside = this.aside([shift[0], shift[1]]), neck = apply(turn, expression.neck);
    return {
      scale, rotation: turn,
      translation: [0, 1, 2].map(axis => puppet.pivot[axis] + (aside[axis] ?? 0) - scale * neck[axis]),
      linear: turned.map(value => zoom * value),
    };
  }

  /** A shift in eye distances, in pixels and within bounds. */
  aside(shift) {
    const { puppet, constants: { head } } = this.avatar;
    return bend(shift, head.shift).map((value, axis) => {
      const room = puppet.room[2 * (value > 0) + axis];
      return bend([value], [head.room_knee * room, room])[0] * puppet.scale * this.eyeDistance;
    });
  }

  moveFace({ scale, rotation: r, translation: t }) {
    const { canonical: c, vertices } = this;
    for (let i = 0; i < 3 * SURFACE; i += 3)
      for (let axis = 0; axis < 3; axis++)
        vertices[i + axis] =
          scale * (r[3 * axis] * c[i] + r[3 * axis + 1] * c[i + 1] + r[3 * axis + 2] * c[i + 2]) + t[axis];
  }

  moveSurround({ scale, rotation: r, translation: t, linear: m }, torso) {
    const { grid, headWeight, steadier, puppet, constants: { head } } = this.avatar, { vertices } = this;
    const cosine = clip(m[8] / Math.hypot(m[6], m[7], m[8]), -1, 1);
    const steady = 1 - smoothstep(head.steadying_turns, Math.acos(cosine));
    for (let i = 0, at = 3 * SURFACE; i < headWeight.length; i++, at += 3) {
      const x = grid[3 * i], y = grid[3 * i + 1], z = grid[3 * i + 2], weight = headWeight[i];
      const dx = x - puppet.translation[0], dy = y - puppet.translation[1], dz = z - puppet.translation[2];
      const back = steady * steadier[i], rest = 1 - weight;
      const rigidX = m[0] * dx + m[1] * dy + m[2] * (dz + back) + t[0];
      const rigidY = m[3] * dx + m[4] * dy + m[5] * (dz + back) + t[1];
      const rigidZ = m[6] * dx + m[7] * dy + m[8] * dz + t[2];
      vertices[at] = x + weight * (rigidX - x) + rest * torso[0];
      vertices[at + 1] = y + weight * (rigidY - y) + rest * torso[1];
      vertices[at + 2] = z + weight * (rigidZ - z);
    }
    this.followOutline(scale, r);
  }

  /** Skin around the face goes with what its outline does. */
  followOutline(scale, r) {
    const { topology: { oval }, followers, outlineWeights } = this.avatar;
    const { canonical, rest, outline, vertices } = this;
    oval.forEach((vertex, j) => {
      const d = [0, 1, 2].map(axis => scale * (canonical[3 * vertex + axis] - rest[3 * vertex + axis]));
      outline.set(apply(r, d), 3 * j);
    });
    for (let k = 0; k < followers.length; k++) {
      const at = 3 * (SURFACE + followers[k]);
      for (let j = 0; j < oval.length; j++) {
        const weight = outlineWeights[j * followers.length + k];
        if (weight) for (let axis = 0; axis < 3; axis++) vertices[at + axis] += weight * outline[3 * j + axis];
      }
    }
  }

  /** Pixels by which the crown of the head and the torso have moved from where the portrait has them. */
  gone({ linear, translation, vertices }) {
    const { topology: { chin, forehead }, puppet, constants: { backdrop } } = this.avatar, { restVertices } = this;
    const top = [0, 1, 2].map(axis => restVertices[3 * forehead + axis]);
    const crown = top.map((value, axis) => value + backdrop.crown * (value - restVertices[3 * chin + axis]));
    const moved = apply(linear, crown.map((value, axis) => value - puppet.translation[axis]));
    const body = 3 * (SURFACE + puppet.on_torso);
    return [
      Math.hypot(...[0, 1].map(axis => moved[axis] + translation[axis] - crown[axis])),
      Math.hypot(vertices[body] - restVertices[body], vertices[body + 1] - restVertices[body + 1]),
    ];
  }
}
