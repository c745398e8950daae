"""What the avatar hears: wav2vec 2.0 (Baevski et al., 2020), trained to recognise the letters of Esperanto.

It is built as HuBERT is. The scores of all letters count, not the letters.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.audio.hubert import Hubert, HubertSize
from models.audio.hubert_file import find_file, fitting, read_entries
from models.talk3d.conditions import SYMBOLS

NAME = "wav2vec2-large-xlsr-53-esperanto"
_REMEDY = f"bring model.safetensors or pytorch_model.bin of cpierse/{NAME}"
_BODY = "wav2vec2."


class SpeechScores(nn.Module):
    """Normalised sound of 16 kHz -> scores of 44 symbols, 50 times per second."""

    def __init__(self, size: HubertSize | None = None) -> None:
        """None is the large model."""
        super().__init__()
        size = size or HubertSize()
        self.wav2vec2 = Hubert(size)
        self.lm_head = nn.Linear(size.hidden, SYMBOLS)

    def forward(self, sound: Float[Tensor, "b samples"]) -> Float[Tensor, "b frames 44"]:
        """The scores of a whole clip."""
        return self.lm_head(self.wav2vec2(sound))


def load_speech_scores(path: Path, size: HubertSize | None = None) -> SpeechScores:
    """For inference, in float32, from a user's own file or the folder that it lies in.

    Nothing in the file is ever executed. Raises InputError, see `models.audio.hubert_file`.
    """
    file = find_file(path, _REMEDY)
    with torch.device("meta"):
        network = SpeechScores(size)
    state = fitting(read_entries(file, ""), network.state_dict(), _BODY, file, NAME, _REMEDY)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)
