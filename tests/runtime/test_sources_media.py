"""Files as sources: every picture and sample, on one time origin, whatever the format."""

import gc
import logging
import struct
import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from runtime.sources.media import ClipFrames, ClipSound, probe
from tests.warned import warned

RATE_HZ = 48_000
EXAMPLE = Path(__file__).parents[2] / "agent" / "example" / "speech.wav"


def write_wav(path: Path, samples: np.ndarray, rate_hz: int, codec: str, layout: str) -> Path:
    """`samples` [n, channels] in the sample type of `codec`."""
    types = {"uint8": "u8", "int16": "s16", "int32": "s32", "float32": "flt", "float64": "dbl"}
    with av.open(str(path), "w", format="wav") as file:
        stream = file.add_stream(codec, rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format=types[samples.dtype.name], layout=layout
        )
        frame.rate = rate_hz
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def grey(value: int, height: int = 32, width: int = 48) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def write_video(path: Path, pictures: list[np.ndarray], times: list[int], sound_from_s: float | None = None) -> Path:
    """`times` in 1/1000 s; with a tone of 0.5 s from `sound_from_s` on, if that is given."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4" if path.suffix == ".avi" else "ffv1", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p" if path.suffix == ".avi" else "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        sound = file.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono") if sound_from_s is not None else None
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if sound is not None:
            block = av.AudioFrame.from_ndarray(np.full((1, RATE_HZ // 2), 8192, np.int16), "s16", "mono")
            block.rate, block.pts = RATE_HZ, round(sound_from_s * RATE_HZ)
            file.mux(sound.encode(block))
            file.mux(sound.encode(None))
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_pictures_leave_no_threads_and_no_garbage_behind(tmp_path: Path) -> None:
    clip = ClipFrames(write_video(tmp_path / "long.avi", [grey(90)] * 60, [40 * k for k in range(60)]))
    garbage = []
    for _ in range(3):  # other threads make some, too
        gc.collect()
        gc.disable()
        try:
            threads = [len(list(Path("/proc/self/task").iterdir())) for _ in clip]
            garbage.append(gc.collect())
        finally:
            gc.enable()
    assert min(garbage) < 60, "fewer than pictures"
    assert threads[-1] <= threads[5], "as many at the end as soon after the start"


def heard(path: Path) -> tuple[np.ndarray, int]:
    """All samples and the rate; checks that the blocks are short and follow one another exactly."""
    blocks = list(ClipSound(path))
    rate_hz = blocks[0].rate_hz
    count = 0
    for block in blocks:
        assert block.pts_ns == round(count * Fraction(10**9, rate_hz))
        assert 0 < len(block.samples) <= rate_hz * 0.02
        count += len(block.samples)
    return np.concatenate([block.samples for block in blocks]), rate_hz


@pytest.mark.parametrize(
    ("codec", "dtype", "step"),
    [
        ("pcm_u8", np.uint8, 2**-7),
        ("pcm_s16le", np.int16, 2**-15),
        ("pcm_s24le", np.int32, 2**-23),
        ("pcm_s32le", np.int32, 2**-24),
        ("pcm_f32le", np.float32, 2**-24),
        ("pcm_f64le", np.float64, 2**-24),
    ],
)
@pytest.mark.parametrize(
    ("rate_hz", "layout", "channels"), [(8_000, "mono", 1), (44_100, "stereo", 2), (96_000, "5.1", 6)]
)
def test_wav_of_every_sample_type(
    tmp_path: Path, codec: str, dtype: type, step: float, rate_hz: int, layout: str, channels: int
) -> None:
    exact = np.random.default_rng(1).uniform(-0.99, 0.99, (rate_hz // 5 + 11, channels))
    if dtype is np.uint8:
        stored = np.round(exact * 128 + 128).astype(np.uint8)
    elif np.issubdtype(dtype, np.integer):
        stored = np.round(exact * 2.0 ** (8 * np.dtype(dtype).itemsize - 1)).astype(dtype)
    else:
        stored = exact.astype(dtype)
    path = write_wav(tmp_path / "a.wav", stored, rate_hz, codec, layout)
    samples, found_hz = heard(path)
    assert found_hz == rate_hz
    assert samples.dtype == np.float32
    assert samples.shape == exact.shape
    assert np.abs(samples - exact).max() <= step
    assert probe(path).duration_ns == round(len(exact) * Fraction(10**9, rate_hz))


def test_planar_and_eight_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    values = (np.arange(8)[:, None] * 1000 + np.arange(4_800)[None]).astype(np.int16)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("flac", rate=RATE_HZ, layout="7.1")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values.T).reshape(1, -1), format="s16", layout="7.1")
        frame.rate = RATE_HZ
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    samples, _ = heard(path)
    assert np.array_equal(samples, values.T / np.float32(32768))


def test_loud_float_sound_is_limited(tmp_path: Path) -> None:
    samples, _ = heard(write_wav(tmp_path / "a.wav", np.float32([[3.0], [-2.0]] * 100), 8_000, "pcm_f32le", "mono"))
    assert samples.min() == -1
    assert samples.max() == 1


def test_bundled_speech_matches_the_wave_module() -> None:
    with wave.open(str(EXAMPLE)) as file:
        expected = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    samples, _ = heard(EXAMPLE)
    assert np.array_equal(samples[:, 0], expected.astype(np.float32))


def test_every_picture_in_rgb_with_its_own_time(tmp_path: Path) -> None:
    colours = np.random.default_rng(2).integers(0, 255, (4, 32, 48, 3), dtype=np.uint8)
    path = write_video(tmp_path / "a.mkv", list(colours), [100, 140, 230, 231])  # variable rate, late start
    frames = list(ClipFrames(path))
    assert [f.pts_ns for f in frames] == [0, 40_000_000, 130_000_000, 131_000_000]
    assert all(np.array_equal(f.image, colour) for f, colour in zip(frames, colours, strict=True))
    info = probe(path)
    assert (info.width, info.height, info.has_video, info.has_sound) == (48, 32, True, False)


def test_pictures_lie_in_memory_without_gaps_whatever_their_width(tmp_path: Path) -> None:
    (frame,) = ClipFrames(write_video(tmp_path / "odd.mkv", [grey(90, width=45)], [0]))
    assert frame.image.shape == (32, 45, 3) and frame.image.flags.c_contiguous


@pytest.mark.parametrize(("first_ms", "sound_s"), [(500, 0.3), (100, 0.4)])
def test_picture_and_sound_share_one_origin(tmp_path: Path, first_ms: int, sound_s: float) -> None:
    times = [first_ms + 40 * i for i in range(20)]
    path = write_video(tmp_path / "a.mkv", [grey(i) for i in range(20)], times, sound_s)
    origin_s = min(first_ms / 1000, sound_s)
    assert next(iter(ClipFrames(path))).pts_ns == round((first_ms / 1000 - origin_s) * 1e9)
    samples, _ = heard(path)  # what is missing before the sound is silence
    lead = round((sound_s - origin_s) * RATE_HZ)
    assert np.flatnonzero(samples)[0] == lead
    assert len(samples) == lead + RATE_HZ // 2


def test_a_gap_in_the_sound_is_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for start in (0, 4_800, 24_000):
            block = av.AudioFrame.from_ndarray(np.full((1, 4_800), 8192, np.int16), "s16", "mono")
            block.rate, block.pts = RATE_HZ, start
            file.mux(stream.encode(block))
        file.mux(stream.encode(None))
    samples, _ = heard(path)
    assert np.array_equal(samples[:, 0] != 0, np.repeat([True, False, True], [9_600, 14_400, 4_800]))


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((0, 1, 0, -1, 0, 0), lambda image: np.rot90(image, -1)),  # a phone held upright
        ((0, -1, 0, 1, 0, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, 0, -1, 0), lambda image: np.rot90(image, 2)),
        ((-1, 0, 0, 0, 1, 0), lambda image: image[:, ::-1]),
    ],
)
def test_rotation_is_applied(tmp_path: Path, matrix: tuple[int, ...], shown: object) -> None:
    image = grey(20)
    image[:16, :16] = (250, 0, 0)
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("png", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "rgb24"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # the track's display matrix, 16.16 fixed point
    unit = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    assert data[at : at + 36] == unit
    data[at : at + 24] = struct.pack(">6i", *(value * 65536 for value in matrix))
    path.write_bytes(data)
    (frame,) = ClipFrames(path)
    expected = shown(image)
    assert np.array_equal(frame.image, expected)
    assert (probe(path).height, probe(path).width) == expected.shape[:2]


def test_pictures_without_time_stamps_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.h264"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for value in range(5):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(grey(value), format="rgb24")))
        file.mux(stream.encode(None))
    assert [f.pts_ns for f in ClipFrames(path)] == [i * 40_000_000 for i in range(5)]
    assert probe(path).duration_ns == 200_000_000


class Pipe:
    """What a browser's recorder writes to: no way back to the header."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)


def test_a_recording_without_duration_is_measured(tmp_path: Path) -> None:
    pipe = Pipe()
    with av.open(pipe, "w", format="matroska", options={"live": "1"}) as file:
        stream = file.add_stream("libopus", rate=RATE_HZ, layout="mono")
        for _ in range(50):
            block = av.AudioFrame.from_ndarray(np.ones((1, 1_920), np.int16), "s16", "mono")
            block.rate = RATE_HZ
            file.mux(stream.encode(block))
        file.mux(stream.encode(None))
    path = tmp_path / "a.webm"
    path.write_bytes(pipe.written)
    with av.open(str(path)) as file:
        assert not file.duration
    assert abs(probe(path).duration_ns - 2_000_000_000) < 25_000_000  # Opus pads its last packet


def test_close_ends_the_iterators(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [grey(i) for i in range(20)], [40 * i for i in range(20)], 0.0)
    for source in (ClipFrames(path), ClipSound(path)):
        values = iter(source)
        next(values)
        source.close()
        source.close()
        assert next(values, None) is None


@pytest.mark.parametrize("name", ["cut.wav", "cut.mkv"])
def test_a_truncated_file_gives_its_beginning_and_a_note(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    if name == "cut.wav":
        write_wav(path, np.full((RATE_HZ * 2, 1), 8192, np.int16), RATE_HZ, "pcm_s16le", "mono")
    else:
        write_video(path, [grey(i) for i in range(50)], [40 * i for i in range(50)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with caplog.at_level(logging.WARNING):
        if name == "cut.wav":
            samples, _ = heard(path)
            assert 0.9 * RATE_HZ < len(samples) < RATE_HZ
        else:
            assert 10 < len(list(ClipFrames(path))) < 40
    (line,) = warned(caplog, "runtime.sources.media")
    assert "truncated" in line


def test_a_whole_file_leaves_no_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_video(tmp_path / "a.avi", [grey(i) for i in range(20)], [40 * i for i in range(20)], 0.0)
    heard(path)
    assert len(list(ClipFrames(path))) == 20
    assert warned(caplog, "runtime.sources.media") == []


@pytest.mark.parametrize(("sound_s", "pictures"), [(0.0, 60), (2.0, 10)])
def test_one_stream_that_ends_before_the_other_is_not_cut_short(
    tmp_path: Path, sound_s: float, pictures: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(
        tmp_path / "a.mkv", [grey(i) for i in range(pictures)], [40 * i for i in range(pictures)], sound_s
    )
    heard(path)
    assert len(list(ClipFrames(path))) == pictures
    assert warned(caplog, "runtime.sources.media") == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    list(ClipFrames(path))
    assert "is truncated" in caplog.text


def test_damage_in_the_middle_is_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.mp3"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
        tone = (np.sin(np.arange(1_152 * 100) * 0.05) * 9_000).astype(np.int16).reshape(100, 1, -1)
        for i, values in enumerate(tone):
            block = av.AudioFrame.from_ndarray(values, "s16p", "mono")
            block.rate, block.pts = RATE_HZ, i * 1_152
            file.mux(stream.encode(block))
        file.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 3_000] = bytes(3_000)
    path.write_bytes(data)
    samples, _ = heard(path)
    assert len(samples) > 1_152 * 60
    assert np.abs(samples[-12_000:-6_000]).max() > 0.2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.wav", None, "no such file"),
        ("empty.wav", b"", "is empty"),
        ("text.txt", b"hello world\n" * 50, "not a sound or video file"),
        ("noise.mp4", np.random.default_rng(3).bytes(5_000), "not a sound or video file"),
        ("words.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello\n", "neither picture nor sound"),
    ],
)
def test_unusable_files_are_named(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        probe(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_and_a_wav_without_samples_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        probe(tmp_path)
    with wave.open(str(tmp_path / "zero.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"")
    with pytest.raises(InputError, match=r"zero\.wav"):
        ClipSound(tmp_path / "zero.wav")


def test_the_missing_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no pictures"):
        ClipFrames(EXAMPLE)
    with pytest.raises(InputError, match="holds no sound"):
        ClipSound(write_video(tmp_path / "a.mkv", [grey(1)] * 3, [0, 40, 80]))


def test_a_colon_in_the_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_wav(tmp_path / "b.wav", np.ones((800, 1), np.int16), 8_000, "pcm_s16le", "mono")
    path.rename("http:b.wav")
    assert len(heard(Path("http:b.wav"))[0]) == 800


def test_pictures_that_start_after_the_sound_are_counted_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "late.mp4"
    with av.open(str(path), "w") as container:
        video, sound = container.add_stream("libx264", rate=25), container.add_stream("aac", rate=48_000)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        for i in range(25):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = 50 + i, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        block = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(sound.encode(block))
        container.mux(sound.encode())
    assert probe(path).pictures_ns == pytest.approx(3_000_000_000, abs=60_000_000)
    assert list(ClipFrames(path))[-1].pts_ns == pytest.approx(2_960_000_000, abs=60_000_000)


def test_a_photo_with_camera_data_plays_as_one_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "photo.jpg", exif=exif)
    assert len(list(ClipFrames(tmp_path / "photo.jpg"))) == 1


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "tiff"])
def test_a_photo_is_known_as_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"me.{kind}"
    Image.new("RGB", (64, 48), (90, 120, 40)).save(path)
    assert probe(path).is_still
    assert not probe(EXAMPLE).is_still
