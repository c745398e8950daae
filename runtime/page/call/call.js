// A browser's end of a call: docs/call_protocol.md, without a portrait and motion of its own.
//
//   await talk(secret, guest, keys)      returns what the other end said at last
//
// `guest` is {name, microphone: a track or null, left: whether the user has hung up, joined(connection, secret to come
// back with), hello(name, whether the camera may be shown), show(package): a promise, motion(packet),
// glimpse(packet), sound(stream), live(), lost(error)}; `keys` are those of connections by the secret, where it is a link's.

import { VERSION as MOTION_VERSION } from "/avatar/motion.js";
import { gathered, iceServers } from "./ice.js";
import { prove, resumeSecret, sha256 } from "./proof.js";

const PATH = "/call", VERSION = 1, AVATAR_VERSION = 1;
const CONTROL = 0, MOTION = 1, CAMERA = 2;  // channel ids
const MOST_PACKAGE = 400_000, MOST_TEXT = 2048, MOST_NAME = 40, MOST_REASON = 200;
const ANSWER_MS = 8000, CONNECT_MS = 10_000, SILENT_MS = 2500, LOOK_MS = 250;
const RESUME_MS = 30_000, AGAIN_MS = 1000, GOODBYE_MS = 200;

/** Raised where trying again is of no use; says why. */
export class RefusedError extends Error {}

/** Raised where another link is needed. */
export class LinkError extends RefusedError {}

class LostError extends Error {}

/** Raised where many try to join: it will pass. */
export class CrowdedError extends LostError {}

/** Joins, and comes back whenever the connection breaks, until either end hangs up. Rejects with an Error. */
export async function talk(secret, guest, keys) {
  let link = secret, lost = null, digest = null;
  while (!guest.left) {
    const connection = new Connection(guest, digest, link === secret && keys ? [keys] : []);
    try {
      link = await connection.join(link);
      guest.joined(connection, link);
      if (guest.left) connection.hangUp();
      return await connection.ended;
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      if (connection.live || lost === null && error instanceof LostError) lost = performance.now();
      if (lost === null || performance.now() - lost > RESUME_MS) throw error;
      guest.lost(error);
      await pause(AGAIN_MS);
    } finally {
      digest = connection.digest;
      await connection.close();
    }
  }
  return "";
}

class Connection {
  /** `digest`: of the package that is shown already, if there is one. */
  constructor(guest, digest, certificates) {
    this.guest = guest;
    this.digest = digest;
    this.live = false;  // the other end's portrait is shown
    this.camera = false;  // and pictures of their camera may take its place
    this.wanted = null;  // {sha256, bytes}: of the package that is to come
    this.parts = [];
    this.arrived = 0;  // bytes of it
    this.greeted = false;  // by the other end
    this.heardMs = null;  // when motion came last
    this.begunMs = performance.now();
    this.ended = new Promise((resolve, reject) => Object.assign(this, { end: resolve, fail: reject }));
    this.ended.catch(() => {});  // whoever joins hears of it
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle", certificates });
    this.voice = this.peer.addTransceiver("audio", { direction: "sendrecv" });  // before any channel: aiortc's bundle
    this.speak(guest.microphone);
    this.control = this.channel("control", CONTROL, {});
    const lossy = { ordered: false, maxRetransmits: 0 };
    const motion = this.channel("motion", MOTION, lossy), camera = this.channel("camera", CAMERA, lossy);
    this.control.onopen = () => this.tell({
      type: "hello", version: VERSION, motion: MOTION_VERSION, name: guest.name,
    });
    this.control.onmessage = ({ data }) => this.hear(data).catch(error => this.refuse(error.message));
    motion.onmessage = ({ data }) => this.move(data);
    camera.onmessage = ({ data }) => {
      if (this.live && this.camera && data instanceof ArrayBuffer) guest.glimpse(new Uint8Array(data));
    };
    this.peer.ontrack = ({ track }) => guest.sound(new MediaStream([track]));
    this.peer.onconnectionstatechange = () => {
      if (["failed", "closed"].includes(this.peer.connectionState)) this.fail(new LostError("The connection is lost."));
    };
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Shows the host that we know the secret, and that it does; returns the one to come back with. */
  async join(secret) {
    this.peer.setConfiguration({ ...this.peer.getConfiguration(), iceServers: await iceServers(PATH).catch(unanswered) });
    await this.peer.setLocalDescription();
    await gathered(this.peer);
    const offer = this.peer.localDescription.sdp;
    const headers = { "Content-Type": "application/sdp", Authorization: `Proof ${prove(secret, "guest", offer)}` };
    const told = await fetch(PATH, { method: "POST", headers, body: offer, signal: AbortSignal.timeout(ANSWER_MS) })
      .catch(unanswered);
    const answer = await told.text();
    if (told.status === 401) throw new LinkError(answer);
    if (told.status === 429) throw new CrowdedError(answer);
    if (told.status >= 400 && told.status < 500) throw new RefusedError(answer);
    if (told.status !== 201) throw new Error(answer || "The other end is busy.");
    if (told.headers.get("X-Proof") !== prove(secret, "host", answer))
      throw new RefusedError("The answer does not come from whoever made the link.");
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
    return resumeSecret(secret, offer, answer);
  }

  /** From now on the other end hears this track, or nothing. */
  speak(track) {
    return this.voice.sender.replaceTrack(track);
  }

  hangUp() {
    this.tell({ type: "bye", reason: "hung up" });
    this.end("");
  }

  async close() {
    clearInterval(this.timer);
    await pause(GOODBYE_MS);  // what was said last is on its way
    this.peer.close();
  }

  channel(name, id, options) {
    const channel = this.peer.createDataChannel(name, { negotiated: true, id, ...options });
    channel.binaryType = "arraybuffer";
    return channel;
  }

  tell(message) {
    if (this.control.readyState === "open") this.control.send(JSON.stringify(message));
  }

  refuse(why) {
    this.tell({ type: "bye", reason: why });
    this.fail(new RefusedError(why));
  }

  look() {
    const now = performance.now();
    const silent = this.heardMs === null ? false : now - this.heardMs > SILENT_MS;
    const unreached = this.peer.connectionState !== "connected" && now - this.begunMs > CONNECT_MS;
    if (silent || unreached) this.fail(new LostError("The other end is not heard any more."));
  }

  move(data) {
    this.heardMs = performance.now();
    if (data instanceof ArrayBuffer) this.guest.motion(new Uint8Array(data));
  }

  async hear(data) {
    if (data instanceof ArrayBuffer) return this.take(new Uint8Array(data));
    if (data.length > MOST_TEXT) throw new Error("The other end says something too long.");
    const said = JSON.parse(data);
    if (said?.type === "bye") this.end(String(said.reason ?? "").slice(0, MOST_REASON));
    if (said?.type === "hello") await this.greet(said);
  }

  async greet({ version, motion, name, avatar, camera }) {
    if (this.greeted) throw new Error("The other end says hello twice.");
    this.greeted = true;
    if (version !== VERSION || motion !== MOTION_VERSION || avatar && avatar.version !== AVATAR_VERSION)
      throw new Error("The other end speaks another version.");
    if (!avatar || !(avatar.bytes > 0 && avatar.bytes <= MOST_PACKAGE))
      throw new Error("The other end has no portrait that a browser can draw.");
    this.camera = camera === true;
    this.guest.hello(String(name ?? "").slice(0, MOST_NAME), this.camera);
    if (avatar.sha256 === this.digest) return this.shown();
    this.wanted = avatar;
    this.tell({ type: "want", sha256: avatar.sha256 });
  }

  async take(part) {
    this.arrived += part.length;
    if (!this.wanted || !part.length || this.arrived > this.wanted.bytes)
      throw new Error("The other end sends what it did not announce.");
    this.parts.push(part);
    if (this.arrived < this.wanted.bytes) return;
    const data = new Uint8Array(await new Blob(this.parts).arrayBuffer());
    if (sha256(data) !== this.wanted.sha256) throw new Error("The portrait is not the announced one.");
    const { sha256: digest } = this.wanted;
    this.wanted = null;
    await this.guest.show(data.buffer);
    this.digest = digest;
    this.shown();
  }

  shown() {
    this.live = true;
    this.guest.live();
    this.tell({ type: "ready" });
  }
}

function unanswered() {
  throw new Error("The other end does not answer.");
}

function pause(ms) {
  return new Promise(resolve => setTimeout(resolve, ms));
}
