"""Which driver turns the voice into a face: the agent's own, or that of the engine's paper where its weights are."""

from collections.abc import Callable

from agent.config import Run
from calibration.mouth_fit import MouthFit
from models.audio.speaker_layer import SpeakerLayer
from models.bfm import FACE_MODEL, load_bfm
from models.face import load_face_model
from models.real3d.needs import AUDIO, HUBERT
from models.transfer import expression_transfer
from models.weights import Missing, Weights, find
from runtime.drivers import Driver
from runtime.drivers.gestures import Gestures
from runtime.drivers.speech_face import SpeechFace
from runtime.sound import Sound

Say = Callable[[str], None]


def open_speech(config: Run, offline: bool, speaker: SpeakerLayer | None, say: Say) -> Driver[Sound]:
    """The driver of `--microphone`; `say` hears which it is where there is a choice.

    Raises InputError: weights of the engine that are missing, or of no use.
    """
    gestures = Gestures(config.seed, config.liveliness, config.blinks)
    if config.engine == "real3d":
        weights = find("real3d")
        if isinstance(weights, Missing):
            raise weights.error()
        reason = _why_not_the_papers(weights, offline)
        if not reason:
            return _open_real3d_speech(weights, config, gestures, speaker, say)
        say(f"the agent's own speech network moves the face: {reason}")
    return SpeechFace(
        load_face_model(),
        config.look_ahead,
        config.mouth_amplitude,
        gestures,
        speaker,
        config.temperature,
        config.seed,
    )


def _why_not_the_papers(weights: Weights, offline: bool) -> str:
    lacking = [part.title for part in (AUDIO, HUBERT) if part in weights.absent]
    if lacking:
        return f"real3d has no {' and no '.join(lacking)} (agent models list)"
    if not offline and _device() == "cpu":
        return "that of real3d is slower than speech without an NVIDIA GPU; files are rendered with it"
    return ""


def _device() -> str:
    import torch  # seconds to load: the engine did it already

    return "cuda" if torch.cuda.is_available() else "cpu"


def _open_real3d_speech(
    weights: Weights, config: Run, gestures: Gestures, speaker: SpeakerLayer | None, say: Say
) -> Driver[Sound]:
    from safetensors.torch import load_file

    from models.audio.hubert_file import load_hubert
    from models.real3d.audio_to_motion import load_audio_to_motion
    from models.real3d.speech_stream import Delivery, SpeechStream
    from runtime.drivers.real3d_speech import Real3dSpeech

    device = _device()
    where = "a GPU" if device == "cuda" else "the CPU: that takes longer than the speech"
    say(f"real3d's own speech network moves the face, on {where}")
    if speaker is not None:
        say("the profile's mouth was learnt for the agent's own speech network, and is left out")
    hubert = load_hubert(weights.folder / HUBERT.files[0]).to(device)
    network = load_audio_to_motion(load_file(weights.folder / AUDIO.files[0])).to(device)
    delivery = Delivery(Delivery().mouth_amp * config.mouth_amplitude, config.temperature, config.seed)
    own = load_face_model()
    fit = MouthFit(expression_transfer(load_bfm(weights.folder / FACE_MODEL.files[0]), own), own)
    return Real3dSpeech(lambda: SpeechStream(hubert, network, delivery), fit, gestures)
