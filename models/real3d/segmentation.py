"""What each pixel of a portrait shows, in the six classes that Real3D-Portrait's networks were trained with."""

from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from models.errors import InputError
from models.perception import quiet_mediapipe

BACKGROUND, HAIR, BODY_SKIN, FACE_SKIN, CLOTHES, OTHERS = range(6)
"""The classes; `OTHERS` is what is worn, glasses and hats for instance."""
_LABELS = 6
_MODEL = "selfie_multiclass_256x256.tflite"

Image = UInt8[np.ndarray, "h w 3"]
Classes = UInt8[np.ndarray, "h w"]


@runtime_checkable
class Segmenter(Protocol):
    """Tells the parts of a person."""

    def __call__(self, image: Image, landmarks: Float32[np.ndarray, "478 3"]) -> Classes:
        """The class of each pixel of an RGB photo, in which the face has these landmarks."""
        ...


class MulticlassSegmenter:
    """mediapipe's multiclass selfie segmenter, which the networks were trained with, from a user's own file.

    Everybody in the photo is person to it. Use it in a `with` statement.
    """

    def __init__(self, path: Path) -> None:
        """`path`: selfie_multiclass_256x256.tflite. Raises InputError: no such file, or another model."""
        try:
            model = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
        with quiet_mediapipe():
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.ImageSegmenterOptions(
                base_options=BaseOptions(model_asset_buffer=model), output_category_mask=True
            )
            try:
                self._model: Any = vision.ImageSegmenter.create_from_options(options)
            except (ValueError, RuntimeError) as error:
                reason = " ".join(str(error).split())
                raise InputError(f"{path} is not a segmentation model ({reason}); bring {_MODEL}") from None
        if len(self._model.labels) != _LABELS:
            found = len(self._model.labels)
            self._model.close()
            raise InputError(f"{path} tells {found} classes apart; bring {_MODEL}, with {_LABELS}")

    def __call__(self, image: Image, landmarks: Float32[np.ndarray, "478 3"]) -> Classes:
        """The class of each pixel; the landmarks are not looked at."""
        with quiet_mediapipe():
            from mediapipe import Image as MediapipeImage
            from mediapipe import ImageFormat

            found = self._model.segment(MediapipeImage(ImageFormat.SRGB, np.ascontiguousarray(image)))
            return found.category_mask.numpy_view().copy().reshape(image.shape[:2])

    def __enter__(self) -> "MulticlassSegmenter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._model.close()
