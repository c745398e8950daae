"""Transparency of what VideoFile writes."""

from pathlib import Path

import av
import numpy as np
import pytest

from models.errors import InputError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.codecs import TRANSPARENT_EXTENSIONS
from runtime.sinks.video_file import VideoFile
from runtime.sound import Sound
from tests.runtime.video_files import COLOUR, FPS, SIZE, START_NS, STEP_NS, click, onset_s, picture, sound_of


def rgba(index: int) -> Picture:
    """From left to right transparent, half transparent and opaque, of one colour throughout."""
    image = np.full((48, 64, 4), (*COLOUR, 255), np.uint8)
    image[:, :16, 3] = 0
    image[:, 16:32, 3] = 128
    return Picture(image, Motion(START_NS + index * STEP_NS), START_NS + index * STEP_NS)


def rgba_of(path: Path) -> list[np.ndarray]:
    """FFmpeg's own VP9 decoder leaves transparency out; players and browsers use libvpx."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if path.suffix == ".webm":
            assert stream.metadata["alpha_mode"] == "1"
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            decoder.extradata = stream.codec_context.extradata
            packets = container.demux(stream)
            frames = [frame for packet in packets for frame in decoder.decode(packet if packet.size else None)]
        else:
            frames = list(container.decode(stream))
    return [frame.to_ndarray(format="rgba") for frame in frames]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("extension", TRANSPARENT_EXTENSIONS)
def test_transparency_is_kept(tmp_path: Path, extension: str, live: bool) -> None:
    path = tmp_path / f"out{extension}"
    file = VideoFile(path, FPS, SIZE, live=live, sound=True, transparent=True)
    file.hear(Sound(click(0.4, 1.0, 48_000), 48_000, START_NS))
    for index in range(30):
        file.send(rgba(index))
    file.close()
    pictures = rgba_of(path)
    assert len(pictures) == 30
    for image in (pictures[0], pictures[-1]):
        assert image[:, :12, 3].max() <= 1  # VP9 loses a little
        assert image[:, 36:, 3].min() >= 254
        np.testing.assert_allclose(image[:, 20:28, 3], 128, atol=4)
        np.testing.assert_allclose(image[20, [24, 50], :3], [COLOUR, COLOUR], atol=5)
    assert onset_s(sound_of(path)) == pytest.approx(0.4, abs=0.002)


@pytest.mark.parametrize("extension", TRANSPARENT_EXTENSIONS)
def test_transparent_files_are_the_same_each_time_and_take_opaque_pictures(tmp_path: Path, extension: str) -> None:
    paths = [tmp_path / f"{name}{extension}" for name in ("a", "b")]
    for path in paths:
        file = VideoFile(path, FPS, SIZE, live=False, sound=False, transparent=True)
        for index in range(10):
            file.send(picture(index) if index % 2 else rgba(index))
        file.close()
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert [int(image[24, 4, 3]) for image in rgba_of(paths[0])] == pytest.approx([0, 255] * 5, abs=2)


@pytest.mark.parametrize("extension", [".mp4", ".mkv"])
def test_a_file_that_cannot_be_transparent_says_which_can(tmp_path: Path, extension: str) -> None:
    with pytest.raises(InputError, match=r"transparent pictures to .*\.mov, \.webm"):
        VideoFile(tmp_path / f"out{extension}", FPS, SIZE, live=False, sound=False, transparent=True)
    assert list(tmp_path.iterdir()) == []
