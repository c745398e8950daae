"""Pictures that a real browser draws of avatar packages, and how near they are to the engine's."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from aiohttp import web

from models.motion import Motion, expression
from models.topology import (
    INNER_LIPS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    OUTER_LIPS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
)
from runtime.avatar_page import player_routes
from runtime.page_server import PageServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

EYES_AND_MOUTH = {
    "mouth": (np.concatenate([INNER_LIPS, OUTER_LIPS]), 12),
    "eyes": (np.concatenate([RIGHT_UPPER_LID, RIGHT_LOWER_LID, LEFT_UPPER_LID, LEFT_LOWER_LID]), 8),
}
"""Landmarks of a part of the face, and pixels around them."""

_LOAD = """async ([bytes, renderer]) => {
    const { readPackage } = await import("/avatar/player.js");
    const { GlRenderer } = await import("/avatar/gl.js"), { SoftRenderer } = await import("/avatar/soft.js");
    const packed = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0)).buffer;
    const canvas = document.createElement("canvas"), began = performance.now();
    const Renderer = renderer === "webgl" ? GlRenderer : SoftRenderer;
    const drawing = new Renderer(canvas, await readPackage(packed));
    const gl = renderer === "webgl" ? canvas.getContext("webgl2") : null, { width, height } = canvas;
    const pixels = new Uint8Array(4 * width * height);
    window.read = () => {
        if (!gl) return drawing.picture.data;
        gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
        return pixels;
    };
    window.drawing = drawing;
    drawing.draw({ expression: Array(64).fill(0), rotation: [0, 0, 0], translation: [0, 0, 0] });
    window.read();
    return [width, height, performance.now() - began];
}"""
_DRAW = """motion => {
    window.drawing.draw(motion);
    const data = window.read();
    let text = "";
    for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
    return btoa(text);
}"""
_TIME = """([motions, count]) => Array.from({ length: count }, (_, i) => {
    const began = performance.now();
    window.drawing.draw(motions[i % motions.length]);
    window.read();
    return performance.now() - began;
})"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """An avatar that a page has loaded."""

    page: "Page"
    renderer: str
    size: tuple[int, int]
    first_ms: float
    """From the package's arrival to its first picture, read back."""

    def picture(self, motion: Motion) -> np.ndarray:
        """RGB, as `BuiltinAvatar.render` gives it."""
        data = base64.b64decode(self.page.evaluate(_DRAW, told(motion)))
        width, height = self.size
        image = np.frombuffer(data, np.uint8).reshape(height, width, 4)[..., :3]
        return image[::-1] if self.renderer == "webgl" else image

    def times_ms(self, motions: list[Motion], count: int) -> np.ndarray:
        """Of so many pictures, each drawn and read back."""
        return np.array(self.page.evaluate(_TIME, [[told(motion) for motion in motions], count]))


def load(page: "Page", package: bytes, renderer: str) -> Drawn:
    """`renderer`: "webgl" or "software"; `page` is one of `blank_page`."""
    width, height, first_ms = page.evaluate(_LOAD, [base64.b64encode(package).decode(), renderer])
    return Drawn(page, renderer, (width, height), first_ms)


@contextmanager
def blank_page() -> Iterator[str]:
    """The address of an empty page beside which the player's modules lie."""

    async def blank(_: web.Request) -> web.Response:
        return web.Response(text='<!doctype html><link rel="icon" href="data:,">', content_type="text/html")

    server = PageServer("blank", None, "", 0, [web.get("/", blank), *player_routes()])
    server.start()
    try:
        yield server.url
    finally:
        server.close()


def told(motion: Motion) -> dict[str, list[float]]:
    """A motion as the player takes it."""
    parts = {"expression": motion.expression, "rotation": motion.rotation, "translation": motion.translation}
    return {name: values.tolist() for name, values in parts.items()}


def nearness(drawn: np.ndarray, reference: np.ndarray, landmarks: np.ndarray) -> Mapping[str, float]:
    """PSNR in dB of the frame, and of boxes around mouth and eyes; `landmarks` are pixels under this motion."""
    out = {"frame": psnr(drawn, reference)}
    for name, (indices, pad) in EYES_AND_MOUTH.items():
        left, top, width, height = cv2.boundingRect(landmarks[indices, :2].astype(np.float32))
        part = np.s_[max(0, top - pad) : top + height + pad, max(0, left - pad) : left + width + pad]
        out[name] = psnr(drawn[part], reference[part])
    return out


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2)))


def _pose(
    pitch: float = 0, yaw: float = 0, roll: float = 0, shift: tuple[float, ...] = (0, 0, 0), **shapes: float
) -> Motion:
    """Degrees, eye distances and coefficients; names without a side mean both."""
    values = {}
    for name, value in shapes.items():
        values |= {name: value} if name in _ONE_SIDED else {f"{name}Left": value, f"{name}Right": value}
    turn = np.deg2rad(np.array([pitch, yaw, roll])).astype(np.float32)
    return Motion(0, expression(**values), turn, np.array(shift, np.float32))


_ONE_SIDED = {
    "mouthNeutral", "jawOpen", "mouthFunnel", "mouthPucker", "browInnerUp", "residual00", "residual03",
    "eyeLookOutLeft", "eyeLookInRight",
}  # fmt: skip

POSES = {
    "rest": _pose(),
    "jaw": _pose(mouthNeutral=1, jawOpen=1),
    "smile": _pose(mouthSmile=1, mouthUpperUp=0.6, mouthLowerDown=0.4, cheekSquint=0.6),
    "funnel": _pose(mouthNeutral=1, mouthFunnel=1, jawOpen=0.4, mouthPucker=0.3),
    "pucker": _pose(mouthNeutral=1, mouthPucker=1),
    "blink": _pose(eyeBlink=1),
    "half blink": _pose(eyeBlink=0.5, jawOpen=0.4),
    "gaze": _pose(yaw=8, eyeLookOutLeft=1, eyeLookInRight=1),
    "up": _pose(pitch=-6, eyeLookUp=1, browOuterUp=0.5, browInnerUp=0.5),
    "yaw": _pose(yaw=20),
    "other yaw": _pose(yaw=-20, mouthNeutral=1, jawOpen=0.6),
    "frown": _pose(pitch=12, browDown=1, mouthFrown=0.7, mouthNeutral=1),
    "tilted": _pose(yaw=10, roll=10, shift=(0.15, 0.05, -0.6), jawOpen=0.3, residual00=0.6, residual03=-0.5),
}
"""Thirteen that show every part of the drawing."""
