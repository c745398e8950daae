"""Any sound -> windows at 16 kHz: alignment, independence of blocks, gaps and changes."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from runtime.resample import SpeechWindows
from runtime.sound import AudioWindow, Sound

HOP = 320
HOP_NS = 20_000_000
RATES_HZ = [8_000, 11_025, 16_000, 44_100, 48_000, 96_000]


def cut(samples: np.ndarray, rate_hz: int, sizes: Sequence[int], pts_ns: int = 0) -> Iterable[Sound]:
    start = turn = 0
    while start < len(samples):
        size = sizes[turn % len(sizes)]
        yield Sound(samples[start : start + size], rate_hz, pts_ns + round(start * 1e9 / rate_hz))
        start += size
        turn += 1


def windows_of(blocks: Iterable[Sound]) -> list[AudioWindow]:
    windows = SpeechWindows(HOP)
    return [w for block in blocks for w in windows.push(block)] + windows.flush()


def noise(seconds: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    values = np.random.default_rng(7).standard_normal((round(seconds * rate_hz), channels)) * 0.1
    return values.astype(np.float32)


def tone(rate_hz: int, frequency_hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(rate_hz) / rate_hz).astype(np.float32)[:, None]


def assert_gapless(windows: Sequence[AudioWindow]) -> None:
    assert {len(w.samples) for w in windows} == {HOP}
    assert set(np.diff([w.pts_ns for w in windows])) == {HOP_NS}


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("start_ns", [0, 1_234_567_891])
def test_a_click_keeps_its_instant(rate_hz: int, start_ns: int) -> None:
    samples = np.zeros((rate_hz, 1), np.float32)
    click = rate_hz // 2 + 37
    samples[click] = 1
    windows = windows_of(cut(samples, rate_hz, [rate_hz // 100], start_ns))
    loudest = max(windows, key=lambda w: np.abs(w.samples).max())
    found_ns = loudest.pts_ns + np.abs(loudest.samples).argmax() * 1e9 / 16_000
    assert abs(found_ns - start_ns - click * 1e9 / rate_hz) <= 1e9 / 16_000
    assert_gapless(windows)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_cut_into_blocks_does_not_show(rate_hz: int) -> None:
    samples = noise(0.5, rate_hz, channels=8)
    whole = windows_of([Sound(samples, rate_hz, 5)])
    for sizes in ([rate_hz // 100], [1, 7, 333, 2048], [rate_hz // 50, 3]):
        parts = windows_of(cut(samples, rate_hz, sizes, 5))
        assert [w.pts_ns for w in parts] == [w.pts_ns for w in whole]
        assert all(np.array_equal(a.samples, b.samples) for a, b in zip(parts, whole, strict=True))


def test_sound_at_16_khz_passes_untouched() -> None:
    samples = noise(0.1, 16_000)
    got = np.concatenate([w.samples for w in windows_of([Sound(samples, 16_000, 0)])])
    assert np.array_equal(got, samples[:, 0])


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_speech_band_is_kept_and_what_would_alias_is_not(rate_hz: int) -> None:
    at_16k = np.arange(16_000)
    kept = np.concatenate([w.samples for w in windows_of([Sound(tone(rate_hz, 3_000), rate_hz, 0)])])
    error = kept[:16_000] - np.sin(2 * np.pi * 3_000 * at_16k / 16_000)
    assert np.abs(error[400:-400]).max() < 1e-4
    alias = np.concatenate([w.samples for w in windows_of([Sound(tone(rate_hz, 9_000), rate_hz, 0)])])
    assert np.abs(alias[400:15_600]).max() < 1e-3


def test_channels_are_averaged() -> None:
    samples = np.tile(np.float32([[0.9, -0.3, 0.6]]), (320, 1))
    (window,) = windows_of([Sound(samples, 16_000, 0)])
    assert np.allclose(window.samples, 0.4, atol=1e-6)


def test_the_wait_for_later_sound_is_short() -> None:
    windows = SpeechWindows(16)
    made = sum(len(w.samples) for w in windows.push(Sound(noise(0.1, 48_000), 48_000, 0)))
    assert 1_600 - made <= 48  # 3 ms at 16 kHz


def test_flush_pads_the_last_window_and_starts_anew() -> None:
    windows = SpeechWindows(HOP)
    ones = np.ones((400, 1), np.float32)
    first = windows.push(Sound(ones, 16_000, 0)) + windows.flush()
    assert [w.pts_ns for w in first] == [0, HOP_NS]
    assert first[1].samples.tolist() == [1.0] * 80 + [0.0] * 240
    assert windows.flush() == []
    (again,) = windows.push(Sound(ones, 16_000, 77))
    assert again.pts_ns == 77
    assert again.samples.tolist() == [1.0] * 320


def test_a_gap_becomes_silence_of_the_same_length() -> None:
    ones = np.ones((4_800, 1), np.float32)
    got = windows_of([Sound(ones, 48_000, 0), Sound(ones, 48_000, 300_000_000)])
    assert_gapless(got)
    speech = np.concatenate([w.samples for w in got])
    assert np.all(speech[1_640:4_760] == 0)
    assert np.allclose(speech[100:1_560], 1, atol=1e-3)
    assert np.allclose(speech[4_840:6_360], 1, atol=1e-3)


@pytest.mark.parametrize("second_ns", [60_000_000_000, 3_000_000])
def test_a_long_gap_or_a_jump_back_starts_anew(second_ns: int) -> None:
    ones = np.ones((480, 1), np.float32)
    got = windows_of([Sound(ones, 16_000, 0), Sound(ones, 16_000, second_ns)])
    assert [w.pts_ns for w in got] == [0, HOP_NS, second_ns, second_ns + HOP_NS]


def test_a_slow_card_moves_the_windows_without_silence() -> None:
    block = np.ones((160, 1), np.float32)
    late_ns = 20_000  # per block of 10 ms: a card that is 0.2 % slow
    got = windows_of(Sound(block, 16_000, i * (10_000_000 + late_ns)) for i in range(200))
    assert len(got) == 100
    assert all(np.all(w.samples == 1) for w in got)
    expected_ns = [2 * i * (10_000_000 + late_ns) for i in range(100)]
    assert np.abs(np.array([w.pts_ns for w in got]) - expected_ns).max() <= 600_000


def test_rate_and_channels_may_change() -> None:
    first = Sound(tone(48_000, 440)[:24_240], 48_000, 0)  # 505 ms: ends within a window
    second = Sound(np.repeat(tone(44_100, 440)[: 44_100 // 2], 2, axis=1), 44_100, 505_000_000)
    got = windows_of([first, second])
    assert_gapless(got[:50])
    speech = np.concatenate([w.samples for w in got])
    phase = 2 * np.pi * 440 * (np.arange(8_080, 16_000) / 16_000 - 0.505)
    assert np.abs(speech[8_200:15_900] - np.sin(phase)[120:7_820]).max() < 0.02
