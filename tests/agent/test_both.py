"""`--mode both`: the composition root gives the driver what it needs to doubt a mouth."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from agent.config.run import Run
from agent.inputs import open_face_video
from calibration.photo import read_photo
from models.landmarks import find_faces
from models.topology import CHIN
from runtime.frame import Frame
from runtime.ladder import Ladder


@pytest.mark.parametrize(("mode", "believed"), [("both", 0.0), ("video", 1.0)])
def test_a_covered_mouth_is_doubted_where_a_voice_can_take_its_place(
    portrait_png: Path, mode: Literal["both", "video"], believed: float
) -> None:
    photo = np.ascontiguousarray(read_photo(portrait_png)[:300, 80:380])
    driver = open_face_video(Run(portrait_png, mode=mode), None, Ladder(25, tracks=True))
    tracked = driver.push(Frame(photo, 0))[0]
    assert tracked.confidence == tracked.mouth_confidence == 1.0
    landmarks = find_faces(photo)[0]
    top, bottom = int(landmarks[1, 1]) + 4, int(landmarks[CHIN, 1])
    masked = photo.copy()
    masked[top:bottom, int(landmarks[58, 0]) : int(landmarks[288, 0])] = (210, 215, 220)
    motions = [driver.push(Frame(masked, k * 40_000_000))[0] for k in range(1, 20)]
    driver.close()
    assert (motions[-1].confidence, motions[-1].mouth_confidence) == (1.0, believed)
