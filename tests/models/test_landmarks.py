"""The tracker of faces in video: its beginning, and that after a failure."""

import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from calibration.photo import read_photo
from models.landmarks import MediapipeTracker, _run
from models.perception import quiet_mediapipe


def test_a_tracker_whose_graph_failed_begins_anew(portrait_png):
    photo, tracker = read_photo(portrait_png), MediapipeTracker()
    assert tracker.track(photo) is not None
    tracker._mesh.close()  # a graph that runs no more
    with pytest.raises(Exception, match=r"."):
        tracker.track(photo)
    assert tracker.track(photo) is not None
    tracker.close()
    tracker.close()


FIRST_FACE = """
import os, sys
from pathlib import Path
import numpy as np
from calibration.photo import read_photo
from models.landmarks import MediapipeTracker

tracker = MediapipeTracker()
tracker.track(np.zeros((48, 64, 3), np.uint8))
os.write(2, b"nobody yet\\n")
assert tracker.track(read_photo(Path(sys.argv[1]))[:, :400]) is not None
"""


def test_a_live_run_hears_nothing_of_mediapipe_and_all_of_others(portrait_png):
    command = [sys.executable, "-c", FIRST_FACE, str(portrait_png)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "nobody yet\n")


def test_a_new_tracker_remembers_no_face(portrait_png):
    photo = read_photo(portrait_png)
    with quiet_mediapipe() as solutions, solutions.face_mesh.FaceMesh(refine_landmarks=True, max_num_faces=1) as fresh:
        expected = [_run(fresh, np.roll(photo, shift, 1))[0] for shift in (0, 10, 15)]
    with closing(MediapipeTracker()) as tracker:
        for shift, landmarks in zip((0, 10, 15), expected, strict=True):
            np.testing.assert_array_equal(tracker.track(np.roll(photo, shift, 1)), landmarks)
