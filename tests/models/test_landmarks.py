"""The tracker of faces in video, after a failure."""

import pytest

from calibration.photo import read_photo
from models.landmarks import MediapipeTracker


def test_a_tracker_whose_graph_failed_begins_anew(portrait_png):
    photo, tracker = read_photo(portrait_png), MediapipeTracker()
    assert tracker.track(photo) is not None
    tracker._mesh.close()  # a graph that runs no more
    with pytest.raises(Exception, match=r"."):
        tracker.track(photo)
    assert tracker.track(photo) is not None
    tracker.close()
    tracker.close()
