"""What VideoFile writes is read back with PyAV: instants, colours, bytes, key frames."""

from pathlib import Path

import av
import numpy as np
import pytest

from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.codecs import EXTENSIONS
from runtime.sinks.video_file import VideoFile
from runtime.sound import Sound
from tests.runtime.video_files import (
    AAC_FRAME,
    COLOUR,
    FPS,
    SIZE,
    START_NS,
    STEP_NS,
    click,
    onset_s,
    picture,
    pictures_of,
    sound_of,
    write,
)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_container_keeps_instants_colour_and_sound(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"out{extension}"
    file = VideoFile(path, FPS, SIZE, live=False, sound=True)
    for index in range(20):
        at = click(0.02, 0.04, 16_000) if index == 10 else np.zeros((640, 1), np.float32)
        file.hear(Sound(at, 16_000, START_NS + index * STEP_NS))
        if index not in (4, 5):  # the loop skipped two ticks
            file.send(picture(index))
    assert not path.exists()
    assert file.completed is None
    file.close()
    assert file.completed == path
    frames = pictures_of(path)
    assert [round(frame.time * FPS, 2) for frame in frames] == [i for i in range(20) if i not in (4, 5)]
    np.testing.assert_allclose(frames[9].to_ndarray(format="rgb24")[20, 20], COLOUR, atol=3)
    assert {(frame.colorspace, frame.color_range) for frame in frames} == {(1, 1)}
    samples = sound_of(path)
    assert onset_s(samples) == pytest.approx(0.42, abs=0.002)
    assert 0 <= samples.shape[1] - 0.8 * 48_000 < AAC_FRAME
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)])
def test_colours_are_bt709_of_limited_range(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    path = tmp_path / "out.mp4"
    file = VideoFile(path, FPS, SIZE, live=False, sound=False)
    file.send(picture(0, colour))
    file.close()
    frame = pictures_of(path)[0]
    planes = frame.to_ndarray()  # yuv420p as stored: 48 rows of Y, 12 of U, 12 of V
    red, green, blue = (value / 255 for value in colour)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    expected = (16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748)
    assert (planes[24, 30], planes[54, 30], planes[66, 30]) == pytest.approx(expected, abs=1.5)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
    assert tags == (1, 1, 1, 1)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_the_same_input_makes_the_same_bytes(tmp_path: Path, extension: str) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, (52_000, 2)).astype(np.float32)
    first, second = (
        write(tmp_path / f"{name}{extension}", sound=Sound(noise, 44_100, START_NS)).read_bytes() for name in ("a", "b")
    )
    assert first == second
    assert len(first) > 2000


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("fps", [25, 29.97])
def test_live_there_is_a_key_frame_every_two_seconds(tmp_path: Path, extension: str, fps: float) -> None:
    path = tmp_path / f"out{extension}"
    file = VideoFile(path, fps, SIZE, live=True, sound=False)
    for index in range(200):
        due_ns = round(index * 1e9 / fps)
        file.send(Picture(np.full((48, 64, 3), COLOUR, np.uint8), Motion(due_ns), due_ns))
    file.close()
    keys = [frame.time for frame in pictures_of(path) if frame.key_frame]
    assert len(keys) == 4
    assert max(np.diff(keys)) < 2.001


@pytest.mark.parametrize("extension", [".mp4", ".mov"])
def test_a_closed_live_file_is_a_plain_one(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"out{extension}"
    file = VideoFile(path, FPS, SIZE, live=True, sound=True)
    for index in range(150):
        file.hear(Sound(np.zeros((1920, 1), np.float32), 48_000, START_NS + index * STEP_NS))
        file.send(picture(index))
    file.close()
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert video.frames == 150  # players read this in the index; with fragments it is 0
        assert video.duration * video.time_base == pytest.approx(6)
        container.seek(5_000_000)
        assert next(container.decode(video=0)).time == 4


def test_wrong_pictures_are_refused_and_the_file_stays_good(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", FPS, SIZE, live=False, sound=False)
    file.send(picture(3))
    with pytest.raises(ValueError, match=r"\(64, 48\)"):
        file.send(Picture(np.zeros((64, 48, 3), np.uint8), Motion(0), START_NS + 4 * STEP_NS))
    with pytest.raises(ValueError, match="due_ns"):
        file.send(picture(3))
    file.close()
    assert len(pictures_of(tmp_path / "out.mp4")) == 1
