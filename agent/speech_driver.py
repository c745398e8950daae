"""Which driver turns the voice into a face: the agent's own, or that of the engine's paper where its weights are."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.config.run import Run
from calibration.mouth_fit import MouthFit
from models.audio.speaker_layer import SpeakerLayer
from models.bfm import FACE_MODEL, load_bfm
from models.face import load_face_model
from models.motion import expression
from models.real3d.needs import AUDIO, HUBERT
from models.talk3d.needs import SPEECH
from models.transfer import expression_transfer
from models.weight_part import Part
from models.weights import Missing, Weights, find, with_person
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
        weights = _weights(config)
        reason = _why_not_the_papers(weights, (AUDIO, HUBERT), offline)
        if not reason:
            return _open_real3d_speech(weights, config, gestures, speaker, say)
        say(f"the agent's own speech network moves the face: {reason}")
    if config.engine == "talk3d":
        weights = _weights(config)
        reason = _why_not_the_papers(weights, (SPEECH,), offline)
        if not reason:
            return _open_talk3d_speech(weights, gestures, say)
        say(f"{SPEECH.instead}: {reason}")
    return SpeechFace(
        load_face_model(),
        config.look_ahead,
        config.mouth_amplitude,
        gestures,
        speaker,
        config.temperature,
        config.seed,
    )


def _weights(config: Run) -> Weights:
    weights = find(with_person(config.engine, config.person))
    if isinstance(weights, Missing):
        raise weights.error()
    return weights


def _why_not_the_papers(weights: Weights, parts: Sequence[Part], offline: bool) -> str:
    lacking = [part.title for part in parts if part in weights.absent]
    if lacking:
        return f"{weights.engine} has no {' and no '.join(lacking)} (agent models list)"
    if not offline and _device() == "cpu":
        return f"that of {weights.engine} is slower than speech without an NVIDIA GPU; files are rendered with it"
    return ""


def _device() -> str:
    import torch  # seconds to load: the engine did it already

    return "cuda" if torch.cuda.is_available() else "cpu"


def _say_where(weights: Weights, device: str, say: Say) -> None:
    where = "a GPU" if device == "cuda" else "the CPU: that takes longer than the speech"
    say(f"{weights.engine}'s own speech network moves the face, on {where}")


def _open_talk3d_speech(weights: Weights, gestures: Gestures, say: Say) -> Driver[Sound]:
    from models.talk3d.speech_scores import load_speech_scores
    from models.talk3d.speech_stream import LOOK_AHEAD_NS, SpeechStream
    from runtime.drivers.paper_speech import PaperSpeech

    device = _device()
    _say_where(weights, device, say)
    network = load_speech_scores(weights.folder / SPEECH.files[0]).to(device)
    lips = expression()  # these networks hear for themselves what they do
    return PaperSpeech(
        lambda: SpeechStream(network),
        LOOK_AHEAD_NS,
        lambda heard, sound: replace(heard.motion(lips), speech=sound),
        gestures,
    )


def _open_real3d_speech(
    weights: Weights, config: Run, gestures: Gestures, speaker: SpeakerLayer | None, say: Say
) -> Driver[Sound]:
    from safetensors.torch import load_file

    from models.audio.hubert_file import load_hubert
    from models.real3d.audio_to_motion import load_audio_to_motion
    from models.real3d.speech_stream import LOOK_AHEAD_NS, Delivery, SpeechStream
    from runtime.drivers.paper_speech import PaperSpeech

    device = _device()
    _say_where(weights, device, say)
    if speaker is not None:
        say("the profile's mouth was learnt for the agent's own speech network, and is left out")
    hubert = load_hubert(weights.folder / HUBERT.files[0]).to(device)
    network = load_audio_to_motion(load_file(weights.folder / AUDIO.files[0])).to(device)
    delivery = Delivery(Delivery().mouth_amp * config.mouth_amplitude, config.temperature, config.seed)
    own = load_face_model()
    fit = MouthFit(expression_transfer(load_bfm(weights.folder / FACE_MODEL.files[0]), own), own)
    return PaperSpeech(
        lambda: SpeechStream(hubert, network, delivery),
        LOOK_AHEAD_NS,
        lambda heard, mouth: heard.motion(fit(mouth)),
        gestures,
    )
