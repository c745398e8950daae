"""What VideoFile writes is read back with PyAV: instants, colours, sound in its place, bytes."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion
from runtime.frame import Picture, Sound
from runtime.sinks.video_file import EXTENSIONS, VideoFile

FPS = 25
STEP_NS = 40_000_000
START_NS = 7_000_000_000_123
SIZE = (64, 48)
COLOUR = (200, 100, 50)
AAC_FRAME = 1024  # decoders give whole ones


def picture(index: int, colour: tuple[int, int, int] = COLOUR, delay_ns: int = 0) -> Picture:
    due_ns = START_NS + index * STEP_NS
    return Picture(np.full((48, 64, 3), colour, np.uint8), Motion(due_ns - delay_ns), due_ns)


def click(at_s: float, length_s: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    """Silence with one burst."""
    samples = np.zeros((round(length_s * rate_hz), channels), np.float32)
    first = round(at_s * rate_hz)
    samples[first : first + rate_hz // 100] = 0.4
    return samples


def pictures_of(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def sound_of(path: Path) -> np.ndarray:
    """Both channels at 48 kHz, [2, n], from the instant 0 of the file."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert abs(frames[0].time) < 0.001
    assert frames[0].sample_rate == 48_000
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def onset_s(samples: np.ndarray) -> float:
    assert np.abs(samples).max() > 0.2
    return float(np.argmax(np.abs(samples[0]) > 0.1) / 48_000)


def write(path: Path, *, sound: Sound | None = None, count: int = 30) -> Path:
    file = VideoFile(path, FPS, SIZE, live=False, sound=sound is not None)
    if sound is not None:
        file.hear(sound)
    for index in range(count):
        file.send(picture(index, (index * 8, 255 - index * 8, 90)))
    file.close()
    return path


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
    file.close()
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


def test_the_last_picture_lasts_one_frame_and_sound_ends_with_it(tmp_path: Path) -> None:
    path = write(tmp_path / "out.mp4", sound=Sound(np.full((96_000, 1), 0.2, np.float32), 48_000, START_NS))
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.duration * video.time_base == pytest.approx(30 / FPS)
        assert audio.duration * audio.time_base == pytest.approx(30 / FPS, abs=0.001)
    assert np.abs(sound_of(path)[:, 48_000:57_000]).min() > 0.1  # and it sounds until the end


def test_sound_that_starts_late_or_stops_early_is_filled_with_silence(tmp_path: Path) -> None:
    block = Sound(np.full((9600, 1), 0.3, np.float32), 48_000, START_NS + 400_000_000)
    samples = sound_of(write(tmp_path / "out.mp4", sound=block))
    assert np.abs(samples[:, :18_000]).max() < 0.02
    assert np.abs(samples[:, 20_000:28_000]).min() > 0.2
    assert np.abs(samples[:, 31_000:]).max() < 0.02
    assert 0 <= samples.shape[1] - 1.2 * 48_000 < AAC_FRAME


def test_sound_before_the_first_picture_is_cut(tmp_path: Path) -> None:
    block = Sound(click(0.9, 2.0, 48_000, channels=2), 48_000, START_NS - 500_000_000)
    samples = sound_of(write(tmp_path / "out.mp4", sound=block))
    assert onset_s(samples) == pytest.approx(0.4, abs=0.002)


def test_a_gap_in_the_sound_moves_nothing_after_it(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", FPS, SIZE, live=False, sound=True)
    file.hear(Sound(np.zeros((4410, 1), np.float32), 44_100, START_NS))
    file.hear(Sound(click(0.1, 0.2, 32_000), 32_000, START_NS + 600_000_000))
    for index in range(30):
        file.send(picture(index))
    file.close()
    assert onset_s(sound_of(tmp_path / "out.mp4")) == pytest.approx(0.7, abs=0.002)


def test_trembling_stamps_tear_no_hole_into_the_sound(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", FPS, SIZE, live=False, sound=True)
    tone = np.sin(np.arange(48_000) * 2 * np.pi * 440 / 48_000).astype(np.float32)[:, None] * 0.5
    tremble = np.random.default_rng(0).integers(-15_000_000, 15_000_000, 100)
    for index in range(100):
        block = tone[index * 480 : (index + 1) * 480]
        file.hear(Sound(block, 48_000, START_NS + index * 10_000_000 + int(tremble[index])))
    for index in range(25):
        file.send(picture(index))
    file.close()
    samples = sound_of(tmp_path / "out.mp4")[0, 2000:46_000]
    windows = np.lib.stride_tricks.sliding_window_view(samples, 120)
    assert np.abs(windows).max(axis=1).min() > 0.4


@pytest.mark.parametrize(("channel", "loud"), [(0, (True, False)), (1, (False, True)), (2, (True, True))])
def test_surround_is_mixed_to_the_right_side(tmp_path: Path, channel: int, loud: tuple[bool, bool]) -> None:
    samples = np.zeros((57_600, 6), np.float32)  # front left, front right, centre, ...
    samples[:, channel] = np.sin(np.arange(57_600) * 0.05) * 0.4
    heard = sound_of(write(tmp_path / "out.mp4", sound=Sound(samples, 48_000, START_NS)))
    levels = np.abs(heard[:, 10_000:50_000]).max(axis=1)
    assert tuple(levels > 0.2) == loud


def test_live_sound_is_delayed_by_the_median_of_the_first_pictures(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", FPS, SIZE, live=True, sound=True)
    delays = [200_000_000] * 13 + [900_000_000] * 12 + [500_000_000] * 15
    file.hear(Sound(click(0.5, 1.6, 48_000), 48_000, START_NS))
    for index, delay_ns in enumerate(delays):
        assert (file.delay_ns is None) == (index < 25)
        file.send(picture(index, delay_ns=delay_ns))
    file.close()
    assert file.delay_ns == 200_000_000
    assert onset_s(sound_of(tmp_path / "out.mp4")) == pytest.approx(0.7, abs=0.002)


def test_live_file_shorter_than_the_measurement_has_its_sound(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mkv", FPS, SIZE, live=True, sound=True)
    file.hear(Sound(click(0.1, 1.0, 48_000), 48_000, START_NS))
    for index in range(10):
        file.send(picture(index, delay_ns=80_000_000))
    file.close()
    assert onset_s(sound_of(tmp_path / "out.mkv")) == pytest.approx(0.18, abs=0.002)


def test_a_file_without_sound_has_no_sound_stream(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", 29.97, SIZE, live=False, sound=False)
    file.hear(Sound(np.zeros((480, 1), np.float32), 48_000, START_NS))
    file.send(picture(0))
    file.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
        assert container.streams.video[0].duration == 3003


def test_close_without_a_picture_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"precious")
    file = VideoFile(path, FPS, SIZE, live=True, sound=True)
    file.hear(Sound(np.zeros((480, 1), np.float32), 48_000, START_NS))
    file.close()
    file.close()
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_wrong_pictures_are_refused_and_the_file_stays_good(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", FPS, SIZE, live=False, sound=False)
    file.send(picture(3))
    with pytest.raises(ValueError, match=r"\(64, 48\)"):
        file.send(Picture(np.zeros((64, 48, 3), np.uint8), Motion(0), START_NS + 4 * STEP_NS))
    with pytest.raises(ValueError, match="due_ns"):
        file.send(picture(3))
    file.close()
    assert len(pictures_of(tmp_path / "out.mp4")) == 1


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("out.avi", SIZE, r"\.mp4, \.mov, \.mkv, \.webm"),
        ("out", SIZE, r"\.mp4, \.mov, \.mkv, \.webm"),
        ("missing/out.mp4", SIZE, "no folder"),
        ("folder.mp4", SIZE, "is a folder"),
        ("blocked.mp4", SIZE, "Cannot write"),
        ("out.mp4", (63, 48), "even size"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(tmp_path: Path, name: str, size: tuple[int, int], reason: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / ".blocked.partial.mp4").mkdir()
    with pytest.raises(InputError, match=reason):
        VideoFile(tmp_path / name, FPS, size, live=False, sound=False)


@pytest.fixture
def small_disk() -> Iterator[None]:
    resource = pytest.importorskip("resource", reason="file size limits are a thing of Unix")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_ends_the_file_aloud(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", FPS, SIZE, live=False, sound=False)
    noise = np.random.default_rng(0).integers(0, 256, (300, 48, 64, 3), np.uint8)
    with pytest.raises(AgentError, match="Cannot go on writing"):
        for index, image in enumerate(noise):
            file.send(Picture(image, Motion(0), index * STEP_NS))
    with pytest.raises(AgentError):
        file.close()
    assert list(tmp_path.iterdir()) == []
