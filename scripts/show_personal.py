"""Learns a person from a clip as `agent personalise` does, at a small size, and shows what came of it.

    python scripts/show_personal.py CLIP OUT

The generator and the network that hears are of the released classes, small and filled by rule: nothing has taught them
faces or speech, so all that is seen was learnt from the clip. OUT/sheet.jpg: above the clip's frames, below the same
ones drawn; the last two were not learnt from. Interrupted, the same command goes on.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from golden.fill import fill_tensors
from golden.talk3d_fill import fill
from PIL import Image
from script_options import make_folder

from agent.filming import cut_out, film, frames_of, listen
from models.audio.hubert import HubertSize
from models.errors import AgentError
from models.talk3d.checkpoint_file import Driver
from models.talk3d.generator import Generator
from models.talk3d.personal.aim import usual_face
from models.talk3d.personal.delta import moved_planes, subject
from models.talk3d.personal.footage import Footage, read_footage
from models.talk3d.personal.likeness import Structure
from models.talk3d.personal.losses import Losses
from models.talk3d.personal.procedure import Personal, Procedure
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.stage import Kept, Stage
from models.talk3d.size import GeneratorSize, StageWidths
from models.talk3d.speech_scores import SpeechScores

SIZE = GeneratorSize(backbone=(32, 32, 32, 32, 32), drawing=(32, 16), rendered=32)
WIDTHS: StageWidths = (16, 32, 64)
EAR = HubertSize(sound=16, hidden=32, layers=1, heads=4, inner=64, position_kernel=16, position_groups=4)
SCHEDULE = Schedule(
    inversion_steps=60, tuning_steps=250, tuning_rate=1e-2, first_frame_steps=40, frame_steps=2, delta_steps=250,
    delta_rate=2e-3, drawing_steps=150, drawing_rate=2e-3, samples=16,
)  # fmt: skip
"""Faster than the released one: the generator begins with nothing."""
_TOLD_S = 20.0
_SHOWN, _HELD_OUT = 6, 2


def untaught() -> Generator:
    generator = Generator(SIZE)
    shapes = {f"generator/{name}": tuple(values.shape) for name, values in generator.state_dict().items()}
    filled = fill(shapes).items()
    generator.load_state_dict({name.split("/")[1]: torch.from_numpy(values) for name, values in filled})
    return generator


def filmed(clip: Path, folder: Path) -> Footage:
    """Raises InputError as `agent.filming`."""

    def silent(done: int, total: int) -> None:
        pass

    ear = SpeechScores(EAR).eval().requires_grad_(False)
    ear.load_state_dict(fill_tensors({name: tuple(values.shape) for name, values in ear.state_dict().items()}))
    track = film(clip, silent)
    sounds, speech_s = listen(clip, ear, len(track.faces), silent)
    print(f"{len(track.faces)} of {frames_of(clip)} frames, {speech_s:.1f} s of speech", flush=True)
    return cut_out(clip, track, sounds, usual_face(), folder, SIZE.picture, silent)


class Told:
    """A line every so many seconds."""

    def __init__(self) -> None:
        self._last_s = float("-inf")

    def __call__(self, stage: Stage, done: int, loss: float) -> None:
        if time.monotonic() - self._last_s > _TOLD_S or done in (1, stage.steps):
            self._last_s = time.monotonic()
            print(f"{stage.name} {done}/{stage.steps}: loss {loss:.4f}", flush=True)


@torch.no_grad()
def drawn(made: Personal, footage: Footage, numbers: list[int]) -> np.ndarray:
    generator, driver = Generator(SIZE), Driver(SIZE.planes, WIDTHS)
    generator.load_state_dict(made.generator)
    driver.load_state_dict(made.driver)
    who = subject(generator.eval(), made.latent, made.turns)
    planes = moved_planes(driver.eval(), who, footage, numbers, None)
    seen = who.view(planes, numbers, SCHEDULE.samples).picture
    return ((seen.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def show(made: Personal, footage: Footage, path: Path) -> None:
    count, learnt = len(footage.pictures), footage.learnt
    numbers = [int(k) for k in np.linspace(0, learnt - 1, _SHOWN)]
    numbers += [int(k) for k in np.linspace(learnt, count - 1, _HELD_OUT + 1)[1:]]
    wanted, seen = np.stack([footage.pictures[k] for k in numbers]), drawn(made, footage, numbers)
    Image.fromarray(np.vstack([np.hstack(list(wanted)), np.hstack(list(seen))])).save(path, quality=92)
    apart = np.square(wanted.astype(float) - seen).mean((1, 2, 3))
    psnr = ", ".join(f"{k}: {10 * np.log10(255**2 / each):.1f}" for k, each in zip(numbers, apart, strict=True))
    still, moved = made.mouth
    print(f"PSNR of the frames, dB: {psnr}; learnt from: 0 to {learnt - 1}")
    print(f"mouth in frames not learnt from: off by {moved:.3f}, and by {still:.3f} where it stands still (0 to 2)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("out", type=Path, help="folder; frames of the clip stay in it")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        make_folder(options.out, "OUT")
        footage = read_footage(options.out) or filmed(options.clip, options.out)
        losses, device = Losses(Structure()), torch.device("cpu")
        procedure = Procedure(untaught(), footage, losses, SCHEDULE, device, WIDTHS)
        show(procedure.carry_out(Kept(options.out), Told()), footage, options.out / "sheet.jpg")
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
