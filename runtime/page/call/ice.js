// What a browser needs to be found from another network.

const GATHER_MS = 500;
const SERVER = /<(stun:[^>]+)>; *rel="ice-server"/g;

/** STUN servers that the agent at `path` asks, as RTCPeerConnection wants them; none where it asks none. */
export async function iceServers(path) {
  const told = await fetch(path, { method: "OPTIONS" });
  return [...(told.headers.get("Link") ?? "").matchAll(SERVER)].map(([, urls]) => ({ urls }));
}

/** Waits until a connection knows its own addresses, but not for long. */
export function gathered(connection) {
  return new Promise(resolve => {
    setTimeout(resolve, GATHER_MS);
    const look = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", look);
    look();
  });
}
