"""What VideoFile writes is read back with PyAV: instants, colours, sound in its place, bytes, what a failure leaves."""

import logging
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from models.errors import AgentError, InputError
from models.motion import Motion
from runtime.frame import Picture, Sound
from runtime.sinks.codecs import EXTENSIONS
from runtime.sinks.video_file import VideoFile

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


def test_pictures_that_nobody_moved_say_nothing_of_the_delay(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mkv", FPS, SIZE, live=True, sound=True)
    file.hear(Sound(click(0.5, 5.0, 48_000), 48_000, START_NS))
    for index in range(100):
        file.send(picture(index, delay_ns=80_000_000 if index >= 40 else 0))
        assert (file.delay_ns is None) == (index < 64)
    file.close()
    assert file.delay_ns == 80_000_000
    assert onset_s(sound_of(tmp_path / "out.mkv")) == pytest.approx(0.58, abs=0.002)


@pytest.mark.parametrize(("moved", "delay_ns"), [(0, 0), (5, 60_000_000)])
def test_sound_does_not_wait_long_for_a_driver(tmp_path: Path, moved: int, delay_ns: int) -> None:
    file = VideoFile(tmp_path / "out.mkv", FPS, SIZE, live=True, sound=True)
    for index in range(201):
        assert (file.delay_ns is None) == (index < 200)
        file.send(picture(index, delay_ns=60_000_000 if index < moved else 0))
    assert file.delay_ns == delay_ns
    file.close()


def test_a_file_without_sound_has_no_sound_stream(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mp4", 29.97, SIZE, live=False, sound=False)
    file.hear(Sound(np.zeros((480, 1), np.float32), 48_000, START_NS))
    file.send(picture(0))
    file.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
        assert container.streams.video[0].duration == 3003


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
    assert [(record.levelno, str(kept) in record.message) for record in caplog.records] == [(logging.WARNING, True)]


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
from runtime.frame import Picture, Sound
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


def test_sound_that_stays_away_becomes_silence_while_pictures_come(tmp_path: Path) -> None:
    path, partial = tmp_path / "out.mkv", tmp_path / ".out.partial.mkv"
    file = VideoFile(path, FPS, SIZE, live=True, sound=True)
    for index in range(500):
        if index < 50:
            file.hear(Sound(np.full((1920, 1), 0.3, np.float32), 48_000, START_NS + index * STEP_NS))
        file.send(picture(index))
    assert sound_of(partial).shape[1] > 13 * 48_000  # of 20 s; the file's own buffers hold the rest
    file.hear(Sound(click(0.5, 1.0, 48_000), 48_000, START_NS + 500 * STEP_NS))
    for index in range(500, 525):
        file.send(picture(index))
    file.close()
    samples = sound_of(path)
    assert np.abs(samples[:, 10_000:90_000]).min() > 0.2
    assert np.abs(samples[:, 100_000:950_000]).max() < 0.02
    assert onset_s(samples[:, 960_000:]) == pytest.approx(0.5, abs=0.002)


def test_live_the_sound_keeps_to_a_drifting_clock(tmp_path: Path) -> None:
    file = VideoFile(tmp_path / "out.mkv", 1, SIZE, live=True, sound=True)
    seconds, slow = 120, 1.0003  # without following, 36 ms late at the end
    for index in range(seconds + 3):
        for block in range(10):
            at = click(0.05, 0.1, 48_000) if block == 5 else np.zeros((4800, 1), np.float32)
            file.hear(Sound(at, 48_000, round((index + block / 10) * slow * 1e9)))
        file.send(Picture(np.full((48, 64, 3), COLOUR, np.uint8), Motion(index * 10**9), index * 10**9))
    file.close()
    last = sound_of(tmp_path / "out.mkv")[:, seconds * 48_000 :]
    assert seconds + onset_s(last) == pytest.approx((seconds + 0.55) * slow, abs=0.005)


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
