"""Makes clips to train Real3D-Portrait's networks on from a folder of videos, each of one person before a camera.

    python scripts/prepare_videos.py FOLDER OUT

Landmarks, fit of the face model, matte and PNCC of every video, in several processes. What is done already is not done
again, and has to have been done with the same options; videos of no use are named and left out. With `--ray ADDRESS`
(`local` for this machine) Ray Data spreads the videos over a cluster that has this package and both folders at the same
paths.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from real3d_training.clip import SMALLEST
from real3d_training.face import open_face
from real3d_training.video import LEAST, VIDEOS, check_made, prepare_video
from script_options import check_least, make_folder

from models.errors import AgentError, InputError
from models.real3d.sizes import RELEASED

NAMED = "left_out.json"
"""In the folder of clips: which videos are of no use, and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How clips are made."""

    out: Path
    face_model: Path | None
    side: int
    every: int
    most: int


def prepared(wanted: Wanted, video: Path) -> tuple[str, str]:
    """The video's name, and why it is of no use; empty if it is of use."""
    try:
        prepare_video(video, wanted.out, open_face(wanted.face_model), wanted.side, wanted.every, wanted.most)
    except AgentError as error:
        return video.name, str(error)
    except Exception as error:  # of one video: the others go on
        return video.name, f"{video.name}: {type(error).__name__}: {error}"
    return video.name, ""


def in_processes(wanted: Wanted, videos: list[Path], count: int) -> Iterator[tuple[str, str]]:
    """What became of each video, as they are done."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(prepared, wanted, video) for video in videos]):
            yield done.result()


def by_ray(wanted: Wanted, videos: list[Path], address: str) -> Iterator[tuple[str, str]]:
    """The same by Ray Data. Raises InputError where it is not installed, or the cluster is not there."""
    try:
        import ray
    except ImportError:
        raise InputError("--ray needs Ray Data: .venv/bin/pip install -e '.[ray]'") from None
    try:
        ray.init(address=None if address == "local" else address)
    except (ConnectionError, ValueError) as error:
        raise InputError(f"--ray {address}: no cluster there ({' '.join(str(error).split())})") from None
    rows = ray.data.from_items([{"video": str(video)} for video in videos], override_num_blocks=len(videos))
    done = rows.map(lambda row: dict(zip(("video", "fault"), prepared(wanted, Path(row["video"])), strict=True)))
    for row in done.iter_rows():
        yield row["video"], row["fault"]


def report(done: Iterable[tuple[str, str]], count: int, out: Path) -> int:
    """Says what becomes of each video; returns how many are of use."""
    left_out: dict[str, str] = {}
    for number, (name, fault) in enumerate(done, 1):
        print(f"{number}/{count} {f'left out: {fault}' if fault else name}", flush=True)
        if fault:
            left_out[name] = fault
    (out / NAMED).write_text(json.dumps(left_out, indent=1) + "\n")
    return count - len(left_out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--face-model", type=Path, help="folder with BFM_model_front.mat; else our own face")
    parser.add_argument("--side", type=int, default=RELEASED.side, help="of the pictures, pixels")
    parser.add_argument("--every", type=int, default=1, help="takes one picture of so many")
    parser.add_argument("--most", type=int, default=250, help="pictures of a video")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--ray", metavar="ADDRESS", help="of a Ray cluster, or local")
    options = parser.parse_args()
    wanted = Wanted(options.out.resolve(), options.face_model, options.side, options.every, options.most)
    try:
        check_least(options, side=SMALLEST, every=1, most=LEAST, processes=1)
        face = open_face(options.face_model)
        videos = sorted(path.resolve() for path in options.folder.glob("*") if path.suffix.lower() in VIDEOS)
        if not videos:
            raise InputError(f"{options.folder} holds no videos ({', '.join(VIDEOS)})")
        make_folder(wanted.out, "OUT")
        check_made(wanted.out, face, wanted.side, wanted.every, wanted.most)
        spread = partial(by_ray, address=options.ray) if options.ray else partial(in_processes, count=options.processes)
        made = report(spread(wanted, videos), len(videos), wanted.out)
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{made} of {len(videos)} videos are clips in {options.out}")
    return 0 if made else 1


if __name__ == "__main__":
    sys.exit(main())
