"""The page that guides through `agent calibrate`: steps, and a drawing of landmarks. No picture leaves the agent."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web

from calibration.guide import Guide, Landmarks, Step
from calibration.reading import Passage, Reading
from models.errors import InputError
from models.expression import EYES
from models.topology import FACE_OVAL, INNER_LIPS, LEFT_IRIS, OUTER_LIPS, RIGHT_IRIS, SURFACE_COUNT
from runtime.page_server import PageServer

_PAGE = Path(__file__).with_name("page") / "calibrate.html"
_BROWS = (np.array([70, 63, 105, 66, 107]), np.array([300, 293, 334, 296, 336]))
_NOSE = (np.array([168, 6, 197, 195, 5, 4]), np.array([98, 97, 2, 326, 327]))
_LINES = (
    ("closed quiet", FACE_OVAL),
    *(("open quiet", nose) for nose in _NOSE),
    *(("open", brow) for brow in _BROWS),
    ("closed", OUTER_LIPS),
    ("closed", INNER_LIPS),
    *(("closed", eye.closed) for eye in EYES),
    ("circle", RIGHT_IRIS[1:]),
    ("circle", LEFT_IRIS[1:]),
)
_GOODBYE_S = 2.0


class CalibrationPage:
    """Serves the page, `/state.json`, and takes `/skip` and `/again`."""

    def __init__(self, press: Callable[[str], None], port: int = 8765) -> None:
        """`press` hears "skip" or "again" in the server's thread. Raises InputError when no port is free."""
        self._press = press
        self._state: dict[str, Any] = {"steps": [], "face": None, "ended": None}
        self._told = threading.Event()
        routes = [web.get("/state.json", self._state_json), web.post("/{button:skip|again}", self._button)]
        self._server = PageServer("calibration page", _PAGE, "Calibration", port, routes)
        self._server.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._server.url

    def show(
        self, guide: Guide | Reading, landmarks: Landmarks | None, width_px: int, height_px: int, note: str = ""
    ) -> None:
        """Where the guide is, what there is to note, and the face as lines and dots, in parts of the picture's size."""
        steps: Sequence[Step | Passage] = guide.steps
        self._state = {
            "steps": [
                {"title": step.title, "hint": step.hint, "state": state, "progress": progress}
                for step, (state, progress) in zip(steps, _progress(guide), strict=True)
            ],
            "face": None if landmarks is None else _drawing(landmarks, width_px, height_px),
            "aspect": width_px / height_px,
            "note": note,
            "ended": None,
        }

    @contextmanager
    def concluding(self, profile: str) -> Iterator[None]:
        """Says at the end of the body that a profile of that name was made, or the InputError that it raised.

        Waits until the page has heard it (two seconds at most), and closes.
        """
        try:
            yield
        except InputError as error:
            self._end(str(error), good=False)
            raise
        self._end(f"Your profile is {profile}. You can close this page.", good=True)

    def _end(self, message: str, good: bool) -> None:
        self._told.clear()
        self._state = {**self._state, "ended": {"message": message, "good": good}}
        self._told.wait(_GOODBYE_S)
        self.close()

    def close(self) -> None:
        """Frees the port. May be called twice."""
        self._server.close()

    async def _state_json(self, _: web.Request) -> web.Response:
        state = self._state  # once: another thread renews it
        answer = self._server.answer(state)
        if state["ended"] is not None:
            self._told.set()
        return answer

    async def _button(self, request: web.Request) -> web.Response:
        self._press(request.match_info["button"])
        return self._server.answer({})


def _progress(guide: Guide | Reading) -> list[tuple[str, float]]:
    return [(state, guide.progress if state == "now" else float(state == "done")) for state in guide.states]


def _drawing(landmarks: Landmarks, width_px: int, height_px: int) -> dict[str, Any]:
    points = np.round(landmarks[:, :2] / [width_px, height_px], 4)
    return {
        "dots": points[:SURFACE_COUNT].tolist(),
        "lines": [{"kind": kind, "points": points[indices].tolist()} for kind, indices in _LINES],
    }
