// What makes sure that a package is what it says.

const MOST_NUMBER = 1e5;

/** Raised for what is not a package that can be drawn safely. */
export class PackageError extends Error {}

/** Numbers by name; lists of lists become one list. */
export function numbers(told, names) {
  return Object.fromEntries(Object.entries(names).map(([name, count]) => {
    if (count === 1) return [name, number(told[name])];
    const values = [told[name]].flat(3).map(number);
    expect(values.length === count, name);
    return [name, values];
  }));
}

export function number(value) {
  expect(typeof value === "number" && Math.abs(value) <= MOST_NUMBER, "number");
  return value;
}

export function whole(value, least, most) {
  expect(Number.isInteger(value) && value >= least && value <= most, "size or index");
  return value;
}

export function list(value, least, most) {
  expect(Array.isArray(value) && value.length >= least && value.length <= most, "list");
  return value;
}

export function expect(holds, what) {
  if (!holds) throw new PackageError(`The avatar package is damaged or not one (${what}).`);
}
