// Motions that a network delivers late, twice, out of order or not at all -> a motion for every picture:
// runtime/transports/playout.py in the browser, which says why. Times are milliseconds.

import { clip, smoothstep } from "./numbers.js";

const LEAST = 40, MOST = 100;  // delay
const PREDICTED = 200, FADE = 300;
const KEPT = 1000, JOURNEYS = 8000, MOST_JOURNEYS = 512, WAITS = 100, PATIENCE = 0.9, STRETCH = 0.05;
const LOST = 1000, STRIKES = 5;
const SETTLE = 60, DAMPING = 80, VELOCITY = 30;
const EXPRESSION = 64, VALUES = 70;

export class Playout {
  constructor() {
    this.forget();
  }

  /** Begins anew: what was known is of another clock. */
  forget() {
    this.motions = [];  // {pts, values, confidence}, by time
    this.journeys = [];  // [arrival, journey]
    this.waits = [];
    this.lag = null;  // our instant of showing minus the sender's of capture
    this.shown = 0;
    this.strikes = 0;
    this.error = null;
    this.errorAt = 0;
  }

  /** What a packet brought, oldest first ({pts, expression, rotation, translation, confidence}), and when. */
  push(motions, now) {
    if (!motions.length) return;
    const newest = motions[motions.length - 1].pts, journey = now - newest;
    if (this.journeys.length && Math.abs(journey - this.least()) > LOST) {
      if (++this.strikes < STRIKES) return;
      this.forget();
    }
    this.strikes = 0;
    const before = this.motions.length && this.lag !== null ? this.raw(now).values : null;
    const last = this.motions.length ? this.motions[this.motions.length - 1].pts : null;
    if (last !== null && newest > last) this.waits = [...this.waits, journey + newest - last].slice(-WAITS);
    this.journeys = [...this.journeys, [now, journey]].slice(-MOST_JOURNEYS);
    const known = new Set(this.motions.map(motion => motion.pts));
    for (const motion of motions)
      if (!known.has(motion.pts) && (last === null || motion.pts > last - KEPT))
        this.motions.push({ pts: motion.pts, values: valuesOf(motion), confidence: motion.confidence ?? 1 });
    this.motions.sort((a, b) => a.pts - b.pts);
    const kept = this.motions[this.motions.length - 1].pts - KEPT;
    this.motions = this.motions.filter(motion => motion.pts >= kept);
    if (before) this.takeBack(before, now);
  }

  /** The motion to show now; null before the first packet. Its confidence falls to 0 when nothing comes for long. */
  at(now) {
    if (!this.motions.length) return null;
    this.moveLag(now);
    const { pts, values, confidence } = this.raw(now);
    if (this.error) {
      const left = Math.exp(-(now - this.errorAt) / SETTLE);
      for (let i = 0; i < VALUES; i++) values[i] += left * this.error[i];
    }
    const late = now - this.lag - this.motions[this.motions.length - 1].pts;
    const faith = 1 - smoothstep([PREDICTED, PREDICTED + FADE], late);
    return {
      pts: pts + this.least(), confidence: confidence * faith,
      expression: values.slice(0, EXPRESSION),
      rotation: values.slice(EXPRESSION, EXPRESSION + 3),
      translation: values.slice(EXPRESSION + 3),
    };
  }

  least() {
    const newest = this.journeys[this.journeys.length - 1][0];
    return Math.min(...this.journeys.filter(([at]) => newest - at <= JOURNEYS).map(([, journey]) => journey));
  }

  moveLag(now) {
    const least = this.least(), waits = this.waits.length ? quantile(this.waits, PATIENCE) - least : MOST;
    const wanted = least + clip(waits, LEAST, MOST);
    this.lag ??= wanted;
    const step = STRETCH * Math.max(0, now - this.shown);
    this.lag += clip(wanted - this.lag, -step, step);
    this.shown = now;
  }

  /** Interpolated or predicted, on the sender's clock; its values are a copy. */
  raw(now) {
    const pts = now - this.lag, { motions } = this, later = motions.findIndex(motion => motion.pts > pts);
    if (later < 0) return this.predicted(pts);
    if (later === 0) return { ...motions[0], values: motions[0].values.slice() };
    const old = motions[later - 1], next = motions[later], share = (pts - old.pts) / (next.pts - old.pts);
    return {
      pts, values: old.values.map((value, i) => value + (next.values[i] - value) * share),
      confidence: old.confidence + (next.confidence - old.confidence) * share,
    };
  }

  /** The newest motion, carried on by its velocity for a moment. */
  predicted(pts) {
    const newest = this.motions[this.motions.length - 1];
    const before = this.motions.findLast(motion => newest.pts - motion.pts >= VELOCITY);
    const values = newest.values.slice();
    if (before) {
      const late = Math.min(pts - newest.pts, PREDICTED);
      const part = DAMPING * (1 - Math.exp(-late / DAMPING)) / (newest.pts - before.pts);
      for (let i = 0; i < VALUES; i++) {
        const value = values[i], carried = value + part * (value - before.values[i]), allowed = clip(carried, -1, 1.5);
        values[i] = i < EXPRESSION ? clip(carried, Math.min(value, allowed), Math.max(value, allowed)) : carried;
      }
    }
    return { pts, values, confidence: newest.confidence };
  }

  /** What was shown and what is known now differ: the difference goes gradually. */
  takeBack(before, now) {
    const values = this.raw(now).values, left = this.error ? Math.exp(-(now - this.errorAt) / SETTLE) : 0;
    this.error = before.map((value, i) => value - values[i] + (this.error ? left * this.error[i] : 0));
    this.errorAt = now;
  }
}

function valuesOf({ expression, rotation, translation }) {
  return Float64Array.of(...expression, ...rotation, ...translation);
}

/** Linear between the two nearest. */
function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b), at = part * (sorted.length - 1), i = Math.floor(at);
  return sorted[i] + (at - i) * (sorted[Math.min(i + 1, sorted.length - 1)] - sorted[i]);
}
