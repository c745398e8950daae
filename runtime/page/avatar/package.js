// Avatar package -> what a renderer needs. docs/avatar_package.md has the format; models/builtin/package.py writes it.
// A package comes from somebody else: every length, shape, index and size is checked before it is used.

const VERSION = 1;
const HEAD_BYTES = 12;
const MOST_BYTES = 400_000, MOST_HEADER = 1 << 16, MOST_VALUES = 1 << 18, MOST_SIDE = 1536;
const MOST_ARRAYS = 32, MOST_PICTURES = 16, MOST_FOLDS = 16, MOST_NUMBER = 1e5;
const LEAST_PICTURE = 64, MOST_PICTURE = 1024;
const TYPES = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array };
const GONE_SCALE = 4;  // picture's pixels in one, across, of the picture "gone"

export const SURFACE = 468, LANDMARKS = 478, COEFFICIENTS = 64;

// How many numbers stand under each name.
const CONSTANTS = {
  head: { expression: 2, torso_gain: 1, turn: 2, shift: 2, room_knee: 1, hidden_room: 1, zoom: 2, steadying_turns: 2 },
  lips: { corners: 2, grin_knee: 1, grin_room: 1 },
  relief: { light: 3, ambient: 1, slope_range: 2, unseen: 1 },
  eye: {
    least_area: 1, gaze: 1, opening: 1, slack: 1, shade: 2, shade_gain: 1, shade_shift: 1, shade_blur: 2, blur: 2,
  },
  lid: {
    closing: 2, shut: 2, below: 1, corner: 2, blur: 2, light: 2, light_gain: 1, light_width: 1, light_blur: 2,
    lash: 1, lash_ends: 1, lash_blur: 2, lash_strength: 1,
  },
  mouth: {
    unit: 1, moved: 1, open: 2, blur: 2, lower_light: 1, shade_blur: 2, shade: 2, closed: 2, joined: 2, joint_px: 1,
    joint_shade: 1, joint_blur: 2, jaw_points: 3, jaw_down: 2, jaw_up: 1, jaw_shift: 3,
  },
  backdrop: { gone: 2, crown: 1 },
};
const EXPRESSION = { wide_gain: 1, shut: 2, camera: 1, neck: 3 };
const PUPPET = {
  scale: 1, rotation: 9, translation: 3, pivot: 3, rest_yaw: 1, hidden_knee: 1, room: 4, lid_follow: 128,
  closed_jaw: 12, on_torso: 1,
};
const EYE = { width: 1, radius: 1 }, WHITE = { origin: 2 }, LENS = { lens_origin: 2 };
const LID = { lid_origin: 2, down: 2, out: 2, crease: 18, shadow: 3, lash: 3 };
const MOUTH = { width: 1, rest_area: 1, anchor: 3, to_portrait: 6, bounced: 3 };

/** Raised for what is not a package that can be drawn safely. */
export class PackageError extends Error {}

/** An ArrayBuffer -> the avatar. Rejects with PackageError. */
export async function readPackage(buffer) {
  try {
    return await read(buffer);
  } catch (error) {
    throw error instanceof PackageError ? error : new PackageError(String(error.message ?? error));
  }
}

async function read(buffer) {
  const data = new Uint8Array(buffer);
  expect(data.length >= HEAD_BYTES && data.length <= MOST_BYTES, "length");
  const view = new DataView(buffer);
  expect(String.fromCharCode(...data.subarray(0, 6)) === "AVATAR", "not an avatar package");
  expect(view.getUint16(6) === VERSION, `version ${view.getUint16(6)}`);
  let at = HEAD_BYTES + view.getUint32(8);
  expect(at <= data.length, "cut short");
  const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(
    await inflated(data.subarray(HEAD_BYTES, at), MOST_HEADER)));
  const listed = list(header.arrays, 1, MOST_ARRAYS), shown = list(header.pictures, 1, MOST_PICTURES);
  const blobs = [...listed, ...shown].map(entry => {
    const blob = data.subarray(at, at += whole(entry.bytes, 1, MOST_BYTES));
    expect(at <= data.length, "cut short");
    return blob;
  });
  expect(at === data.length, "more than it says");
  const arrays = new Map(), pictures = new Map();
  for (const [i, entry] of listed.entries()) arrays.set(entry.name, await array(entry, blobs[i]));
  for (const [i, entry] of shown.entries()) pictures.set(entry.name, await picture(entry, blobs[listed.length + i]));
  return avatar(header, arrays, pictures);
}

/** Numbers, geometry and pictures, checked against one another. */
function avatar(header, arrays, pictures) {
  const [width, height] = list(header.size, 2, 2).map(side => whole(side, LEAST_PICTURE, MOST_PICTURE));
  const geometry = readGeometry(header, arrays);
  const { parts } = header;
  return {
    width, height,
    margin: whole(parts.person.margin, 0, MOST_PICTURE),
    constants: Object.fromEntries(Object.entries(CONSTANTS).map(
      ([name, names]) => [name, numbers(header.constants[name], names)])),
    expression: numbers(header.expression, EXPRESSION),
    coefficient: coefficientIndex(header.coefficients),
    topology: readTopology(header.topology),
    ...geometry,
    puppet: numbers(parts.puppet, PUPPET),
    folds: readFolds(parts.relief, arrays.get("folds"), number(header.units.folds)),
    foldsSize: list(parts.relief.size, 2, 2).map(side => whole(side, 2, 512)),
    eyes: [readEye(parts.right_eye), readEye(parts.left_eye)],
    mouth: numbers(parts.mouth, MOUTH),
    ...readPictures(header, pictures, width, height, parts.person.margin),
  };
}

function readGeometry(header, arrays) {
  const { units } = header;
  const landmarks = points(shaped(arrays, "landmarks", [3, LANDMARKS]), LANDMARKS, number(units.landmarks));
  const grid = arrays.get("grid");
  expect(grid?.shape.length === 2 && grid.shape[0] === 3 && grid.shape[1] <= 8192, "grid");
  const count = grid.shape[1];
  accumulate(grid.values, 3, count);
  const followers = arrays.get("followers");
  expect(followers?.shape.length === 1, "followers");
  const following = followers.shape[0];
  expect(followers.values.every(i => i < count), "followers");
  const basisUnits = list(units.basis, COEFFICIENTS, COEFFICIENTS).map(number);
  const whole8 = shaped(arrays, "basis", [COEFFICIENTS, 3, LANDMARKS]), basis = new Float32Array(whole8.length);
  for (let k = 0, from = 0; k < COEFFICIENTS; k++)
    for (let axis = 0; axis < 3; axis++)
      for (let i = 0; i < LANDMARKS; i++, from++) basis[(k * LANDMARKS + i) * 3 + axis] = whole8[from] * basisUnits[k];
  const skin = whole(header.skin, 1, 4096);
  const triangles = readTriangles(arrays.get("triangles"), SURFACE + count);
  expect(3 * skin <= triangles.length && triangles.subarray(0, 3 * skin).every(i => i < SURFACE), "skin");
  expect(whole(header.parts.puppet.on_torso, 0, count - 1) >= 0, "torso");
  const share = (name, shape, unit = 1 / 255) => Float32Array.from(shaped(arrays, name, shape), v => v * unit);
  return {
    landmarks, basis, triangles, skin,
    grid: points(grid.values, count, number(units.grid)),
    steadier: share("steadier", [count], number(units.steadier)),
    headWeight: share("head_weight", [count]),
    followers: followers.values,
    outlineWeights: share("outline_weights", [36, following]),
    skull: share("skull", [LANDMARKS]),
    grin: share("grin", [LANDMARKS], 1 / 127),
  };
}

/** Differences -> vertex numbers, three for each triangle. */
function readTriangles(stored, vertices) {
  expect(stored?.shape.length === 2 && stored.shape[0] === 3 && stored.shape[1] <= 16384, "triangles");
  const count = stored.shape[1], out = new Uint16Array(3 * count);
  for (let t = 0, first = 0; t < count; t++) {
    first += stored.values[t];
    for (let corner = 0; corner < 3; corner++) {
      const vertex = corner ? first + stored.values[corner * count + t] : first;
      expect(vertex >= 0 && vertex < vertices, "triangles");
      out[3 * t + corner] = vertex;
    }
  }
  return out;
}

function readTopology(told) {
  const surface = (indices, count) => list(indices, count, count).map(i => whole(i, 0, SURFACE - 1));
  return {
    lips: list(told.lips, 2, 2).map(row => surface(row, 11)),
    eyes: list(told.eyes, 2, 2).map(eye => ({
      upper: surface(eye.upper, 9), lower: surface(eye.lower, 9), iris: whole(eye.iris, 0, LANDMARKS - 1),
    })),
    oval: surface(told.oval, 36),
    chin: whole(told.chin, 0, SURFACE - 1),
    forehead: whole(told.forehead, 0, SURFACE - 1),
  };
}

function readFolds(relief, stored, unit) {
  expect(stored?.shape.length === 1, "folds");
  let at = 0;
  const folds = list(relief.folds, 0, MOST_FOLDS).map(fold => {
    const [rows, columns] = list(fold.of, 2, 2).map(side => whole(side, 0, 512));
    const top = whole(fold.top, 0, 512), left = whole(fold.left, 0, 512);
    expect(left + columns <= relief.size[0] && top + rows <= relief.size[1], "folds");
    const values = Float32Array.from(stored.values.subarray(at, at += rows * columns), v => v * unit);
    const across = list(fold.across, 1, 16).map(pair => list(pair, 2, 2).map(i => whole(i, 0, SURFACE - 1)));
    return { across, onset: list(fold.onset, 2, 2).map(number), top, left, rows, columns, values };
  });
  expect(at === stored.values.length, "folds");
  return folds;
}

function readEye(told) {
  return {
    ...numbers(told, EYE),
    ...("origin" in told ? numbers(told, WHITE) : {}),
    ...("lens_origin" in told ? numbers(told, LENS) : {}),
    ...("crease" in told ? numbers(told, LID) : {}),
  };
}

function readPictures(header, pictures, width, height, margin) {
  const sized = (name, w, h) => {
    const shown = pictures.get(name);
    expect(shown && shown.width === w && shown.height === h, `picture ${name}`);
    return shown;
  };
  const sheet = withAlpha(sized("sheet", width + 2 * margin, height + 2 * margin),
    sized("matte", width + 2 * margin, height + 2 * margin));
  premultiply(sheet.data);
  const atlas = pictures.get("atlas");
  expect(atlas, "atlas");
  const places = new Map(Object.entries(header.atlas).map(([name, place]) => {
    const [left, top, w, h] = list(place, 4, 4).map(side => whole(side, 1, MOST_SIDE));
    expect(left + w < atlas.width && top + h < atlas.height, "atlas");
    return [name, [left, top, w, h]];
  }));
  for (const eye of ["right_eye", "left_eye"])
    for (const [key, names] of [["origin", ["white", "iris"]], ["lens_origin", ["lens"]], ["crease", ["lid"]]])
      expect(!(key in header.parts[eye]) || names.every(name => places.has(`${eye}.${name}`)), "atlas");
  expect(places.has("mouth.upper") && places.has("mouth.lower"), "atlas");
  return {
    sheet, places,
    backdrop: withAlpha(sized("backdrop", width, height), sized("where", width, height)),
    gone: sized("gone", Math.ceil(width / GONE_SCALE), Math.ceil(height / GONE_SCALE)),
    atlas: withAlpha(atlas, sized("atlas_alpha", atlas.width, atlas.height)),
  };
}

/** A colour picture and a grey one -> one with alpha, straight. */
function withAlpha(colours, alpha) {
  for (let i = 0; i < colours.data.length; i += 4) colours.data[i + 3] = alpha.data[i];
  return colours;
}

function premultiply(data) {
  for (let i = 0; i < data.length; i += 4)
    for (let c = 0; c < 3; c++) data[i + c] = Math.round(data[i + c] * data[i + 3] / 255);
}

function points(planes, count, unit) {
  const out = new Float64Array(3 * count);
  for (let axis = 0; axis < 3; axis++)
    for (let i = 0; i < count; i++) out[3 * i + axis] = planes[axis * count + i] * unit;
  return out;
}

/** Differences along rows -> values, in place. */
function accumulate(values, rows, columns) {
  for (let row = 0; row < rows; row++)
    for (let i = 1; i < columns; i++) values[row * columns + i] += values[row * columns + i - 1];
}

async function array({ type, shape }, blob) {
  const sides = list(shape, 1, 3).map(side => whole(side, 1, MOST_VALUES));
  const count = sides.reduce((a, b) => a * b, 1);
  expect(count <= MOST_VALUES && Object.hasOwn(TYPES, type), "array");
  const Type = TYPES[type], bytes = await inflated(blob, count * Type.BYTES_PER_ELEMENT);
  expect(bytes.length === count * Type.BYTES_PER_ELEMENT, "array");
  return { shape: sides, values: new Type(bytes.buffer) };
}

function shaped(arrays, name, shape) {
  const stored = arrays.get(name);
  expect(stored && stored.shape.length === shape.length && stored.shape.every((side, i) => side === shape[i]), name);
  return stored.values;
}

/** What zlib compressed; never more than `most` bytes. */
async function inflated(blob, most) {
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
async function picture({ size }, blob) {
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

function coefficientIndex(names) {
  return new Map(list(names, COEFFICIENTS, COEFFICIENTS).map((name, i) => [String(name), i]));
}

/** Numbers by name; lists of lists become one list. */
function numbers(told, names) {
  return Object.fromEntries(Object.entries(names).map(([name, count]) => {
    if (count === 1) return [name, number(told[name])];
    const values = [told[name]].flat(3).map(number);
    expect(values.length === count, name);
    return [name, values];
  }));
}

function number(value) {
  expect(typeof value === "number" && Math.abs(value) <= MOST_NUMBER, "number");
  return value;
}

function whole(value, least, most) {
  expect(Number.isInteger(value) && value >= least && value <= most, "size or index");
  return value;
}

function list(value, least, most) {
  expect(Array.isArray(value) && value.length >= least && value.length <= most, "list");
  return value;
}

function expect(holds, what) {
  if (!holds) throw new PackageError(`The avatar package is damaged or not one (${what}).`);
}
