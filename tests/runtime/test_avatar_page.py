"""The player of avatars in a real browser, held against the Python that it follows."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser_pictures import POSES, Drawn, blank_page, load, nearness
from show_browser_avatar import open_page, packets_of

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.builtin.packing import pack
from models.face import load_face_model
from models.motion import Motion
from runtime.torso import TorsoFollow
from runtime.transports.playout import Playout
from tests.browser import reads
from tests.models.hostile_packages import hostile
from tests.models.motions import leaping, talking

RENDERERS = ("webgl", "software")
SEEN = ("rest", "smile", "half blink", "up", "other yaw", "frown", "tilted")
LEAST_DB = {"frame": 36.0, "mouth": 33.0, "eyes": 34.0}
COARSE, LEAST_COARSE_DB = 4, {"frame": 43.5, "mouth": 43.0, "eyes": 42.5}
RETURN_NS = 300_000_000
VECTORS = Path(__file__).parents[1] / "models" / "motion_vectors.json"


@pytest.fixture(scope="module")
def avatar(portrait_png):
    return BuiltinAvatar(prepare_portrait(read_photo(portrait_png), (512, 512)), load_face_model())


@pytest.fixture(scope="module")
def package(avatar):
    return pack(avatar)


@pytest.fixture(scope="module")
def blank(browser) -> Iterator:
    """A page beside which the player lies."""
    with blank_page() as address:
        page = browser.new_page()
        page.goto(address)
        yield page
        page.close()


@pytest.fixture(scope="module", params=RENDERERS)
def drawn(request, blank, package) -> Drawn:
    return load(blank, package, request.param)


def coarse(picture: np.ndarray) -> np.ndarray:
    """What lossy coding does to single pixels averages out; what is drawn elsewhere or otherwise does not."""
    return cv2.resize(picture.astype(np.float32), None, fx=1 / COARSE, fy=1 / COARSE, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("pose", SEEN)
def test_the_browser_draws_what_the_engine_draws(drawn, avatar, pose):
    motion = POSES[pose]
    picture, reference, landmarks = drawn.picture(motion), avatar.render(motion), avatar.landmarks(motion)
    fine = nearness(picture, reference, landmarks)
    assert all(fine[part] >= least for part, least in LEAST_DB.items()), fine
    rough = nearness(coarse(picture), coarse(reference), (landmarks + 0.5) / COARSE - 0.5)
    assert all(rough[part] >= least for part, least in LEAST_COARSE_DB.items()), rough


def test_the_first_picture_does_not_depend_on_those_before(drawn):
    before = drawn.picture(POSES["smile"])
    drawn.picture(POSES["tilted"])
    assert (drawn.picture(POSES["smile"]) == before).all()


def test_a_lost_graphics_context_comes_back(blank, package):
    drawn = blank.evaluate(
        """async bytes => {
            const { Player, readPackage } = await import("/avatar/player.js");
            const packed = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0)).buffer;
            const canvas = document.createElement("canvas");
            const player = new Player(canvas, await readPackage(packed), "webgl");
            const gl = canvas.getContext("webgl2"), lose = gl.getExtension("WEBGL_lose_context");
            const rest = { expression: Array(64).fill(0), rotation: [0, 0, 0], translation: [0, 0, 0] };
            const middle = () => {
                player.show(rest);
                const pixel = new Uint8Array(4);
                gl.readPixels(256, 256, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
                return [...pixel];
            };
            const happens = name => new Promise(resolve => canvas.addEventListener(name, resolve, { once: true }));
            const before = middle(), lost = happens("webglcontextlost");
            lose.loseContext();
            await lost;
            player.show(rest);
            await new Promise(resolve => setTimeout(resolve));
            const back = happens("webglcontextrestored");
            lose.restoreContext();
            await back;
            return [before, middle()];
        }""",
        base64.b64encode(package).decode(),
    )
    assert drawn[0] == drawn[1]
    assert sum(drawn[0][:3]) > 0


def test_hostile_packages_are_refused(blank, package):
    told = blank.evaluate(
        """async packages => {
            const { PackageError, readPackage } = await import("/avatar/player.js"), told = {};
            for (const [what, bytes] of Object.entries(packages)) {
                const packed = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0)).buffer;
                try {
                    await readPackage(packed);
                    told[what] = "taken";
                } catch (error) {
                    told[what] = error instanceof PackageError ? "refused" : String(error);
                }
            }
            return told;
        }""",
        {what: base64.b64encode(data).decode() for what, data in [*hostile(package).items(), ("a good one", package)]},
    )
    assert told.pop("a good one") == "taken"
    assert {what for what, answer in told.items() if answer != "refused"} == set()


def test_the_browser_decodes_what_the_packets_mean(blank):
    vectors = json.loads(VECTORS.read_text())["packets"]
    told, dropped = blank.evaluate(
        """async packets => {
            const { MotionDecoder } = await import("/avatar/player.js");
            const tables = await (await fetch("/avatar/motion_tables.json")).json();
            const decoder = new MotionDecoder(tables);
            const bytes = hex => Uint8Array.from(hex.match(/../g), pair => parseInt(pair, 16));
            const told = packets.map(hex => decoder.push(bytes(hex)));
            const plain = ({ ticks, expression, rotation, translation, confidence }) =>
                ({ ticks, values: [...expression, ...rotation, ...translation], confidence });
            return [told.map(motions => motions.map(plain)), decoder.dropped];
        }""",
        [vector["hex"] for vector in vectors],
    )
    assert dropped == 0
    for motions, vector in zip(told, vectors, strict=True):
        assert [motion["ticks"] for motion in motions] == vector["ticks"]
        for motion, want in zip(motions, vector["values"], strict=True):
            np.testing.assert_allclose(motion["values"], want, atol=2e-6)
        np.testing.assert_allclose([motion["confidence"] for motion in motions], vector["confidence"])


def test_damaged_packets_are_dropped_and_counted(blank):
    packet = bytes.fromhex(json.loads(VECTORS.read_text())["packets"][0]["hex"])
    broken = [packet[:k] for k in range(0, len(packet), 7)] + [packet + b"\1", bytes(9), bytes(2000)]
    broken += [leaping(1)] + [packet[:k] + bytes([packet[k] ^ 16]) + packet[k + 1 :] for k in range(len(packet))]
    dropped = blank.evaluate(
        """async packets => {
            const { MotionDecoder } = await import("/avatar/player.js");
            const tables = await (await fetch("/avatar/motion_tables.json")).json();
            const decoder = new MotionDecoder(tables);
            for (const packet of packets) decoder.push(Uint8Array.from(packet));
            return decoder.dropped;
        }""",
        [list(each) for each in broken],
    )
    assert dropped == len(broken)


def test_pictures_between_motions_are_those_of_the_playout(blank, package):
    """Sixty a second from 25 motions, with jitter, losses, and half a second in which nothing comes."""
    arrivals, moments = _call()
    playout, torso, want, waiting = Playout(), TorsoFollow(), [], list(arrivals)
    faith, last_ns = 1.0, 0
    for now_ns in moments:
        while waiting and waiting[0][0] <= now_ns:
            at_ns, motions = waiting.pop(0)
            playout.push(motions, at_ns)
        motion = playout.at(now_ns)
        if motion is not None:
            faith, last_ns = min(motion.confidence, faith + (now_ns - last_ns) / RETURN_NS), now_ns
            eased = Motion(0, *(np.float32(faith) * part for part in _parts(motion)))
            want.append(np.concatenate([*_parts(eased), torso(eased, now_ns).torso]))
    got = blank.evaluate(
        """async ([bytes, arrivals, moments]) => {
            const { Player, readPackage } = await import("/avatar/player.js");
            const packed = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0)).buffer;
            const player = new Player(document.createElement("canvas"), await readPackage(packed), "software");
            const shown = [];
            player.show = m => shown.push([...m.expression, ...m.rotation, ...m.translation, ...m.torso]);
            for (const now of moments) {
                while (arrivals.length && arrivals[0][0] <= now) {
                    const [at, motions] = arrivals.shift();
                    player.push(motions, at);
                }
                player.at(now);
            }
            return shown;
        }""",
        [
            base64.b64encode(package).decode(),
            [[at_ns / 1e6, [_plain(motion) for motion in motions]] for at_ns, motions in arrivals],
            [now_ns / 1e6 for now_ns in moments],
        ],
    )
    assert len(got) == len(want) > 300
    np.testing.assert_allclose(got, want, atol=2e-4)
    assert np.abs(np.diff(np.array(got)[:, :64], axis=0)).max() < 0.35  # 0.58 lie between motions 40 ms apart


def _call() -> tuple[list[tuple[int, tuple[Motion, ...]]], list[int]]:
    """When packets arrive, and when pictures are drawn."""
    sent, draw, ours_ns = _talking_of_confidence(), np.random.default_rng(1), 1_000_000_000_000
    arrivals = []
    for newest in range(1, len(sent), 2):
        lost = draw.random() < 0.1 or 80 <= newest < 95
        at_ns = ours_ns + newest * 40_000_000 + 30_000_000 + int(draw.uniform(0, 20_000_000))
        if not lost:
            arrivals.append((at_ns, tuple(sent[max(0, newest - 2) : newest + 1])))
    return arrivals, [ours_ns + k * 16_666_667 for k in range(370)]


def _talking_of_confidence() -> list[Motion]:
    """Less and less of it for a while, then all again."""
    return [
        Motion(m.pts_ns, m.expression, m.rotation, m.translation, float(np.interp(k, [20, 30, 60], [1, 0.25, 1])))
        for k, m in enumerate(talking(150))
    ]


def _parts(motion: Motion) -> tuple[np.ndarray, ...]:
    return motion.expression, motion.rotation, motion.translation


def _plain(motion: Motion) -> dict[str, object]:
    values = {name: getattr(motion, name).tolist() for name in ("expression", "rotation", "translation")}
    return values | {"pts": motion.pts_ns / 1e6, "confidence": motion.confidence}


def test_a_page_shows_the_portrait_and_moves_it(page, package):
    server = open_page(package, packets_of(talking(50)))
    server.start()
    try:
        page.goto(server.url)
        reads(page, state="Done", dropped="0", renderer="JavaScript", package=f"{len(package) / 1000:.0f} kB")
        page.wait_for_function("Number(document.getElementById('rate').textContent) > 0")
    finally:
        server.close()


def test_a_page_says_what_is_wrong_with_a_package(page, package):
    server = open_page(package[:-1], [])
    server.start()
    try:
        page.goto(server.url)
        reads(page, state="Failed", what="The portrait cannot be shown")
        assert "damaged" in page.locator("#why").inner_text()
    finally:
        server.close()
