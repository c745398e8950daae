// The other end's camera in the portrait's place: runtime/transports/glimpse_link.py and runtime/far_view.py in a browser.
//
//   const glimpses = new Glimpses(canvas, shown => ...);
//   glimpses.push(packet);      // a Uint8Array; `shown` hears whenever the camera comes or goes

import { Attempts } from "./attempts.js";

const VERSION = 1, HEAD = 3, NUMBERS = 1 << 16;
const MOST_BYTES = 1100, LONGEST_PX = 192, LEAST_BYTES = 31;
const PATIENCE_MS = 3000;  // without a new one for so long, the portrait takes the last one's place
const BURST = 8, EVERY_MS = 80;  // packets that are read

export class Glimpses {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.dropped = 0;
    this.timer = null;
    this.visible = false;
    this.attempts = new Attempts(BURST, EVERY_MS);
    this.forget();
  }

  /** A packet; what is none, is too old or comes too often is dropped. */
  async push(packet) {
    const number = numberOf(packet);
    if (!this.attempts.take() || number === null || !this.isNewer(number)) return void this.dropped++;
    const { connection } = this;
    const picture = packet.length === HEAD ? undefined : await decoded(packet.slice(HEAD));
    if (connection !== this.connection) return;
    if (picture === null || !this.isNewer(number)) return void this.dropped++;  // another one came meanwhile, or the end
    this.newest = number;
    if (!picture) return this.show(false);
    this.canvas.width = picture.width;
    this.canvas.height = picture.height;
    this.canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    this.show(true);
  }

  /** Begins anew: numbers of another connection count. */
  forget() {
    this.newest = null;
    this.connection = Symbol();
    this.show(false);
  }

  show(on) {
    clearTimeout(this.timer);
    if (on) this.timer = setTimeout(() => this.show(false), PATIENCE_MS);
    if (on === this.visible) return;
    this.visible = on;
    this.changed(on);
  }

  isNewer(number) {
    const ahead = (number - this.newest + NUMBERS) % NUMBERS;
    return this.newest === null || ahead > 0 && ahead < NUMBERS / 2;
  }
}

function numberOf(packet) {
  const readable = packet.length >= HEAD && packet.length <= HEAD + MOST_BYTES && packet[0] === VERSION;
  return readable ? packet[1] | packet[2] << 8 : null;
}

/** An ImageBitmap; null where the bytes are anything but one lossy WebP of a glimpse's size. */
async function decoded(data) {
  if (data.length < LEAST_BYTES) return null;
  const view = new DataView(data.buffer), text = (at, length) => String.fromCharCode(...data.subarray(at, at + length));
  const size = view.getUint32(16, true), [width, height] = [26, 28].map(at => view.getUint16(at, true) & 0x3fff);
  const plain = text(0, 4) === "RIFF" && text(8, 8) === "WEBPVP8 " && text(23, 3) === "\x9d\x01\x2a";
  const whole = view.getUint32(4, true) + 8 === data.length && size + size % 2 + 20 === data.length;
  if (!plain || !whole || ![width, height].every(side => side > 0 && side <= LONGEST_PX)) return null;
  return createImageBitmap(new Blob([data], { type: "image/webp" })).catch(() => null);
}
