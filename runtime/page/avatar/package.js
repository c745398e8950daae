// Avatar package -> what a renderer needs. docs/avatar_package.md has the format; models/builtin/package.py writes it.
// A package comes from somebody else: every length, shape, index and size is checked before it is used.

import { MOST_SIDE, array, inflated, picture } from "./blobs.js";
import { PackageError, expect, list, number, numbers, whole } from "./checks.js";
import { CONSTANTS, EXPRESSION, EYE, LENS, LID, MOUTH, PUPPET, WHITE } from "./contents.js";

export { PackageError } from "./checks.js";

const VERSION = 1;
const HEAD_BYTES = 12;
const MOST_BYTES = 400_000, MOST_HEADER = 1 << 16;
const MOST_ARRAYS = 32, MOST_PICTURES = 16, MOST_FOLDS = 16;
const LEAST_PICTURE = 64, MOST_PICTURE = 1024;
const GONE_SCALE = 4;  // picture's pixels in one, across, of the picture "gone"

export const SURFACE = 468, LANDMARKS = 478, COEFFICIENTS = 64;

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

function shaped(arrays, name, shape) {
  const stored = arrays.get(name);
  expect(stored && stored.shape.length === shape.length && stored.shape.every((side, i) => side === shape[i]), name);
  return stored.values;
}

function coefficientIndex(names) {
  return new Map(list(names, COEFFICIENTS, COEFFICIENTS).map((name, i) => [String(name), i]));
}
