"""The preview page's stream, read as a program reads it."""

import io
import time
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from agent.mjpeg import read_jpegs
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.preview import Preview


def test_each_picture_comes_with_its_instant_until_the_page_goes() -> None:
    preview = Preview(0, status=dict)
    before_ns, seen = time.monotonic_ns(), []
    try:
        with closing(read_jpegs(preview.url, 20.0)) as jpegs:
            for grey in (40, 200):
                preview.send(Picture(np.full((48, 64, 3), grey, np.uint8), Motion(0), 0))
                seen.append(next(jpegs))
    finally:
        preview.close()
    assert before_ns < seen[0][0] < seen[1][0] < time.monotonic_ns()
    images = [np.asarray(Image.open(io.BytesIO(jpeg))) for _, jpeg in seen]
    assert [image.shape for image in images] == [(48, 64, 3)] * 2
    np.testing.assert_allclose([image.mean() for image in images], (40, 200), atol=2)
    with pytest.raises(OSError):
        read_jpegs(preview.url, 20.0)
