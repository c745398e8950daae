"""The camera: opened as a run opens it. Its pictures are measured and go no further."""

import threading
from dataclasses import dataclass

import numpy as np

from agent.inputs import open_camera
from models.errors import AgentError
from runtime.clock import MonotonicClock
from runtime.sources.devices import list_cameras

_WATCHED_S = 2.0


@dataclass(frozen=True, slots=True)
class CameraTrial:
    """What a camera gave in two seconds."""

    name: str
    path: str
    """Device path; empty where the system has none."""
    refusal: str = ""
    """Why it could not be used, in the run's words; empty if it could."""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    """Pictures per second that came; 0 if fewer than two did."""
    light: float = 0.0
    """Mean of the last picture, 0..255."""
    contrast: float = 0.0
    """Its standard deviation."""


def try_camera(wanted: str) -> CameraTrial:
    """`wanted` as in `--camera`; "" is the default one."""
    cameras = list_cameras()
    device = cameras.pick(wanted) if wanted else cameras.first()
    name, path = (device.name, device.path) if device is not None else (wanted, "")
    try:
        camera = open_camera(wanted, MonotonicClock())
    except AgentError as error:
        return CameraTrial(name, path, refusal=str(error))
    timer = threading.Timer(_WATCHED_S, camera.close)
    timer.start()
    instants, last = [], None
    try:
        for frame in camera:
            instants.append(frame.pts_ns)
            last = frame.image
    except AgentError as error:
        return CameraTrial(name, path, refusal=str(error))
    finally:
        timer.cancel()
        camera.close()
    if last is None:
        return CameraTrial(name, path, refusal=f"camera {name} opens and gives no picture")
    fps = (len(instants) - 1) * 1e9 / (instants[-1] - instants[0]) if len(instants) > 1 else 0.0
    return CameraTrial(name, path, "", last.shape[1], last.shape[0], fps, float(last.mean()), float(np.std(last)))
