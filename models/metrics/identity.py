"""Who a face is, by a recognition network that a user brings."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from models.errors import InputError
from models.metrics.sources import IDENTITY
from models.pose import similarity
from models.topology import LEFT_IRIS, RIGHT_IRIS

_SIDE = 112
_POINTS = [RIGHT_IRIS[0], LEFT_IRIS[0], 4, 61, 291]  # eyes, tip of the nose, corners of the mouth
_PLACES = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
"""Where ArcFace has them in its picture of 112 x 112 pixels."""


class FaceIdentity:
    """Deng et al., "ArcFace: additive angular margin loss for deep face recognition", 2019, as an ONNX file."""

    def __init__(self, path: Path) -> None:
        """Raises InputError: not an ONNX file, or not of a network that takes such pictures."""
        import onnxruntime  # a second to load

        if not path.is_file():
            raise InputError(f"{path} is {'a folder' if path.is_dir() else 'not there'}; give the ONNX file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # damaged bytes lead the reader to whatever error
            raise InputError(f"{path} is not an ONNX file, or damaged; get it again") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        taken = [(each.shape[1:], each.type) for each in inputs]
        if taken != [([3, _SIDE, _SIDE], "tensor(float)")] or [len(each.shape) for each in outputs] != [2]:
            raise InputError(f"{path} is not a network that takes faces of {_SIDE}x{_SIDE} pixels; get {IDENTITY}")
        self._name = inputs[0].name

    def features(
        self, image: UInt8[np.ndarray, "h w 3"], landmarks: Float[np.ndarray, "478 3"]
    ) -> Float32[np.ndarray, "d"]:
        """What tells this face from others; `landmarks` in pixels of `image`."""
        x = aligned(image, landmarks).astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
        (found,) = self._session.run(None, {self._name: x})
        return np.asarray(found[0], np.float32)


def aligned(image: UInt8[np.ndarray, "h w 3"], landmarks: Float[np.ndarray, "478 3"]) -> UInt8[np.ndarray, "112 112 3"]:
    """The face shifted, turned and scaled so that its five points come nearest to ArcFace's, least squares."""
    flat = landmarks[_POINTS] * [1.0, 1.0, 0.0]
    pose = similarity(flat, np.pad(_PLACES, ((0, 0), (0, 1))))
    matrix = np.concatenate([pose.scale * pose.rotation[:2, :2], pose.translation[:2, None]], 1)
    return np.asarray(cv2.warpAffine(image, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR))
