/** A bound on how often something is done, a bucket that fills slowly: runtime/transports/attempts.py in a browser. */
export class Attempts {
  /** `burst`: how often at once; each `everyMs`, one more is allowed. */
  constructor(burst, everyMs) {
    this.burst = burst;
    this.everyMs = everyMs;
    this.fullMs = 0;
  }

  /** Whether one more is allowed now. */
  take(now = performance.now()) {
    const fullMs = Math.max(this.fullMs, now) + this.everyMs;
    if (fullMs - now > this.burst * this.everyMs) return false;
    this.fullMs = fullMs;
    return true;
  }
}
