"""What VideoFile leaves when the disk fills up."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from models.errors import AgentError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.video_file import VideoFile
from tests.runtime.video_files import FPS, SIZE, STEP_NS, pictures_of


@pytest.fixture
def fill_disk() -> Iterator[Callable[[int], None]]:
    """Lets files grow to so many bytes from then on."""
    resource = pytest.importorskip("resource", reason="file size limits are a thing of Unix")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


NOISE = np.random.default_rng(0).integers(0, 256, (300, 48, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("extension", "live", "playable"), [(".mp4", True, 50), (".mkv", True, 50), (".mkv", False, 50), (".mp4", False, 0)]
)
def test_a_full_disk_ends_the_file_aloud_and_leaves_what_was_written(
    tmp_path: Path,
    extension: str,
    live: bool,
    playable: int,
    fill_disk: Callable[[int], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, kept = tmp_path / f"out{extension}", tmp_path / f"out.partial{extension}"
    path.write_bytes(b"precious")
    file = VideoFile(path, FPS, SIZE, live=live, sound=False)
    fill_disk(400_000)
    reason = rf"Cannot go on writing .*out{extension}: File too large"
    with pytest.raises(AgentError, match=reason):
        for index, image in enumerate(NOISE):
            file.send(Picture(image, Motion(0), index * STEP_NS))
    with pytest.raises(AgentError, match=reason):
        file.close()
    assert file.completed is None
    assert path.read_bytes() == b"precious"
    assert 300_000 < kept.stat().st_size <= 400_000  # mp4 is cut to whole fragments
    assert str(kept) in caplog.text
    assert ("cannot open it" in caplog.text) == (not playable)
    if playable:
        assert len(pictures_of(kept)) >= playable
    assert set(tmp_path.iterdir()) == {path, kept}


def test_a_disk_that_is_full_at_the_very_end_leaves_a_playable_recording(
    tmp_path: Path, fill_disk: Callable[[int], None]
) -> None:
    file = VideoFile(tmp_path / "out.mp4", FPS, SIZE, live=True, sound=False)
    for index, image in enumerate(NOISE[:150]):
        file.send(Picture(image, Motion(0), index * STEP_NS))
    fill_disk((tmp_path / ".out.partial.mp4").stat().st_size)
    with pytest.raises(AgentError, match=r"out\.mp4: File too large"):
        file.close()
    assert len(pictures_of(tmp_path / "out.partial.mp4")) >= 100
