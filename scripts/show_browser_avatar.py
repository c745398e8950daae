"""Shows a portrait on a page that draws it itself, speaking: a package and packets of motion, no pictures.

    python scripts/show_browser_avatar.py [PORTRAIT] [--clip CLIP] [--port 8770]

Open the page that it names (`?renderer=software` or `webgl` to choose how it is drawn); Ctrl-C ends it.
"""

import agent  # before numpy: one thread for each numerical library

# isort: split
import argparse
import threading
from pathlib import Path

from aiohttp import web
from motions import motions_of

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.builtin.packing import pack
from models.face import load_face_model
from models.motion import Motion
from models.motion_codec import MotionEncoder
from runtime.avatar_page import AVATAR_PAGE, player_routes
from runtime.page_server import HEADERS, PageServer

EXAMPLE = Path(agent.__file__).parent / "example"
SIZE = (512, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portrait", type=Path, nargs="?", default=EXAMPLE / "portrait.png")
    parser.add_argument("--clip", type=Path, default=EXAMPLE / "speech.wav")
    parser.add_argument("--port", type=int, default=8770)
    options = parser.parse_args()
    portrait = prepare_portrait(read_photo(options.portrait), SIZE, name=options.portrait.name)
    package = pack(BuiltinAvatar(portrait, load_face_model()))
    server = open_page(package, packets_of(motions_of(options.clip)[0]), options.port)
    server.start()
    print(f"{server.url}   ({len(package)} bytes)", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.close()


def packets_of(motions: list[Motion]) -> list[dict[str, object]]:
    """Packets and when they are due, from the first motion on."""
    encoder, out = MotionEncoder(), []
    for motion in motions:
        packet = encoder.push(motion)
        if packet is not None:
            out.append({"due_ms": (motion.pts_ns - motions[0].pts_ns) / 1e6, "hex": packet.hex()})
    return out


def open_page(package: bytes, packets: list[dict[str, object]], port: int = 0) -> PageServer:
    """The page for one package and its motion, not yet started."""

    async def avatar(_: web.Request) -> web.Response:
        return web.Response(body=package, content_type="application/octet-stream", headers=HEADERS)

    async def motion(_: web.Request) -> web.Response:
        return web.json_response(packets, headers=HEADERS)

    routes = [web.get("/package", avatar), web.get("/packets", motion), *player_routes()]
    return PageServer("avatar", AVATAR_PAGE, "Portrait", port, routes)


if __name__ == "__main__":
    main()
