"""Our motions in the expression coefficients that Real3D-Portrait is driven with: its default without HuBERT."""

import numpy as np
from jaxtyping import Float32

from models.motion import INDEX, Motion
from models.transfer import ExpressionTransfer

_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


def bfm_expression(motion: Motion, transfer: ExpressionTransfer) -> Float32[np.ndarray, "64"]:
    """The 64 coefficients of BFM 2009 for a motion of our own drivers, heard or seen.

    Closed eyes are left out: this paper closes them in the picture of the face's surface, not in its coefficients.

    Args:
        motion: any; its head and its confidence are not looked at.
        transfer: `expression_transfer(load_face_model(), load_bfm(path))`.
    """
    open_eyed = motion.expression.copy()
    open_eyed[_BLINKS] = 0
    return transfer(open_eyed)
