"""Sound in its place in what VideoFile writes."""

from pathlib import Path

import av
import numpy as np
import pytest

from models.motion import Motion
from runtime.picture import Picture
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
    sound_of,
    write,
)


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
