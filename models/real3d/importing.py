"""What an import of Real3D-Portrait's released files consists of."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.audio.hubert_file import load_hubert
from models.bfm import FACE_MODEL, MODEL_FILE
from models.checkpoint import network_entries
from models.errors import InputError
from models.importing import Network, Request, Source
from models.real3d.audio_to_motion import AudioToMotion
from models.real3d.face import load_real3d_face
from models.real3d.needs import AUDIO, FACE_DATA, HUBERT, SEGMENTER, VIDEO
from models.real3d.release import Given, find_checkpoints, find_others, step_of
from models.real3d.video_model import VideoModel
from models.weight_store import Replacement

_TFLITE = b"TFL3"  # from the fifth byte on


@dataclass(frozen=True, slots=True)
class Released:
    """A network, and where it lies in the release."""

    network: Network
    folder: str


NETWORKS = (
    Released(Network(VIDEO, VideoModel, network_entries, "global_step", step_of), "secc2plane_torso_orig"),
    Released(Network(AUDIO, AudioToMotion, network_entries, "global_step", step_of), "audio2secc_vae"),
)


def request(given: Given, released: Sequence[Released]) -> Request:
    """Looks for the files; `released` are usually `NETWORKS`. Raises InputError for what is not there."""
    wanted = [each for each in released if each.network.part.needed or not given.without_audio]
    networks, folders = [each.network for each in wanted], [each.folder for each in wanted]
    checkpoints = [(path, networks) for each in given.checkpoints for path in find_checkpoints(each, folders)]
    others = list(find_others(given))
    return Request(
        checkpoints=checkpoints,
        wanted=networks if checkpoints else (),
        dropped=[each.network.part for each in released if each not in wanted] if checkpoints else (),
        others=others,
        check=lambda new: _check(new, others),
    )


def _check(new: Replacement, others: Sequence[Source]) -> None:
    """Raises InputError for files that the engine could not use."""
    given = {source.part for source in others}
    if given & {FACE_MODEL, FACE_DATA}:
        if MODEL_FILE not in new:
            raise InputError("--face-data belongs to a face model: give --face-model with it")
        load_real3d_face(new.folder)
    if HUBERT in given:
        load_hubert(new.folder / HUBERT.files[0])
    path = new.folder / SEGMENTER.files[0]
    if SEGMENTER in given:
        with path.open("rb") as file:
            if file.read(8)[4:] != _TFLITE:
                raise InputError(f"{path} is not a .tflite model; give {SEGMENTER.source}")
