"""Our motions in the expression coefficients that Real3D-Portrait is driven with, and its speech in ours."""

import numpy as np
from jaxtyping import Float32

from models.motion import INDEX, MOUTH, Motion
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


def own_mouth(expression: Float32[np.ndarray, "64"], transfer: ExpressionTransfer) -> Float32[np.ndarray, "64"]:
    """The mouth of an expression of BFM 2009 in the coefficients of `Motion`: 0..1, all but the mouth's 0.

    Args:
        expression: of the audio-to-motion network.
        transfer: `expression_transfer(load_bfm(path), load_face_model())`.
    """
    mouth = np.where(MOUTH, np.clip(transfer(expression), 0.0, 1.0), np.float32(0.0))
    mouth[INDEX["mouthNeutral"]] = 1.0
    return mouth
