"""`agent personalise`: a video of a person in, networks that draw this person out."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from agent.begun import begun_folder, empty, sole_use
from agent.config.personalise import Personalise
from agent.doctor.facts.computer import look_at_computer
from agent.filming import cut_out, film, frames_of, listen
from agent.first_look import first_look
from agent.pace import Pace, PartBar, Say, expected, numbered
from calibration.filmed import FPS
from models.errors import AgentError, InputError
from models.metrics.lpips import Lpips
from models.metrics.sync import SyncNet
from models.talk3d.needs import BASE, SPEECH
from models.talk3d.personal.aim import average_face, usual_face
from models.talk3d.personal.footage import Footage, footage_bytes, read_footage
from models.talk3d.personal.generators import base_generator
from models.talk3d.personal.identity import read_identity
from models.talk3d.personal.likeness import Learned, Structure
from models.talk3d.personal.losses import Losses
from models.talk3d.personal.procedure import NAMES, Procedure, state_bytes, work
from models.talk3d.personal.result import store_person
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.stage import Kept
from models.talk3d.personal.trial import try_out
from models.talk3d.size import STAGES, StageWidths
from models.talk3d.speech_scores import SpeechScores, load_speech_scores
from models.weight_store import sha256
from models.weights import TERMS, store_of, with_person

_SPARE_BYTES = 64_000_000
_SETTINGS = "settings.json"
_FILMING = ("following the face", "hearing the voice", "cutting out the face")
_PARTS = (*_FILMING, *NAMES)


class Personalising:
    """A person's networks, ready to be made; the same command goes on where it was left off."""

    def __init__(
        self,
        config: Personalise,
        say: Say,
        schedule: Schedule | None = None,
        widths: StageWidths = STAGES,
        load_speech: Callable[[Path], SpeechScores] = load_speech_scores,
    ) -> None:
        """Reads the networks, and says what the work needs.

        Args:
            config: of the command.
            say: hears what the user should know.
            schedule: how long each stage learns; None is the released code's.
            widths: of the networks that make planes of speech.
            load_speech: reads the network that hears.

        Raises:
            InputError: a file that is missing or of no use.
        """
        self._say, self._config = say, config
        self._schedule = schedule or Schedule(frames=config.frames)
        self._widths, self._load_speech = widths, load_speech
        self.name = config.name or config.video.stem
        self._engine = with_person("talk3d", self.name, "--name")
        if not config.video.is_file():
            fault = "a folder; give a video file" if config.video.is_dir() else "no such file"
            raise InputError(f"--video {config.video}: {fault}")
        if config.frames < 1:
            raise InputError(f"--frames {config.frames}: give 1 or more; the authors recommend 5")
        say(TERMS["talk3d"])
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if not torch.cuda.is_available():
            say("without an NVIDIA GPU this is of no use but to try it out: it would take weeks")
        self._speech = store_of("talk3d").current()
        if fault := self._speech.fault(SPEECH.files[0]):
            raise InputError(f"its {SPEECH.title} {fault}: agent models import talk3d {SPEECH.option} brings it in")
        self._generator, made_of = base_generator(config.generator, store_of("talk3d").current(), BASE)
        self._losses = _losses(config)
        say(f"compares pictures by {self._losses.names()}")
        self._video_sha256 = sha256(config.video)
        self._folder = begun_folder(self.name)
        self._settings = {
            "video": self._video_sha256,
            "generator": made_of,
            "speech": self._speech.files[SPEECH.files[0]].sha256,
            "losses": self._losses.names(),
            "schedule": json.dumps(asdict(self._schedule)),
        }

    def run(self, bar: PartBar) -> list[str]:
        """Does it; returns what the user should know, one line each.

        Raises:
            InputError: the video shows no one face, is too short, or nobody speaks in it; or work of that name is on
                something else, or going on in another process.
            AgentError: there is no room.
        """
        with sole_use(self._folder):
            footage = self._known() or self._begin(bar)
            try:
                told = self._learn(footage, bar)
            except KeyboardInterrupt:
                self._say(
                    f"{self._folder} keeps what was learnt: the same command goes on with it, and agent models remove "
                    f"talk3d --person {self.name} deletes it"
                )
                raise
            empty(self._folder)
        return told

    def _learn(self, footage: Footage, bar: PartBar) -> list[str]:
        procedure = Procedure(self._generator, footage, self._losses, self._schedule, self._device, self._widths)
        kept, costs = Kept(self._folder), work(self._schedule, len(footage.pictures))
        made = procedure.carry_out(kept, Pace(costs, _PARTS, self._say, bar))
        source = f"{self._config.video.name}, personalised by Talk3D's procedure ({self._losses.names()})"
        folder = store_person(
            made, footage, store_of(self._engine), self._speech, source, self._video_sha256,
            len(kept.losses("delta")),
        )  # fmt: skip
        still, moved = made.mouth
        return [
            f"of frames that were not learnt from, the mouth is off by {moved:.3f}, and by {still:.3f} where it stands "
            "still (0 to 2)",
            f"wrote {folder}; what it was made with is deleted",
            f"agent run --engine talk3d --person {self.name} --portrait PHOTO draws this person (the photo gives the "
            "picture its size alone)",
        ]

    def _known(self) -> Footage | None:
        """What was begun is gone on with; None: nothing was. Raises InputError: other work was."""
        path = self._folder / _SETTINGS
        if self._config.restart or not path.exists():
            return None
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._unusable(error) from None
        if other := [f"another {what}" for what, value in self._settings.items() if known.get(what) != value]:
            frames = json.loads(known.get("schedule", "{}")).get("frames", self._schedule.frames)
            if frames != self._schedule.frames:
                other[-1] = f"--frames {frames}, not {self._schedule.frames}"  # the schedule is the last
            raise InputError(
                f"{self._folder} was begun with {' and '.join(other)}: give another --name, or --restart to begin anew"
            )
        if (footage := read_footage(self._folder)) is not None:
            self._say(f"goes on with what {self._folder} holds")
        return footage

    def _begin(self, bar: PartBar) -> Footage:
        """Cuts the faces out; if that fails or is interrupted, nothing is left behind."""
        try:
            empty(self._folder)
            footage = self._filmed(bar)
            (self._folder / _SETTINGS).write_text(json.dumps(self._settings, indent=2), encoding="utf-8")
        except BaseException as error:
            empty(self._folder)
            if isinstance(error, KeyboardInterrupt):
                self._say("nothing is kept, since the video was not read to its end: the same command begins anew")
            if isinstance(error, OSError):
                raise self._unusable(error) from None
            raise
        return footage

    def _unusable(self, error: Exception) -> AgentError:
        reason = getattr(error, "strerror", None) or error
        return AgentError(f"{self._folder} cannot be used: {reason}; AGENT_DATA names another folder")

    def _filmed(self, bar: PartBar) -> Footage:
        video, side = self._config.video, self._generator.size.picture
        for line in first_look(video):
            self._say(f"--video {video}: {line}")
        count = frames_of(video)
        self._check_room(footage_bytes(count, side) + state_bytes(self._generator, self._widths))
        self._estimate(count)
        try:
            track = film(video, partial(bar, _part(_FILMING[0])))
            sounds, speech_s = listen(
                video, self._load_speech(self._speech_file()), len(track.faces), partial(bar, _part(_FILMING[1]))
            )
        except InputError as error:
            raise InputError(f"--video {video}: {str(error).removeprefix(f'{video} ')}") from None
        count = len(track.faces)
        self._say(f"{count / FPS:.0f} s of one face, {speech_s:.0f} s of speech; the authors took minutes of each")
        face = average_face(self._generator.eval().requires_grad_(False), self._schedule.samples)
        if face is None:
            self._say("the generator's average shows no face: faces are laid where EG3D's usually are")
        shown = partial(bar, _part(_FILMING[2]))
        return cut_out(video, track, sounds, usual_face() if face is None else face, self._folder, side, shown)

    def _estimate(self, count: int) -> None:
        """Says how much time and memory so many frames take here."""
        self._say("tries how fast this machine is")
        found = try_out(self._generator, self._losses, self._widths, self._schedule.samples, self._device)
        self._say(f"takes {expected(work(self._schedule, count), found.picture_s)} here, once the video is read")
        free_bytes = (
            torch.cuda.mem_get_info(self._device)[0]
            if self._device.type == "cuda"
            else look_at_computer().free_memory_bytes
        )
        where = "of the GPU's memory" if self._device.type == "cuda" else "of memory"
        free = "" if free_bytes is None else f"; {free_bytes / 1e9:.1f} GB are free"
        short = free_bytes is not None and free_bytes < found.memory_bytes
        self._say(
            f"needs about {found.memory_bytes / 1e9:.1f} GB {where}{free}{': it may well end for lack of it' * short}"
        )

    def _speech_file(self) -> Path:
        assert self._speech.folder is not None
        return self._speech.folder / SPEECH.files[0]

    def _check_room(self, needed_bytes: int) -> None:
        free_bytes = shutil.disk_usage(self._folder).free
        self._say(f"needs up to {needed_bytes / 1e6:.0f} MB in {self._folder}; {free_bytes / 1e6:.0f} MB are free")
        if free_bytes < needed_bytes + _SPARE_BYTES:
            raise AgentError(
                f"{self._folder} has {free_bytes / 1e6:.0f} MB left and {(needed_bytes + _SPARE_BYTES) / 1e6:.0f} are "
                "needed; make room, or name another folder in AGENT_DATA"
            )


def _part(name: str) -> str:
    return numbered(name, _PARTS)


def _losses(config: Personalise) -> Losses:
    identity = None if config.arcface is None else read_identity(config.arcface)
    syncnet = None if config.syncnet is None else SyncNet.read(config.syncnet)
    return Losses(Structure() if config.lpips is None else Learned(Lpips.read(*config.lpips)), identity, syncnet)
