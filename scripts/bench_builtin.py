"""CPU time of the built-in engine, stage by stage, on one thread.

    python scripts/bench_builtin.py [PORTRAIT]

Prints medians of process time (all threads of the process together), in milliseconds, and how many frames a second one
core would give. Motions are those of the bundled speech, so that mouth and eyes are drawn in most frames.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

from calibration.photo import read_file, read_photo
from calibration.portrait import prepare_portrait
from calibration.store import PortraitStore, portrait_of
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.motion import Motion
from models.portrait import Portrait
from models.pose import Pose
from models.private_store import PrivateStore
from models.raster import rasterise
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.idle import Idle
from runtime.drivers.speech_face import SpeechFace
from runtime.engines.builtin import BuiltinEngine
from runtime.frame import Frame
from runtime.mix import mix
from runtime.sources.media import ClipSound

PORTRAIT = Path(str(files("agent") / "example" / "portrait.png"))


def motions(count: int) -> list[Motion]:
    mouth, idle = SpeechFace(load_face_model()), Idle()
    heard = [m for block in ClipSound(Path(str(files("agent") / "example" / "speech.wav"))) for m in mouth.push(block)]
    mixed = [mix("audio", m.pts_ns, idle.at(m.pts_ns), None, m) for m in heard]
    return mixed[:: max(1, len(mixed) // count)][:count]


def cpu_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


def measure_speed(path: Path = PORTRAIT) -> dict[str, float]:
    """CPU milliseconds of each part; medians, but for what is done once."""
    cv2.setNumThreads(1)
    photo, engine, moves = read_photo(path), BuiltinEngine(), motions(100)
    out: dict[str, float] = {}
    engine.prepare(prepare_portrait(photo, (512, 512)))
    for side in (256, 512, 1024):
        portrait = prepare_portrait(photo, (side, side))
        avatar = engine.prepare(portrait)
        if side == 512:
            out["build"] = cpu_ms(lambda: engine.prepare(prepare_portrait(photo, (512, 512))))
        out[f"render {side}x{side}"] = float(
            np.median([cpu_ms(lambda a=avatar, m=m: engine.render(a, m)) for m in moves])
        )
    model = load_face_model()
    face = Pose(240.0, np.eye(3), np.array([256.0, 160.0, 0.0])).to_picture(model.mean).astype(np.float32)
    draw = partial(rasterise, face, model.triangles, model.ncc, (512, 512))
    draw()
    out["draw PNCC 512x512"] = float(np.median([cpu_ms(draw) for _ in range(60)]))
    tracker = MediapipeTracker()
    image = np.ascontiguousarray(prepare_portrait(photo, (512, 512)).image)
    tracker.track(image)
    out["track landmarks 512x512"] = float(np.median([cpu_ms(lambda: tracker.track(image)) for _ in range(60)]))
    tracker.close()
    out["video loop 512x512"] = video_loop(engine, photo)
    return out | preparation(engine, path)


def preparation(engine: BuiltinEngine, path: Path) -> dict[str, float]:
    """From the file of a photo to an avatar, for a photo that is new and for one that was prepared before."""
    data = read_file(path)

    def prepare(store: PortraitStore) -> Portrait:
        return portrait_of(data, (512, 512), "photo", path.name, store)

    with tempfile.TemporaryDirectory() as folder:
        store = PortraitStore(PrivateStore(Path(folder)))
        new = cpu_ms(lambda: engine.prepare(prepare(store)))
        return {
            "prepare a new photo 512x512": new,
            "load a known photo 512x512": float(np.median([cpu_ms(lambda: prepare(store)) for _ in range(9)])),
            "prepare a known photo 512x512": float(
                np.median([cpu_ms(lambda: engine.prepare(prepare(store))) for _ in range(9)])
            ),
        }


def video_loop(engine: BuiltinEngine, photo: np.ndarray) -> float:
    """Tracking, motion fit and drawing of one frame, driven by the portrait itself as it moves."""
    avatar = engine.prepare(prepare_portrait(photo, (512, 512)))
    driver = FaceVideo(MediapipeTracker(), load_face_model())
    spent = []
    for k, move in enumerate(motions(100)):
        frame = Frame(engine.render(avatar, move), round(k * 4e7))
        spent.append(cpu_ms(lambda f=frame: engine.render(avatar, driver.push(f)[0])))
    driver.close()
    return float(np.median(spent))


def main() -> int:
    figures = measure_speed(Path(sys.argv[1])) if len(sys.argv) > 1 else measure_speed()
    print(f"{'what':34s}{'CPU ms':>9s}{'per s':>9s}")
    for what, figure in figures.items():
        print(f"{what:34s}{figure:9.2f}{1e3 / figure:9.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
