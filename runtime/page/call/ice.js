// What a browser needs to be found from another network.

const SERVER = /<(stun:[^>]+)>; *rel="ice-server"/g;

/** STUN servers that the agent at `path` asks, as RTCPeerConnection wants them; none where it asks none. */
export async function iceServers(path) {
  const told = await fetch(path, { method: "OPTIONS" });
  return [...(told.headers.get("Link") ?? "").matchAll(SERVER)].map(([, urls]) => ({ urls }));
}
