// Packets of motion -> motions: docs/motion_wire.md in the browser. Everything up to the last step is whole numbers.

export const TICK_MS = 0.1;
export const VERSION = 2;

const HEAD = 7, CHECK = 2, MOST_BYTES = 1100;
const REFERENCE = 1, ACKNOWLEDGES = 2;  // flags
const SEQUENCES = 2 ** 16, WRAP = 2 ** 32, REMEMBERED = 64, OFFSET_BITS = 12;
const ALONE = 0, AFTER = 1, BESIDE = 2, BETWEEN = 3;
const UNIT = 1024, EVEN = 2048, UNARY = 6, LONGEST = 10, BINS = 4;
const COEFFICIENTS = 64, GREATEST = 2;

class DamagedError extends Error {}

/** Packets of one sender. Bounded memory and time whatever comes; never throws. */
export class MotionDecoder {
  /** `tables`: the parsed models/data/motion_tables.json. */
  constructor(tables) {
    this.tables = tables;
    this.known = new Map();  // sequence -> levels of the newest motion
    this.ticks = null;
    this.dropped = 0;  // packets that were damaged, of another version, or told from what is not known here
    this.newest = null;  // sequence number of the newest decoded packet: what to acknowledge
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
    const version = packet[0] >> 4, flags = packet[0] & 15, sequence = view.getUint16(1);
    const refers = flags & REFERENCE ? 1 : 0, acknowledges = flags & ACKNOWLEDGES ? 2 : 0;
    expect(version === VERSION && flags <= 7 && packet.length >= HEAD + refers + acknowledges + CHECK);
    let reference = null;
    if (refers) {
      reference = this.known.get((sequence - packet[HEAD] + SEQUENCES) % SEQUENCES);
      expect(reference !== undefined);
    }
    const at = HEAD + refers;
    const body = packet.subarray(at + acknowledges, packet.length - CHECK);
    const told = readMotions(new BitReader(body), reference, this.unwrapped(view.getUint32(3)), this.tables);
    if (acknowledges) this.acknowledged = view.getUint16(at);
    const newest = told[told.length - 1];
    this.ticks = newest.ticks;
    const ahead = (sequence - this.newest + SEQUENCES) % SEQUENCES;
    if (this.newest === null || ahead < SEQUENCES / 2) this.newest = sequence;
    this.known.delete(sequence);
    this.known.set(sequence, newest.levels);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value);
    return told;
  }

  /** The instant nearest to the last one. */
  unwrapped(ticks) {
    if (this.ticks === null) return ticks;
    const ahead = (ticks - this.ticks + WRAP / 2) % WRAP;
    return this.ticks + (ahead < 0 ? ahead + WRAP : ahead) - WRAP / 2;
  }
}

function readMotions(bits, reference, ticks, tables) {
  const older = bits.number(2);
  const differences = readDifferences(bits, reference ? AFTER : ALONE, tables);
  const levels = reference ? differences.map((difference, i) => reference[i] + difference) : differences;
  const newest = { ticks, levels: bounded(levels, tables) }, told = [];
  for (let k = 0; k < older; k++) {
    const at = ticks - bits.number(OFFSET_BITS);
    expect(at < ticks && at > (k ? told[k - 1].ticks : ticks - 2 ** OFFSET_BITS));
    const from = k ? between(told[0], newest, at) : newest.levels;
    const differences = readDifferences(bits, k ? BETWEEN : BESIDE, tables);
    told.push({ ticks: at, levels: bounded(from.map((level, i) => level + differences[i]), tables) });
  }
  return [...told, newest];
}

/** The levels at an instant between two motions, rounded half up. */
function between(old, next, ticks) {
  const span = next.ticks - old.ticks, part = ticks - old.ticks;
  return old.levels.map((level, i) =>
    Math.floor((2 * (level * (span - part) + next.levels[i] * part) + span) / (2 * span)));
}

function bounded(levels, { bounds }) {
  return levels.map((level, i) => Math.min(Math.max(level, -bounds[i]), bounds[i]));
}

function readDifferences(bits, kind, tables) {
  const zero = tables.zero[kind], more = tables.more[kind];
  let last = 0, before = 0;
  return zero.map((chances, i) => {
    const some = bits.bit(chances[last + before]);
    before = last;
    last = some;
    if (!some) return 0;
    const negative = bits.bit(EVEN), size = readSize(bits, more[i]) + 1;
    return negative ? -size : size;
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

/** Bytes -> the bits that an arithmetic coder wrote. Beyond the end it reads zeros: any bytes mean some bits. */
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
    return this.next < this.bytes.length ? this.bytes[this.next++] : 0;
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
