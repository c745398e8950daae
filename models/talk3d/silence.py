"""What frames hear where nobody speaks.

Scores of 0 are no silence: to CTC (Graves et al., 2006) all symbols are then as likely. In silence its blank is.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from models.audio.mel import RATE_HZ
from models.talk3d.audio_windows import PER_FRAME, frame_sound
from models.talk3d.conditions import SPAN, SYMBOLS, WINDOWS
from models.talk3d.speech_scores import SpeechScores, load_speech_scores

_SECONDS = 1.2
_BLANK, _SURE = 43, 10.0
"""The network's vocabulary is taken to end in CTC's blank, as that of the usual fine-tuning does: only a guess."""

Heard = Float32[np.ndarray, "8 44 16"]


def blank() -> Heard:
    """The blank in all windows: for people whose speech network is not there."""
    out = np.zeros((WINDOWS, SYMBOLS, SPAN), np.float32)
    out[:, _BLANK] = _SURE
    return out


@torch.inference_mode()
def heard_silence(network: SpeechScores) -> Heard:
    """What a frame in the middle of silence hears; a second on a CPU."""
    scores = network(torch.zeros(1, round(_SECONDS * RATE_HZ)))[0].numpy()
    return frame_sound(scores, len(scores) // 2 // PER_FRAME)


def silence(speech: Path | None) -> Heard:
    """By a speech network's file, or `blank` where there is none. Raises InputError: the file is damaged."""
    return blank() if speech is None else heard_silence(load_speech_scores(speech))
