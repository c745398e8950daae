"""Which files VideoFile leaves, replaces and refuses, whoever else writes and however a run ends."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import AgentError, InputError
from runtime.sinks.codecs import EXTENSIONS
from runtime.sinks.video_file import VideoFile
from runtime.sound import Sound
from tests.runtime.video_files import FPS, SIZE, START_NS, click, onset_s, picture, pictures_of, sound_of, write
from tests.warned import warned


@pytest.mark.parametrize("complete", [True, False])
def test_close_without_a_picture_leaves_the_old_file(tmp_path: Path, complete: bool) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"precious")
    file = VideoFile(path, FPS, SIZE, live=True, sound=True)
    file.hear(Sound(np.zeros((480, 1), np.float32), 48_000, START_NS))
    file.close(complete)
    file.close(complete)
    assert file.completed is None
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_failed_run_keeps_what_it_made_beside_the_old_file(
    tmp_path: Path, extension: str, live: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path, older, kept = (tmp_path / f"{name}{extension}" for name in ("out", "out.partial", "out.partial-2"))
    path.write_bytes(b"precious")
    older.write_bytes(b"of an older failure")
    file = VideoFile(path, FPS, SIZE, live=live, sound=True)
    file.hear(Sound(click(0.4, 1.0, 48_000), 48_000, START_NS))
    for index in range(30):
        file.send(picture(index))
    file.close(complete=False)
    file.close()
    assert file.completed is None
    assert path.read_bytes() == b"precious"
    assert older.read_bytes() == b"of an older failure"
    assert len(pictures_of(kept)) == 30
    assert onset_s(sound_of(kept)) == pytest.approx(0.4, abs=0.002)
    assert set(tmp_path.iterdir()) == {path, older, kept}
    assert [str(kept) in line for line in warned(caplog, "runtime.sinks.video_file")] == [True]


def test_a_target_that_cannot_be_replaced_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    file = VideoFile(path, FPS, SIZE, live=True, sound=False)
    file.send(picture(0))
    path.mkdir()
    with pytest.raises(AgentError, match=r"out\.mp4: Is a directory"):
        file.close()
    assert file.completed is None
    assert len(pictures_of(tmp_path / "out.partial.mp4")) == 1


RECORD_UNTIL_KILLED = """
import sys
from pathlib import Path
import numpy as np
from models.motion import Motion
from runtime.picture import Picture
from runtime.sound import Sound
from runtime.sinks.video_file import VideoFile

file = VideoFile(Path(sys.argv[1]), 25, (64, 48), live=True, sound=True)
for index in range(250):
    file.hear(Sound(np.full((1920, 1), 0.3, np.float32), 48_000, index * 40_000_000))
    file.send(Picture(np.full((48, 64, 3), index, np.uint8), Motion(index * 40_000_000), index * 40_000_000))
print("recorded", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("extension", [".mp4", ".mov", ".webm"])
def test_a_killed_run_loses_the_last_seconds_only(tmp_path: Path, extension: str) -> None:
    path, hidden, kept = (tmp_path / f"{name}{extension}" for name in ("out", ".out.partial", "out.partial"))
    command = [sys.executable, "-c", RECORD_UNTIL_KILLED, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"recorded\n"
        process.kill()
    frames = pictures_of(hidden)
    assert [round(frame.time * FPS) for frame in frames] == list(range(len(frames)))
    assert len(frames) > 175  # of 250
    assert sound_of(hidden).shape[1] > 6.5 * 48_000
    VideoFile(path, FPS, SIZE, live=True, sound=True).close()  # the next run does not write over it
    assert list(tmp_path.iterdir()) == [kept]
    assert len(pictures_of(kept)) == len(frames)


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("out.avi", SIZE, r"\.mp4, \.mov, \.mkv, \.webm"),
        ("out", SIZE, r"\.mp4, \.mov, \.mkv, \.webm"),
        ("missing/out.mp4", SIZE, "no folder"),
        ("folder.mp4", SIZE, "is a folder"),
        ("blocked.mp4", SIZE, "Cannot write"),
        ("out.mp4", (63, 48), "even size"),
        ("out.mp4", (20_000, 2), "another size"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(tmp_path: Path, name: str, size: tuple[int, int], reason: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / ".blocked.partial.mp4").mkdir()
    with pytest.raises(InputError, match=reason):
        VideoFile(tmp_path / name, FPS, size, live=False, sound=False)
    assert {entry.name for entry in tmp_path.iterdir()} == {"folder.mp4", ".blocked.partial.mp4"}


def test_a_file_has_one_writer_at_a_time(tmp_path: Path) -> None:
    path, partial = tmp_path / "out.mp4", tmp_path / ".out.partial.mp4"
    first = VideoFile(path, FPS, SIZE, live=True, sound=False)
    for index in range(30):
        first.send(picture(index))
    with pytest.raises(InputError, match=r"out\.mp4 is being written by another agent"):
        VideoFile(path, FPS, SIZE, live=True, sound=False)
    assert partial.is_file()
    first.close()
    assert len(pictures_of(path)) == 30
    write(path, count=5)  # the next run is free to
    assert len(pictures_of(path)) == 5
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_another_process_s_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    command = [sys.executable, "-c", RECORD_UNTIL_KILLED, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"recorded\n"
        before = (tmp_path / ".out.partial.mp4").read_bytes()
        with pytest.raises(InputError, match="another agent"):
            VideoFile(path, FPS, SIZE, live=True, sound=False)
        assert (tmp_path / ".out.partial.mp4").read_bytes() == before
        process.kill()


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    link, target = tmp_path / "latest.mp4", tmp_path / "videos" / "today.mp4"
    link.symlink_to(target)
    for count in (3, 7):
        write(link, count=count)
        assert link.is_symlink()
        assert len(pictures_of(target)) == count
    assert [entry.name for entry in (tmp_path / "videos").iterdir()] == ["today.mp4"]


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to(tmp_path / "b.mp4")
    (tmp_path / "b.mp4").symlink_to(tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"a\.mp4"):
        VideoFile(tmp_path / "a.mp4", FPS, SIZE, live=False, sound=False)
