"""Settings of `agent personalise`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Personalise:
    """Make networks that draw one person, of a video of theirs: minutes of one face that speaks to the camera.

    A good video: 3 to 5 minutes in one take, 25 pictures a second or more; one person, who speaks, looks about a little
    and closes the lips now and then; head and shoulders, the face in view all the time and at least 250 pixels wide;
    even light from the front; a camera that stands still; a voice without music or echo. What is of no use is told in
    seconds, and how much time, room and memory the work takes on this machine before it begins.

    Hours on a large GPU; on a CPU it is of no use. What it does is the paper's: it chooses frames, finds the person in
    EG3D's generator, trains that on them, finds every frame's camera, and trains the networks that make planes of
    speech. Ctrl-C leaves off, and the same command goes on where it was, on a CPU to the same numbers; GPUs have not
    been tried. Nothing leaves this machine. The generator is for non-commercial use alone.

    agent models import talk3d --generator ffhq-fixed-triplane512-128.pkl --wav2vec model.safetensors

    agent personalise --video me.mp4

    agent run --engine talk3d --person me --portrait me.png --microphone talk.wav --output talk.mp4
    """

    video: Path
    """Of one person, with sound; the face is to be seen in every frame."""

    paper: Literal["talk3d"] = "talk3d"
    """Whose procedure: Talk3D's, the only one here that learns persons."""

    name: str = ""
    """Of the person, for --person. Default: the video's name."""

    generator: Path | None = None
    """ffhq-fixed-triplane512-128.pkl of EG3D, or another of its kind. Default: the one brought in (`agent models
    import talk3d --generator`)."""

    frames: int = 5
    """That the generator learns."""

    lpips: tuple[Path, Path] | None = None
    """For LPIPS, by which the authors compare pictures: torchvision's alexnet-owt-7be5be79.pth, then LPIPS' own
    alex.pth (github.com/richzhang/PerceptualSimilarity, lpips/weights/v0.1). Default: gradients and SSIM at several
    scales."""

    arcface: Path | None = None
    """model_ir_se50.pth (github.com/TreB1eN/InsightFace_Pytorch): the face's identity counts, too. Default: it does
    not."""

    syncnet: Path | None = None
    """syncnet_v2.model, as for `agent eval`: whether lips and voice go together counts, too, towards the end. It then
    judges what it taught: that its LSE-C and LSE-D get better says less. Default: it does not."""

    restart: bool = False
    """Begin anew, whatever was done under this name."""
