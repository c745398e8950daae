// Arrays and pictures of an avatar package, unpacked: never into more than was told.

import { expect, list, whole } from "./checks.js";

export const MOST_SIDE = 1536;

const MOST_VALUES = 1 << 18;
const TYPES = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array };

/** One array of the package -> {shape, values}. */
export async function array({ type, shape }, blob) {
  const sides = list(shape, 1, 3).map(side => whole(side, 1, MOST_VALUES));
  const count = sides.reduce((a, b) => a * b, 1);
  expect(count <= MOST_VALUES && Object.hasOwn(TYPES, type), "array");
  const Type = TYPES[type], bytes = await inflated(blob, count * Type.BYTES_PER_ELEMENT);
  expect(bytes.length === count * Type.BYTES_PER_ELEMENT, "array");
  return { shape: sides, values: new Type(bytes.buffer) };
}

/** What zlib compressed; never more than `most` bytes. */
export async function inflated(blob, most) {
  const reader = new Blob([blob]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const chunks = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > most) reader.cancel().catch(() => {});
    expect(length <= most, "more than it says");
    chunks.push(next.value);
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** A WebP file of the size that the header tells -> its pixels, RGBA. */
export async function picture({ size }, blob) {
  const [width, height] = list(size, 2, 2).map(side => whole(side, 1, MOST_SIDE));
  const [w, h] = webpSize(blob);
  expect(w === width && h === height, "a picture of another size");
  const bitmap = await createImageBitmap(new Blob([blob], { type: "image/webp" }), { colorSpaceConversion: "none" });
  expect(bitmap.width === width && bitmap.height === height, "a picture of another size");
  const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  canvas.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, data: canvas.getImageData(0, 0, width, height).data };
}

/** Width and height of a plain WebP file, which is not decoded. */
function webpSize(blob) {
  expect(blob.length > 30, "picture");
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const name = at => String.fromCharCode(...blob.subarray(at, at + 4));
  expect(name(0) === "RIFF" && name(8) === "WEBP", "picture");
  if (name(12) === "VP8 ") return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  expect(name(12) === "VP8L", "picture");
  const bits = view.getUint32(21, true);
  return [(bits & 0x3fff) + 1, (bits >>> 14 & 0x3fff) + 1];
}
