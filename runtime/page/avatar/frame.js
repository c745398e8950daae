// Motion -> all that a renderer draws of one picture.

import { smoothstep } from "./numbers.js";
import { Puppet } from "./puppet.js";
import { Relief } from "./relief.js";
import { Scene } from "./scene.js";

/** The moving parts of one avatar, as both renderers need them. What `at` returns is valid until the next call. */
export class Frames {
  constructor(avatar) {
    this.avatar = avatar;
    this.puppet = new Puppet(avatar);
    this.relief = new Relief(avatar, this.puppet);
    this.scene = new Scene(avatar, this.puppet);
    const { margin } = avatar, { restVertices, count } = this.puppet;
    this.uv = new Float32Array(2 * count);  // pixels of the sheet, centres at whole numbers
    for (let i = 0; i < count; i++)
      for (const axis of [0, 1]) this.uv[2 * i + axis] = restVertices[3 * i + axis] + margin;
  }

  /** {vertices, overlays, shaded: whether the relief shows, behind: how far head and torso have the photo behind}. */
  at(motion) {
    const { avatar: { width, height, constants: { backdrop } } } = this;
    const shape = this.puppet.shape(motion), longest = Math.max(width, height);
    return {
      vertices: shape.vertices,
      overlays: this.scene.overlays(shape),
      shaded: this.relief.update(shape.canonical),
      behind: this.puppet.gone(shape).map(moved => 1 - smoothstep(backdrop.gone.map(part => part * longest), moved)),
    };
  }
}
