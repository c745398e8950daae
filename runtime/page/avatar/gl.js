// Draws an avatar with WebGL2.

import { Frames } from "./frame.js";
import { patches } from "./patches.js";
import * as shaders from "./shaders.js";

const TEXTURES = { sheet: 0, backdrop: 1, gone: 2, atlas: 3, folds: 4, drawn: 5 };  // name -> unit

/** Raised where the browser has no WebGL2. */
export class NoWebGlError extends Error {}

export class GlRenderer {
  constructor(canvas, avatar) {
    const options = { alpha: false, antialias: false, depth: true, stencil: false };
    const gl = this.gl = canvas.getContext("webgl2", options);
    if (!gl) throw new NoWebGlError("This browser has no WebGL2.");
    this.avatar = avatar;
    this.frames = new Frames(avatar);
    canvas.width = avatar.width;
    canvas.height = avatar.height;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.disable(gl.DITHER);
    this.upload();
    this.buildMesh();
    const program = vertex => name => [name, new Program(gl, vertex, shaders[name.toUpperCase()])];
    this.programs = Object.fromEntries([
      ...["solid", "lit", "edged"].map(program(shaders.MESH_VERTEX)),
      ...["backdrop", "still", "ball", "lid", "mouth", "joint"].map(program(shaders.BOX_VERTEX)),
    ]);
    this.setConstants();
  }

  /** Draws {expression, rotation, translation, torso}. */
  draw(motion) {
    const { gl, frames } = this;
    if (gl.isContextLost()) return;
    const frame = frames.at(motion);
    gl.viewport(0, 0, this.avatar.width, this.avatar.height);
    gl.disable(gl.BLEND);
    gl.enable(gl.DEPTH_TEST);
    gl.clear(gl.DEPTH_BUFFER_BIT);
    this.drawMesh(frame);
    this.drawBackdrop(frame);
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    for (const overlay of frame.overlays) this[overlay.kind](overlay);
  }

  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  upload() {
    const { gl, avatar } = this;
    for (const name of ["sheet", "backdrop", "gone", "atlas"]) {
      const { width, height, data } = avatar[name];
      this.texture(name, name === "backdrop" ? gl.NEAREST : gl.LINEAR);
      const bytes = new Uint8Array(data.buffer);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    }
    const { width, height } = this.frames.relief;
    this.foldBytes = new Uint8Array(width * height).fill(128);
    this.texture("folds", gl.LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, width, height, 0, gl.RED, gl.UNSIGNED_BYTE, this.foldBytes);
    this.texture("drawn", gl.NEAREST);
  }

  texture(name, filter) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + TEXTURES[name]);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const [key, value] of [["MIN_FILTER", filter], ["MAG_FILTER", filter], ["WRAP_S", gl.CLAMP_TO_EDGE],
      ["WRAP_T", gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${key}`], value);
  }

  buildMesh() {
    const { gl, frames: { uv, puppet, relief }, avatar } = this, { triangles, parts } = patches(avatar, uv, relief);
    this.parts = parts;
    this.mesh = gl.createVertexArray();
    gl.bindVertexArray(this.mesh);
    const attribute = (index, size, data, usage) => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, data, usage);
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, size, gl.FLOAT, false, 0, 0);
      return buffer;
    };
    this.vertices = new Float32Array(3 * puppet.count);
    this.vertexBuffer = attribute(0, 3, this.vertices, gl.DYNAMIC_DRAW);
    this.lightBuffer = attribute(1, 1, this.frames.relief.light, gl.DYNAMIC_DRAW);
    attribute(2, 2, uv, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    this.quad = gl.createVertexArray();
  }

  /** Uniforms that stay. */
  setConstants() {
    const { avatar: { width, height, sheet, margin }, frames: { relief } } = this;
    for (const program of Object.values(this.programs)) {
      program.use({ size: [width, height] });
      for (const [name, unit] of Object.entries(TEXTURES)) program.sampler(name, unit);
    }
    for (const name of Object.keys(this.parts))
      this.programs[name].use({
        sheetSize: [sheet.width, sheet.height], deepest: 4 * Math.max(width, height),
        foldsAt: [relief.left + margin, relief.top + margin, relief.step, 0], foldsSize: [relief.width, relief.height],
      });
    for (const name of ["backdrop", "still"]) this.programs[name].use({ box: [0, 0, width, height], depth: 1 });
  }

  drawMesh({ vertices, shaded, behind }) {
    const { gl, frames: { relief }, parts: { solid, lit, edged } } = this;
    gl.bindVertexArray(this.mesh);
    this.vertices.set(vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.vertexBuffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.vertices);
    if (shaded) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.lightBuffer);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, relief.light);
      if (relief.changed) this.uploadFolds(relief);
    }
    gl.depthFunc(gl.LESS);
    this.drawPart("solid", shaded ? [solid] : [solid, lit]);
    if (shaded) this.drawPart("lit", [lit], { folded: +relief.folded });
    this.drawPart("edged", [edged], { behind, shaded: +shaded, folded: +relief.folded });
    gl.bindVertexArray(this.quad);
  }

  drawPart(name, parts, uniforms = {}) {
    const { gl } = this;
    this.programs[name].use(uniforms);
    for (const { first, count } of parts) gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_SHORT, 2 * first);
  }

  uploadFolds({ width, height, folds }) {
    const { gl, foldBytes } = this;
    for (let i = 0; i < folds.length; i++) foldBytes[i] = 128 + Math.round(510 * folds[i]);
    gl.activeTexture(gl.TEXTURE0 + TEXTURES.folds);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RED, gl.UNSIGNED_BYTE, foldBytes);
  }

  drawBackdrop({ behind }) {
    const { gl } = this;
    gl.depthFunc(gl.LEQUAL);  // where nothing is
    if (behind.every(part => part === 1)) this.programs.still.use({});
    else this.programs.backdrop.use({ behind });
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  ball({ layers, toWhite, toIris, shade, shadeGain, shadeShift, shadeBlur, ...overlay }) {
    this.paint("ball", overlay, {
      white: layers.white, iris: layers.iris, toWhite, toIris, shade, shadeGain, shadeShift, shadeBlur,
      blur: overlay.blur, weight: overlay.weight, ...lens(overlay),
    });
  }

  lid({ layers, toSkin, middle, lashes: [ends, lashes], ...overlay }) {
    const { blur, strength, light, lightGain, shadow, lash, lashStrength } = overlay;
    this.paint("lid", overlay, {
      skin: layers.skin, toSkin, light, lightGain, shadow, lashStrength, blur, strength,
      lash: lash.map(value => value / 255),
      middle: middle.line.flat(), middleTold: [middle.half, middle.blur],
      ends: ends.line.flat(), endsTold: [ends.half, ends.blur],
      lashes: lashes.line.flat(), lashesTold: [lashes.half, lashes.blur],
      ...lens(overlay),
    });
  }

  mouth({ layers, toUpper, toLower, bounced, lowerLight, shade, shadeBlur, ...overlay }) {
    this.paint("mouth", overlay, {
      upperPlate: layers.upper, lowerPlate: layers.lower, toUpper, toLower, bounced, lowerLight, shade, shadeBlur,
      blur: overlay.blur, weight: overlay.weight,
    });
  }

  joint({ line, dark, softness, shade, bounced, weight, box }) {
    const { gl, avatar: { height } } = this, [left, top, right, bottom] = box;
    const from = [left, height - bottom, right - left, bottom - top];
    gl.activeTexture(gl.TEXTURE0 + TEXTURES.drawn);
    gl.copyTexImage2D(gl.TEXTURE_2D, 0, gl.RGB, ...from, 0);
    this.paint("joint", { box }, {
      from, softness, shade, bounced, weight, line: line.line.flat(),
      lineTold: [line.half, line.blur], darkTold: [dark.half, dark.blur],
    });
  }

  /** One box, by its program. */
  paint(name, { box, polygon, upper }, uniforms) {
    const { gl } = this;
    const shape = polygon ? { polygon: polygon.flat(), corners: polygon.length, upper } : {};
    this.programs[name].use({ box, depth: 0, ...shape, ...uniforms });
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}

function lens({ lens: place, toLens }) {
  return place ? { glasses: 1, lensPlace: place, toLens } : { glasses: 0 };
}

/** A program and its uniforms by name. */
class Program {
  constructor(gl, vertex, fragment) {
    this.gl = gl;
    this.program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
  }

  /** Finds the uniforms, once the driver has compiled: asked for late, programs compile side by side. */
  find() {
    const { gl, program } = this;
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const logs = gl.getAttachedShaders(program).map(shader => gl.getShaderInfoLog(shader));
      throw new Error(`A shader does not compile: ${gl.getProgramInfoLog(program)} ${logs.join(" ")}`);
    }
    this.uniforms = new Map();
    for (let i = 0; i < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i++) {
      const { name, type } = gl.getActiveUniform(program, i);
      this.uniforms.set(name.replace("[0]", ""), [gl.getUniformLocation(program, name), setter(gl, type)]);
    }
  }

  /** Makes it current and sets uniforms: numbers, or lists of numbers. */
  use(values) {
    if (!this.uniforms) this.find();
    this.gl.useProgram(this.program);
    for (const [name, value] of Object.entries(values)) {
      const [location, set] = this.uniforms.get(name) ?? [];
      if (set) this.gl[set](location, typeof value === "number" ? [value] : value);
    }
  }

  sampler(name, unit) {
    const [location] = this.uniforms.get(name) ?? [];
    if (location) this.gl.uniform1i(location, unit);
  }
}

function setter(gl, type) {
  return {
    [gl.FLOAT]: "uniform1fv", [gl.FLOAT_VEC2]: "uniform2fv", [gl.FLOAT_VEC3]: "uniform3fv",
    [gl.FLOAT_VEC4]: "uniform4fv",
    [gl.INT]: "uniform1iv", [gl.BOOL]: "uniform1iv", [gl.SAMPLER_2D]: "uniform1iv",
  }[type];
}
