// Packets of motion -> motions: docs/motion_wire.md in the browser. Everything up to the last step is whole numbers.

export const TICK_MS = 0.5;
export const VERSION = 3;

const HEAD = 4, CHECK = 2, MOST_BYTES = 1100;
const REFERENCE = 1, ACKNOWLEDGES = 2, MOST_FLAGS = 11;
const SEQUENCES = 2 ** 8, TICKS = 2 ** 16, WRAP = 2 ** 32, REMEMBERED = 64, DISTANCE_BITS = 6, OFFSET_BITS = 9;
const ALONE = 0, AFTER = 1, BESIDE = 2, BEYOND = 3;
const UNIT = 1024, EVEN = 2048, ONE = 4096, UNARY = 6, LONGEST = 13, BINS = 4, LEFT_OUT = 4;
const BEFORE = 6, MUCH = 3, ACTIVE = [1, 2, 4, 7], HINTS = 3;
const COEFFICIENTS = 64, GREATEST = 2;

class DamagedError extends Error {}

/** Packets of one sender. Bounded memory and time whatever comes; never throws. */
export class MotionDecoder {
  /** `tables`: the parsed models/data/motion_tables.json. */
  constructor(tables) {
    this.tables = tables;
    this.known = new Map();  // sequence -> levels of the newest motion
    this.newest = null;  // sequence of the newest decoded packet, without a break
    this.ticks = null;
    this.dropped = 0;  // packets that were damaged, of another version, or told from what is not known here
    this.acknowledged = null;  // what the other side acknowledged last
  }

  /** A Uint8Array -> its motions {ticks, expression, rotation, translation, confidence}, oldest first. */
  push(packet) {
    try {
      return this.decoded(packet).map(({ ticks, levels }) => ({ ticks, ...toMotion(levels, this.tables) }));
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      this.dropped++;
      return [];
    }
  }

  decoded(packet) {
    expect(packet.length >= HEAD + CHECK && packet.length <= MOST_BYTES && crc(packet) === 0);
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    const flags = packet[0] & 15, begin = HEAD + (flags & ACKNOWLEDGES ? 1 : 0);
    expect(packet[0] >> 4 === VERSION && flags <= MOST_FLAGS && packet.length >= begin + CHECK);
    const sequence = unwrapped(packet[1], this.newest, SEQUENCES);
    const bits = new BitReader(packet.subarray(begin, packet.length - CHECK));
    let reference = null;
    if (flags & REFERENCE) {
      reference = this.known.get(sequence - 1 - bits.number(DISTANCE_BITS));
      expect(reference !== undefined);
    }
    const told = readMotions(bits, reference, unwrapped(view.getUint16(2), this.ticks, TICKS), this.tables);
    if (flags & ACKNOWLEDGES) this.acknowledged = packet[HEAD];
    const newest = told[told.length - 1];
    this.ticks = newest.ticks;
    this.newest = this.newest === null ? sequence : Math.max(sequence, this.newest);
    this.known.delete(sequence);
    this.known.set(sequence, newest.levels);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value);
    return told;
  }
}

/** The number nearest to the last one. */
function unwrapped(value, last, modulus) {
  if (last === null) return value;
  const ahead = (value - last + modulus / 2) % modulus;
  return last + (ahead < 0 ? ahead + modulus : ahead) - modulus / 2;
}

/** Oldest first. */
function readMotions(bits, reference, ticks, tables) {
  let hints = tables.bounds.map(() => 0);
  const differences = readDifferences(bits, reference ? AFTER : ALONE, hints, tables);
  if (reference) hints = differences;
  const told = [{ ticks, levels: moved(reference ?? hints.map(() => 0), differences, tables) }];
  const older = bits.number(2);
  for (let k = 0; k < older; k++) {
    const offset = bits.number(OFFSET_BITS), [next] = told;
    expect(offset > 0);
    hints = readDifferences(bits, k ? BEYOND : BESIDE, hints, tables);
    told.unshift({ ticks: next.ticks - offset, levels: moved(next.levels, hints, tables) });
  }
  return told;
}

function moved(levels, differences, { bounds }) {
  return levels.map((level, i) => Math.min(Math.max(level + differences[i], -bounds[i]), bounds[i]));
}

function readDifferences(bits, kind, hints, tables) {
  const zero = tables.zero[kind], more = tables.more[kind], against = tables.against[kind];
  const before = new Array(BEFORE).fill(0);
  return hints.map((hint, i) => {
    const sum = before.reduce((a, b) => a + b), active = ACTIVE.filter(least => sum >= least).length;
    let difference = 0;
    if (bits.bit(zero[i][HINTS * active + Math.min(Math.abs(hint), HINTS - 1)])) {
      const minus = hint > 0 ? against[i] : hint < 0 ? ONE - against[i] : EVEN;
      const negative = bits.bit(minus), size = readSize(bits, more[i]) + 1;
      expect(size <= 2 * tables.bounds[i]);
      difference = negative ? -size : size;
    }
    before[i % BEFORE] = Math.min(Math.abs(difference), MUCH);
    return difference;
  });
}

function readSize(bits, more) {
  for (let k = 0; k < UNARY; k++) if (!bits.bit(more[Math.min(k, BINS - 1)])) return k;
  let length = 0;
  while (length < LONGEST - 1 && bits.bit(EVEN)) length++;
  return UNARY + 2 ** length - 1 + bits.number(length);
}

/** The motion that levels stand for. */
function toMotion(levels, { joint, single, synthesis, steps }) {
  const expression = new Float32Array(COEFFICIENTS), directions = synthesis.length;
  const rest = Float32Array.from(steps, (step, k) => levels[directions + k] * step / UNIT);
  single.forEach((coefficient, k) => expression[coefficient] = rest[k]);
  joint.forEach((coefficient, j) => {
    let sum = 0;
    for (let d = 0; d < directions; d++) sum += levels[d] * synthesis[d][j];
    expression[coefficient] = sum / UNIT;
  });
  const from = single.length;
  return {
    expression: expression.map(value => Math.min(Math.max(value, -GREATEST), GREATEST)),
    rotation: rest.slice(from, from + 3),
    translation: rest.slice(from + 3, from + 6),
    confidence: Math.min(Math.max(rest[from + 6], 0), 1),
  };
}

/** Bytes -> the bits that an arithmetic coder wrote. Beyond the end it reads as many zeros as a writer leaves out. */
class BitReader {
  constructor(bytes) {
    this.bytes = bytes;
    this.next = 0;
    this.low = 0;
    this.high = WRAP - 1;
    this.code = 0;
    for (let k = 0; k < 4; k++) this.code = this.code * 256 + this.byte();
  }

  byte() {
    expect(this.next < this.bytes.length + 4 + LEFT_OUT);
    return this.bytes[this.next++] ?? 0;
  }

  /** One bit; `chance` / 4096 is the chance that it is 1. */
  bit(chance) {
    const middle = this.low + ((this.high - this.low) >>> 12) * chance, bit = this.code <= middle ? 1 : 0;
    if (bit) this.high = middle;
    else this.low = middle + 1;
    while (((this.low ^ this.high) & 0xff000000) === 0) {
      this.low = this.low << 8 >>> 0;
      this.high = (this.high << 8 | 0xff) >>> 0;
      this.code = (this.code << 8 | this.byte()) >>> 0;
    }
    return bit;
  }

  number(bits) {
    let value = 0;
    for (let k = 0; k < bits; k++) value = value << 1 | this.bit(EVEN);
    return value;
  }
}

/** CRC-16 with the polynomial 0x1021: 0 for a whole packet. */
function crc(bytes) {
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << 8;
    for (let k = 0; k < 8; k++) value = (value & 0x8000 ? value << 1 ^ 0x1021 : value << 1) & 0xffff;
  }
  return value;
}

function expect(holds) {
  if (!holds) throw new DamagedError();
}
