"""What a virtual camera shows before a run begins."""

import cv2
import numpy as np
import pytest

from agent.build import Session
from agent.config.run import Run
from agent.plan import make_plan
from calibration.background import still
from runtime.clock import MonotonicClock
from runtime.engines.builtin import BuiltinEngine


class Tape:
    device = "/dev/video10"

    def __init__(self):
        self.frames = []

    def send(self, frame):
        self.frames.append(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420).astype(int))

    def close(self):
        pass


@pytest.mark.parametrize("background", ["keep", "#00ff00"])
def test_the_portrait_stands_while_the_engine_prepares_it(background, portrait_png, speech_wav, monkeypatch):
    tape, prepare = Tape(), BuiltinEngine.prepare
    shown = []

    def prepare_while_shown(engine, portrait):
        shown.append((tape.frames[-1], still(portrait)))
        return prepare(engine, portrait)

    monkeypatch.setattr("runtime.sinks.virtual_camera.open_virtual_camera", lambda size, fps, device: tape)
    monkeypatch.setattr(BuiltinEngine, "prepare", prepare_while_shown)
    config = Run(
        portrait=portrait_png, microphone=str(speech_wav), output=("virtual-camera",), size="128", background=background
    )
    Session(make_plan(config, []), MonotonicClock(), lambda _: None).close()
    [(frame, portrait)] = shown
    assert np.abs(frame - portrait).mean() < 6, "within what a quarter of the colour resolution costs"
    assert np.ptp(tape.frames[0]) <= 2, "grey until the photo is read"
