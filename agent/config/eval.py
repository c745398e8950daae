"""Settings of `agent eval`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.config.engines import BackendName, ComparedName


@dataclass(frozen=True)
class Eval:
    """Compare engines side by side on clips of people: one table of the field's measures, and a page with pictures.

    Every engine draws the same portraits from the same motion, as `agent run` does offline. What was drawn is looked
    at by the tracker and held against the clip, within one square around the head, scaled to 256 pixels. The figures
    are the same each time; a table prints, and OUTPUT/ keeps eval.json, eval.html and a video of each engine and clip.

    How faithful is the engine, and what would the unmoved photo score?  agent eval --clip me.mp4 you.mp4

    Another face, driven by the clips:  agent eval --clip me.mp4 --protocol cross --portrait a.png b.png

    The voice alone drives:  agent eval --clip talk.mp4 --protocol audio

    Two engines, every fifth picture:  agent eval --engine builtin real3d still --clip me.mp4 --every 5
    """

    clip: tuple[Path, ...]
    """Videos of one person each, with the face in view from the first picture on; for --protocol audio with sound."""

    engine: tuple[ComparedName, ...] = ("builtin", "still")
    """Engines as in `agent run`, and still: the source picture, shown unmoved, which is the line to beat. Of talk3d,
    which draws a person of its own, --protocol audio measures whether the lips go with the voice. On the video that
    this person learnt from, everything is measured, with --protocol self too; of that video only what was not learnt
    from (the last eleventh, as its authors split it) is judged, of every engine."""

    person: str = ""
    """With talk3d: who is drawn, as in `agent run`."""

    protocol: Literal["self", "cross", "audio"] = "self"
    """self (same identity): the clip's first picture is the portrait, the rest of it drives, and each drawn picture is
    held against the filmed one. cross (cross identity): the clip drives each of --portrait; expression and pose are
    held against the driver's as they are, so that how both differ at rest counts, and the identity against the
    portrait's. audio: the clip's first picture is the portrait, its sound alone drives at 25 pictures a second, and the
    lips are held against the filmed ones. Engines are compared by the same pictures: those in which all of them that
    ever show a face show one."""

    portrait: tuple[Path, ...] = ()
    """Photos for --protocol cross."""

    output: Path = Path("out/eval")
    """Folder for the page, the figures and the videos; it is made."""

    every: int = 1
    """Judge every so-manieth picture; all are drawn, and the faces followed through all of them."""

    show_driver: bool = False
    """Put the clips' pictures beside the drawn ones on the page. Without it the page shows nothing that a camera saw
    but the portrait (of --protocol self and audio, the clip's first picture), and may go where the clips may not."""

    size: str = "512"
    """Size that engines draw at, as in `agent run`."""

    backend: BackendName = "auto"
    """As in `agent run`, of the engines that have networks."""

    identity: Path | None = None
    """For CSIM: an ArcFace network as ONNX (w600k_r50.onnx of InsightFace's buffalo_l). The drawn face is held against
    the filmed one, under cross against the portrait."""

    lpips: tuple[Path, Path] | None = None
    """For LPIPS: torchvision's vgg16-397923af.pth or alexnet-owt-7be5be79.pth, then LPIPS' own vgg.pth or alex.pth."""

    inception: Path | None = None
    """For FID: pt_inception-2015-12-05-6726825d.pth of pytorch-fid. It takes 50 judged pictures, and under cross 50
    different portraits."""

    syncnet: Path | None = None
    """For LSE-C and LSE-D, of --protocol audio: syncnet_v2.model."""
