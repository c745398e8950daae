"""The same face by video codecs at the landmark error of a motion call, and what either costs on the wire.

    python scripts/bench_codecs.py CLIP [CLIP ...] [--seconds 6] [--sizes 512 256] [--stored]

For every clip two processes call each other as in `bench_call.py`, without loss; 25 times a second it is kept what the
sender had and what the other end showed. The sender's own pictures of these instants, drawn by the built-in engine of
the bundled portrait and of the clip's first picture, are encoded by VP8, VP9, H.264 and AV1 as calls use them (no
picture waits for a later one), each at the coarsest quality at which a tracker's landmarks are as near to those of the
uncoded pictures as they are in the other end's pictures: means over pictures and points, in eye distances. A rate
between two qualities is interpolated. "floor" is the coarsest quality that a codec has at all.

Motion counts every datagram of one end, with IP and UDP heads: motion, acknowledgements, connection checks, reports.
Video counts its bytes and 50 a packet of up to 1200 for IP, UDP, RTP and SRTP, and no reports. Neither counts what goes
once: the portrait, and the first picture, which alone is a key picture. "ms a picture" is the encoder alone. "noise"
is the error of the uncoded pictures moved by half a pixel. --stored adds the codecs as files have them, free to look
ahead.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np
from bench_call import EXAMPLE, SETTLED, row
from call_pictures import half_a_pixel, pictures_of
from motions import FPS, motions_of
from video_codecs import LIVE, STORED, Coder, Point, at_error, code, wire_kbps

from calibration.photo import read_photo
from calibration.travelling import pack
from models.landmarks import MediapipeTracker
from models.motion import Motion
from models.topology import LEFT_IRIS, RIGHT_IRIS
from runtime.sources.media import ClipFrames

JUDGED = 2  # every so many pictures


class Judge:
    """Landmarks of pictures against those of the truth."""

    def __init__(self, truth: Sequence[np.ndarray]) -> None:
        self._truth = landmarks_of(truth)
        apart = self._truth[:, LEFT_IRIS[0]] - self._truth[:, RIGHT_IRIS[0]]
        self._eyes = np.linalg.norm(apart, axis=1)

    def error(self, pictures: Sequence[np.ndarray], moved: float = 0.0) -> float:
        """In eye distances; infinite where a face is not found. `moved`: pixels to the right that are no error."""
        off = landmarks_of(pictures) - [moved, 0] - self._truth
        error = float((np.linalg.norm(off, axis=2).mean(1) / self._eyes).mean())
        return error if np.isfinite(error) else np.inf


def landmarks_of(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """[n, 478, 2] pixels, of some of the pictures."""
    tracker = MediapipeTracker()
    found = [tracker.track(picture) for picture in pictures[::JUDGED]]
    tracker.close()
    return np.array([np.full((478, 2), np.nan) if each is None else each[:, :2] for each in found])


class Trial:
    """A codec at the pictures of one face, quality by quality."""

    def __init__(self, coder: Coder, pictures: Sequence[np.ndarray], judge: Judge) -> None:
        self._coder, self._pictures, self._judge = coder, pictures, judge
        self._points: dict[int, Point] = {}

    def __call__(self, quality: int) -> Point:
        if quality not in self._points:
            shown, sizes, picture_ms = code(self._coder, self._pictures, quality, FPS)
            error = self._judge.error(shown)
            self._points[quality] = Point(wire_kbps(sizes[1:], FPS), error, sizes[0], picture_ms)
        return self._points[quality]


@dataclass(frozen=True, slots=True)
class Row:
    """A codec's, or motion's, figures of one face."""

    name: str
    size: int
    point: Point | None
    floor: Point
    """Of motion, without a rate: what the tracker itself is off by."""


def rows_of(
    pairs: list[tuple[Motion, Motion]], motion_kbps: float, photo: np.ndarray, size: int, coders: Sequence[Coder]
) -> Iterator[Row]:
    """Motion's, then the codecs'."""
    portrait = pack(photo, "the portrait")
    drawn = list(pictures_of(pairs, photo, portrait, (size, size)))
    sent, arrived = [a for a, _ in drawn], [b for _, b in drawn]
    judge = Judge(sent)
    wanted = judge.error(arrived)
    noise = judge.error([half_a_pixel(picture) for picture in sent], 0.5)
    yield Row("motion", size, Point(motion_kbps, wanted, len(portrait)), Point(0, noise))
    for coder in coders:
        trial = Trial(coder, sent, judge)
        point = at_error(trial, coder.finest, coder.coarsest, wanted)
        yield Row(coder.name, size, point, trial(coder.coarsest))


def called(clip: Path, seconds: float, portrait: bytes) -> tuple[float, list[tuple[Motion, Motion]]]:
    """kbit/s of one end, and what was true and what was shown."""
    motions = motions_of(clip)[0]
    count = round(seconds * FPS) + SETTLED
    motions = (motions + motions[-2:0:-1])[:count]
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "pairs"
        ends = row("", motions, portrait, False, str(kept))
        return float(np.mean([end["wire"] for end in ends])), pickle.loads(kept.read_bytes())


def told(what: str, row: Row, motion: Row) -> str:
    """A line of the table."""
    if row is motion:
        floor, times, taken = f"noise {row.floor.error:.4f}", "1", ""
    else:
        off = f"{row.floor.error:.4f}" if np.isfinite(row.floor.error) else "no face"
        floor = f"{row.floor.kbps:.1f} ({off})"
        times = "" if row.point is None else f"{row.point.kbps / motion.point.kbps:.1f}"
        taken = "" if row.point is None else f"{row.point.picture_ms:.1f}"
    rate, error, once = "not reached", "", ""
    if row.point is not None:
        rate, error, once = f"{row.point.kbps:.1f}", f"{row.point.error:.4f}", f"{row.point.first_bytes / 1000:.1f}"
    return "| " + " | ".join((what, str(row.size), row.name, rate, error, times, floor, taken, once)) + " |"


def mean_of(rows: Sequence[Row]) -> Row:
    """Of one codec at one size, over faces that all reached the error."""
    points = [row.point for row in rows if row.point is not None]
    return Row(
        rows[0].name,
        rows[0].size,
        mean_point(points) if len(points) == len(rows) else None,
        mean_point([row.floor for row in rows]),
    )


def mean_point(points: Sequence[Point]) -> Point:
    kbps, error, first_bytes, picture_ms = np.mean([astuple(point) for point in points], axis=0).tolist()
    return Point(kbps, error, round(first_bytes), picture_ms)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 256])
    parser.add_argument("--stored", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    coders = (*LIVE, *STORED) if options.stored else LIVE
    bundled = read_photo(EXAMPLE)
    print(
        "| clip, portrait | px | codec | wire kbit/s | error | times motion | floor (error) | ms a picture | once, KB |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    every: dict[tuple[int, str], list[Row]] = {}  # by size and codec
    for clip in options.clips:
        kbps, pairs = called(clip, options.seconds, pack(bundled, "the portrait"))
        for name, photo in (("bundled", bundled), ("own", next(iter(ClipFrames(clip))).image)):
            for size in options.sizes:
                rows = []
                for each in rows_of(pairs, kbps, photo, size, coders):
                    rows.append(each)
                    every.setdefault((size, each.name), []).append(each)
                    print(told(f"{clip.stem}, {name}", each, rows[0]), flush=True)
    for (size, _), rows in every.items():
        print(told("mean", mean_of(rows), mean_of(every[size, "motion"])))


if __name__ == "__main__":
    main()
