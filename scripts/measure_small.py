"""Measures the small model against its teacher, the built-in engine; prints a table, draws a sheet of pictures.

Pictures of 256 pixels are compared at 128, pixels of all shots together. "still" is the portrait itself, unmoved.
Response: how much of the teacher's movement away from rest is in the model's, 1 is all of it. How still it stays under
a still driver: `measure_still_noise.py small CLIP...`.

    python scripts/measure_small.py --portraits out/portraits --sheet out/small.png
    python scripts/measure_small.py --portraits out/portraits --ablate

With --ablate, what learning gave: means over the portraits of the model, of one that has learnt nothing, and of the
model without what its motion adapter learnt, which leaves the way that codes find.
"""

import argparse
import tempfile
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file
from small import portraits
from small.teacher import Teacher

from models.backends.onnx_file import export
from models.backends.onnx_runtime import OnnxNetwork
from models.face import load_face_model
from models.motion import Motion, expression
from models.small.code_picture import CodePainter
from models.small.frame_box import SIDE
from models.small.model import SmallModel
from models.small.motion_adapter import Change, unchanged
from models.small.paper import LAYOUT, WEIGHTS, small_model, small_paper
from models.small.portrait_state import PortraitParts, prepare
from models.small.renderer import Planes

_AT = 128
_GREY = 0.5
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def _smile(value: float) -> dict[str, float]:
    return {"mouthSmileLeft": value, "mouthSmileRight": value}


def _blink(value: float) -> dict[str, float]:
    return {"eyeBlinkLeft": value, "eyeBlinkRight": value}


def _shots() -> dict[str, Motion]:
    def moved(pitch: float = 0, yaw: float = 0, roll: float = 0, **values: float) -> Motion:
        return Motion(0, expression(**values), np.deg2rad([pitch, yaw, roll]).astype(np.float32))

    return {
        "rest": moved(),
        "jaw half": moved(jawOpen=0.5),
        "jaw": moved(jawOpen=1.0),
        "smile": moved(**_smile(1.0)),
        "pucker": moved(mouthPucker=1.0),
        "blink": moved(**_blink(1.0)),
        "yaw": moved(yaw=18),
        "yaw back": moved(yaw=-18),
        "pitch": moved(pitch=10),
        "pitch back": moved(pitch=-10),
        "all": moved(5, 10, 6, jawOpen=0.7, **_blink(1.0)),
    }


SHOTS = _shots()
RESPONSES = {"jaw": ("jaw",), "blink": ("blink",), "yaw": ("yaw", "yaw back"), "pitch": ("pitch", "pitch back"),
             "smile": ("smile",), "pucker": ("pucker",)}  # fmt: skip
EXPRESSIONS = ("jaw half", "jaw", "smile", "pucker", "blink")


class Drawn:
    """One portrait by the teacher and by the model."""

    def __init__(self, path: Path, model: torch.nn.Module) -> None:
        self.model = model
        face = load_face_model()
        self._teacher = Teacher(portraits.load(path), face)
        self.paint = CodePainter(face, self._teacher.box)
        self.shots = {name: self._teacher.shot(motion) for name, motion in SHOTS.items()}
        lifted, canonical = self._teacher.source()
        self.parts = PortraitParts(
            texture=torch.from_numpy(np.moveaxis(lifted.texture, -1, 0).astype(np.float32) / 255)[None],
            geometry=torch.from_numpy(lifted.geometry)[None],
            codes=torch.from_numpy(self.paint(canonical))[None],
            places=torch.from_numpy(self.paint.places(canonical))[None],
        )
        self.state = prepare(model, self.parts)
        self.lifted = lifted.texture[..., :3]

    def taught(self, name: str) -> Float[np.ndarray, "256 256 3"]:
        """By the teacher, before grey."""
        frame = self.shots[name].frame.astype(np.float32) / 255
        return frame[..., :3] + (1 - frame[..., 3:]) * _GREY

    def drawn(self, name: str, adapter: bool = True) -> np.ndarray:
        """By the model, before torso and grey; `adapter`: whether it hears of the expression, and the torso too."""
        shot, state = self.shots[name], self.state
        codes = torch.from_numpy(self.paint(shot.canonical))[None]
        with torch.no_grad():
            change: Change = unchanged(state.codes)
            if adapter:
                change = self.model.adapter(state.codes, codes, state.places, state.condition)
            planes = Planes(state.front, state.across)
            head = self.model.draw(planes, state.texture, state.skin, change, torch.from_numpy(shot.rotation)[None])[0]
        head = head.permute(1, 2, 0).numpy()
        torso = (shot if adapter else self.shots["rest"]).torso.astype(np.float32) / 255
        behind = torso[..., :3] + (1 - torso[..., 3:]) * _GREY
        return head[..., :3] + (1 - head[..., 3:]) * behind


def _small(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (_AT, _AT), interpolation=cv2.INTER_AREA)


def _db(pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """Of pictures, what they should be, and weights."""
    wrong = sum(float((((one - other) ** 2).mean(-1) * where).sum()) for one, other, where in pairs)
    return -10 * float(np.log10(wrong / sum(float(where.sum()) for *_, where in pairs)))


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one portrait."""

    face_db: float
    still_db: float
    detail_db: float
    whole_db: float
    responses: dict[str, float]
    adapter_off: float
    """The greatest response to an expression with the adapter off."""


def _response(person: Drawn, names: tuple[str, ...], adapter: bool = True) -> float:
    above = below = 0.0
    for name in names:
        taught = _small(person.taught(name)) - _small(person.taught("rest"))
        drawn = _small(person.drawn(name, adapter)) - _small(person.drawn("rest", adapter))
        above, below = above + float((taught * drawn).sum()), below + float((taught**2).sum())
    return above / below


def measure(person: Drawn) -> Figures:
    rest = _small(person.taught("rest"))
    moved = [name for name in SHOTS if name != "rest"]
    drawn = {name: _small(person.drawn(name)) for name in SHOTS}
    taught = {name: _small(person.taught(name)) for name in SHOTS}
    weights = {name: person.shots[name].weight / 255 for name in SHOTS}

    def compare(least: float, pictures: dict[str, np.ndarray]) -> float:
        return _db([(pictures[n], taught[n], (weights[n] > least).astype(float)) for n in SHOTS])

    return Figures(
        face_db=compare(0.2, drawn),
        still_db=compare(0.2, dict.fromkeys(SHOTS, rest)),
        detail_db=compare(0.7, drawn),
        whole_db=compare(-1.0, drawn),
        responses={name: _response(person, shots) for name, shots in RESPONSES.items()},
        adapter_off=max(abs(_response(person, (name,), adapter=False)) for name in moved if name in EXPRESSIONS),
    )


def frames_a_second(model: torch.nn.Module, person: Drawn, seconds: float = 5.0) -> float:
    """Of the frame network at 256 pixels by ONNX Runtime on the CPU, code picture included; planes are there."""
    paper = small_paper(model, load_face_model())
    spec = LAYOUT.frame_spec()
    shot = person.shots["all"]
    fresh = torch.from_numpy(person.paint(shot.canonical))[None], torch.from_numpy(shot.rotation)[None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.onnx"
        export(paper.exported("float32"), spec, [*person.state, *fresh], path)
        network = OnnxNetwork(path, spec)
        times = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            begun = time.perf_counter()
            codes = torch.from_numpy(person.paint(shot.canonical))[None]
            network(*person.state, codes, fresh[1])
            times.append(time.perf_counter() - begun)
    return 1 / float(np.median(times))


def sheet(persons: list[Drawn]) -> np.ndarray:
    """Teacher above model; what the networks were given before both."""
    rows = []
    for person in persons:
        given = [person.lifted.astype(np.float32) / 255, np.zeros((SIDE, SIDE, 3), np.float32)]
        for first, draw in zip(given, (person.taught, person.drawn), strict=True):
            rows.append(np.hstack([first, *(draw(name) for name in SHOTS)]))
    return np.rint(255 * np.clip(np.vstack(rows), 0, 1)).astype(np.uint8)


def ablated(model: SmallModel) -> dict[str, SmallModel]:
    """The model and what is left of it without a part."""
    torch.manual_seed(1)
    unlearnt, without = SmallModel().eval().requires_grad_(False), deepcopy(model)
    for layer in (without.adapter.features, without.adapter.shift):
        for values in layer.parameters():
            values.data.zero_()
    return {"as it is": model, "nothing learnt": unlearnt, "adapter's learning left out": without}


def row(name: str, figures: list[Figures]) -> str:
    """Means over portraits, as a line of the table."""
    values = np.mean([(f.face_db, f.still_db, f.detail_db, f.whole_db) for f in figures], 0)
    shown = np.mean([list(f.responses.values()) for f in figures], 0)
    off = max(f.adapter_off for f in figures)
    return " | ".join([f"| {name}", *(f"{x:.1f}" for x in values), *(f"{x:.2f}" for x in shown), f"{off:.3f} |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--portraits", type=Path, required=True, help="folder of photos; those not learnt from are unseen"
    )
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--sheet", type=Path, help="picture to write")
    parser.add_argument("--ablate", action="store_true", help="what learning gave, in place of a row per portrait")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = small_model(load_file(options.weights))
    files = (path for path in options.portraits.iterdir() if path.suffix.lower() in _PICTURES)
    paths = sorted(files, key=lambda path: (path.name not in portraits.TRAINED, path.name))
    persons = [Drawn(path, model) for path in paths]
    print(
        "| portrait | face dB | still dB | mouth and eyes dB | whole dB | " + " | ".join(RESPONSES) + " | adapter off |"
    )
    print("| --- " * (6 + len(RESPONSES)) + "|")
    if options.ablate:
        for name, other in ablated(model).items():
            print(row(name, [measure(Drawn(path, other)) for path in paths]), flush=True)
        return
    for path, person in zip(paths, persons, strict=True):
        seen = "" if path.name in portraits.TRAINED else " (unseen)"
        print(row(path.stem + seen, [measure(person)]), flush=True)
    print(f"frame network at 256 pixels, ONNX Runtime: {frames_a_second(model, persons[0]):.1f} frames a second")
    if options.sheet:
        cv2.imwrite(str(options.sheet), sheet(persons)[..., ::-1])


if __name__ == "__main__":
    main()
