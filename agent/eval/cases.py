"""What is compared: each clip, and the portrait that it drives."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PIL import Image

from agent.config.engines import ComparedName
from agent.config.eval import Eval
from agent.config.run import Run
from agent.config.size import parse_size
from agent.eval.columns import OWN_PERSON, Protocol
from agent.eval.crop import Crop
from agent.eval.filmed import first_picture
from agent.eval.held_out import learnt_ns
from agent.look import first_look
from agent.plan import Plan, make_plan
from calibration.photo import decode_photo, read_file
from models.errors import InputError
from models.portrait import Portrait
from runtime.change import Upload
from runtime.sources.media import MediaInfo, probe

_SPEECH_FPS = 25  # of the papers, and of SyncNet


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A clip that drives a portrait."""

    name: str
    """For people, and in names of files; no other case has it."""
    clip: Path
    portrait: Path
    """What the portrait was made of."""
    photo: Path | Upload
    """The portrait itself; a clip's picture is not kept on disk."""
    source: Portrait
    """As every engine is given it."""
    crop: Crop
    """What is judged of every picture."""
    fps: int
    protocol: Protocol
    learnt_ns: int = 0
    """Until when the person of `OWN_PERSON` learnt from the clip; 0 where it is not this person's."""

    @property
    def own(self) -> bool:
        """Whether it is the clip of the person of `OWN_PERSON`."""
        return self.learnt_ns > 0

    def plan(self, config: Eval, engine: ComparedName = "still") -> Plan:
        """The run that draws it; one of the still picture is opened with an engine of its own.

        Raises InputError as `agent run` would.
        """
        heard = self.protocol == "audio"
        run = Run(
            portrait=self.portrait,
            mode="audio" if heard else "both" if engine == OWN_PERSON else "video",
            microphone=str(self.clip) if heard else None,
            camera=None if heard else str(self.clip),
            output=(str(config.output / f"{self.name}-{engine}.mp4"),),
            size=config.size,
            fps=self.fps,
            engine="builtin" if engine == "still" else engine,
            backend="auto" if engine in ("still", "builtin") else config.backend,
            person=config.person if engine == OWN_PERSON else "",
        )
        return make_plan(run, ())

    def instants_ns(self, config: Eval) -> list[int]:
        """Of all pictures."""
        return [round(k * 1e9 / self.fps) for k in range(self.plan(config).frames)]

    def judged_ns(self, config: Eval) -> list[int]:
        """Of the pictures that are judged; the portrait itself is not, nor what a person learnt from."""
        instants_ns = self.instants_ns(config)
        if self.own:
            return [ns for ns in instants_ns if ns >= self.learnt_ns][:: config.every]
        return instants_ns[0 if self.protocol == "cross" else config.every :: config.every]


def open_cases(config: Eval) -> list[Case]:
    """Every clip, under cross with every portrait.

    Raises:
        InputError: settings that do not go together, a clip or portrait of no use.
    """
    if (config.protocol == "cross") != bool(config.portrait):
        wanted = "needs --portrait" if config.protocol == "cross" else "takes its portraits from the clips"
        raise InputError(f"--protocol {config.protocol} {wanted}; --portrait goes with --protocol cross")
    if config.every < 1:
        raise InputError(f"--every {config.every}: give 1 or more")
    size = parse_size(config.size)
    looks = [_usable(clip, config) for clip in config.clip]
    if config.protocol != "cross":
        names = _distinct([clip.stem for clip in config.clip])
        return [_own(*each, config, size) for each in zip(names, config.clip, looks, strict=True)]
    pairs = [(*clip, portrait) for clip in zip(config.clip, looks, strict=True) for portrait in config.portrait]
    names = _distinct([f"{clip.stem}-{portrait.stem}" for clip, _, portrait in pairs])
    return [_other(name, *pair, size) for name, pair in zip(names, pairs, strict=True)]


def _usable(clip: Path, config: Eval) -> MediaInfo:
    info, protocol = probe(clip), config.protocol
    if not info.has_video or info.is_still:
        raise InputError(f"--clip {clip} has no moving pictures; give a video file")
    if protocol == "audio" and not info.has_sound:
        raise InputError(f"--clip {clip} has no sound to drive by; leave it out, or give --protocol self")
    pictures = max(1, round(info.pictures_ns * _fps(info, protocol) / 1e9))
    if protocol != "cross" and config.every >= pictures:
        raise InputError(
            f"--every {config.every} leaves nothing to judge of --clip {clip}, whose first picture of {pictures} is "
            "the portrait: give less, or a longer clip"
        )
    return info


def _own(name: str, clip: Path, info: MediaInfo, config: Eval, size: tuple[int, int]) -> Case:
    """The clip's first picture is the portrait."""
    protocol = config.protocol
    image, data = first_picture(clip), io.BytesIO()
    Image.fromarray(image).save(data, "PNG", compress_level=1)
    photo = Upload(f"the first picture of {clip}", data.getvalue())
    try:
        source = first_look(photo, size, "photo", "keep").portrait
    except InputError as error:
        cause = str(error).partition(";")[0]
        raise InputError(
            f"{cause}; it is the portrait, so let the clip begin where one large face looks this way"
        ) from None
    crop = Crop.around(source.landmarks, (image.shape[1], image.shape[0]), size)
    return Case(name, clip, clip, photo, source, crop, _fps(info, protocol), protocol, learnt_ns(clip, config))


def _other(name: str, clip: Path, info: MediaInfo, portrait: Path, size: tuple[int, int]) -> Case:
    photo = decode_photo(read_file(portrait), str(portrait))
    source = first_look(portrait, size, "photo", "keep").portrait
    crop = Crop.around(source.landmarks, (photo.shape[1], photo.shape[0]), size)
    return Case(name, clip, portrait, portrait, source, crop, _fps(info, "cross"), "cross")


def _fps(info: MediaInfo, protocol: Protocol) -> int:
    return _SPEECH_FPS if protocol == "audio" else min(max(1, round(info.fps or 25)), 120)


def _distinct(names: Sequence[str]) -> list[str]:
    """Those that are given again get the next number with which nobody else is called."""
    found: list[str] = []
    for name in names:
        others = (f"{name}-{n}" for n in count(2))
        found.append(name if name not in found else next(o for o in others if o not in found and o not in names))
    return found
