// Who has the link, shown without sending it: runtime/transports/links.py in the browser. Links are http:, where
// browsers keep their own cryptography back, so SHA-256 is here.

const BLOCK = 64;
const PRIMES = firstPrimes(64);
const ROUNDS = PRIMES.map(prime => fraction(Math.cbrt(prime)));
const BEGIN = PRIMES.slice(0, 8).map(prime => fraction(Math.sqrt(prime)));

let keys = null;

/** A Uint8Array -> its SHA-256, hexadecimal. */
export function sha256(bytes) {
  return hex(digest(bytes));
}

/** By one side ("guest" or "host"), whose offer or answer is `sdp`, that it knows the secret. */
export function prove(secret, side, sdp) {
  return mac(secret, [side, ...fingerprints(sdp)]);
}

/** The keys of this page's connections by a link, a promise: a link's proof of the same keys may be told again. */
export function linkKeys() {
  return keys ??= RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" });
}

/** With what the guest of this offer and answer may come back. */
export function resumeSecret(secret, offer, answer) {
  return mac(secret, ["resume", ...fingerprints(offer), "|", ...fingerprints(answer)]);
}

function fingerprints(sdp) {
  const found = [...sdp.matchAll(/^a=fingerprint:(.*)$/gm)].map(([, value]) => value.trim().toLowerCase());
  return [...new Set(found.map(value => value.split(/\s+/).join(" ")))].sort();
}

function mac(secret, lines) {
  const text = value => new TextEncoder().encode(value), key = new Uint8Array(BLOCK), told = text(secret);
  key.set(told.length > BLOCK ? digest(told) : told);
  const padded = pad => key.map(byte => byte ^ pad);
  return hex(digest(joined(padded(0x5c), digest(joined(padded(0x36), text(lines.join("\n")))))));
}

function digest(bytes) {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK) * BLOCK), view = new DataView(padded.buffer);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const state = Uint32Array.from(BEGIN), words = new Uint32Array(64);
  for (let at = 0; at < padded.length; at += BLOCK) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(at + 4 * i);
    mix(state, words);
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => out.setUint32(4 * i, word));
  return new Uint8Array(out.buffer);
}

function mix(state, words) {
  for (let i = 16; i < 64; i++) {
    const near = words[i - 2], far = words[i - 15];
    words[i] = words[i - 16] + words[i - 7] + (turn(far, 7) ^ turn(far, 18) ^ far >>> 3)
      + (turn(near, 17) ^ turn(near, 19) ^ near >>> 10);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + ROUNDS[i] + words[i];
    const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c);
    [a, b, c, d, e, f, g, h] = [one + two | 0, a, b, c, d + one | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => state[i] += word);
}

function turn(word, by) {
  return word >>> by | word << 32 - by;
}

function fraction(root) {
  return Math.floor(root % 1 * 2 ** 32);
}

function firstPrimes(count) {
  const primes = [];
  for (let k = 2; primes.length < count; k++) if (primes.every(prime => k % prime)) primes.push(k);
  return primes;
}

function joined(a, b) {
  return Uint8Array.of(...a, ...b);
}

function hex(bytes) {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
}
