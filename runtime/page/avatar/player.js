// A person on a page: package and motions in, pictures on a canvas out.
//
//   const player = new Player(canvas, await readPackage(buffer));
//   player.start();
//   player.push(decoder.push(packet).map(atMs));     // whenever a packet comes

import { GlRenderer, NoWebGlError } from "./gl.js";
import { TICK_MS } from "./motion.js";
import { Playout } from "./playout.js";
import { SoftRenderer } from "./soft.js";

export { MotionDecoder } from "./motion.js";
export { PackageError, readPackage } from "./package.js";

const AT_ONCE = 0.25, FOLLOWS_MS = 2000;  // how the torso follows the head: runtime/torso.py
const RETURN_MS = 300;  // a face that was at rest for want of motions comes back in so long
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const REST = { expression: new Float32Array(64), rotation: [0, 0, 0], translation: [0, 0, 0], torso: [0, 0] };

/** A decoded motion with its time in milliseconds, as `Player.push` takes it. */
export const atMs = motion => ({ ...motion, pts: motion.ticks * TICK_MS });

export class Player {
  /** `renderer`: "auto", "webgl" or "software". */
  constructor(canvas, avatar, renderer = "auto") {
    this.canvas = canvas;
    this.avatar = avatar;
    this.playout = new Playout();
    this.torso = new TorsoFollow();
    this.drawn = 0;  // pictures
    this.faith = 1;
    this.last = 0;  // instant of the last picture
    this.running = null;
    this.renderer = open(canvas, avatar, renderer);
    canvas.addEventListener("webglcontextlost", event => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.renderer = new GlRenderer(canvas, avatar);
    });
    this.show(REST);
  }

  /** "webgl" or "software". */
  get kind() {
    return this.renderer instanceof GlRenderer ? "webgl" : "software";
  }

  /** Motions with their times, oldest first. */
  push(motions, now = performance.now()) {
    this.playout.push(motions, now);
  }

  /** Draws as often as the screen shows, until `stop`. */
  start() {
    const tick = now => {
      this.running = requestAnimationFrame(tick);
      this.at(now);
    };
    this.running ??= requestAnimationFrame(tick);
  }

  stop() {
    if (this.running !== null) cancelAnimationFrame(this.running);
    this.running = null;
  }

  /** Frees what the graphics driver holds; the canvas draws no more. */
  close() {
    this.stop();
    this.renderer.close();
  }

  /** Draws the picture of an instant. Without motions for long it eases to rest. */
  at(now) {
    const motion = this.playout.at(now);
    if (motion === null) return;
    this.faith = Math.min(motion.confidence, this.faith + Math.max(0, now - this.last) / RETURN_MS);
    this.last = now;
    const ease = values => values.map(value => value * this.faith), translation = ease(motion.translation);
    this.show({
      expression: ease(motion.expression), rotation: ease(motion.rotation), translation,
      torso: this.torso.follow(translation, now),
    });
  }

  show(motion) {
    this.renderer.draw(motion);
    this.drawn++;
  }
}

/** A torso that goes with the head a little at once, and wholly when the head stays where it went. */
class TorsoFollow {
  constructor() {
    this.slow = null;
    this.last = 0;
  }

  follow([x, y], now) {
    this.slow ??= [x, y];
    const part = 1 - Math.exp(-Math.max(0, now - this.last) / FOLLOWS_MS);
    this.last = now;
    this.slow = [x, y].map((value, axis) => this.slow[axis] + part * (value - this.slow[axis]));
    return [x, y].map((value, axis) => this.slow[axis] + AT_ONCE * (value - this.slow[axis]));
  }
}

/** WebGL on a CPU is slower than our own loops: it is used where a GPU is. */
function open(canvas, avatar, renderer) {
  if (renderer === "software" || renderer === "auto" && !hasGpu()) return new SoftRenderer(canvas, avatar);
  try {
    return new GlRenderer(canvas, avatar);
  } catch (error) {
    if (renderer === "webgl" || !(error instanceof NoWebGlError)) throw error;
    return new SoftRenderer(canvas, avatar);
  }
}

function hasGpu() {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl) return false;
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(name);
}
