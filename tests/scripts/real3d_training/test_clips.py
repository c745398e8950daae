"""Clips: written and read again, drawn in pairs, made of a portrait, of an EG3D and of videos."""

import json
import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import prepare_videos  # noqa: E402
from golden.dense_face import dense_face  # noqa: E402
from prepare_videos import NAMED, Wanted, by_ray, prepared, report  # noqa: E402
from real3d_training import builtin_teacher, eg3d_teacher  # noqa: E402
from real3d_training import video as preparing  # noqa: E402
from real3d_training.batches import Pairs  # noqa: E402
from real3d_training.clip import SUFFIX, Clip, find_clips  # noqa: E402
from real3d_training.face import face_digest  # noqa: E402

from calibration.photo import read_photo  # noqa: E402
from models.errors import InputError  # noqa: E402
from models.real3d.segmentation import FACE_SKIN  # noqa: E402
from runtime.frame import Frame  # noqa: E402
from runtime.sources.media import ClipFrames  # noqa: E402
from tests.agent.clips import make_clip as make_video  # noqa: E402
from tests.models.talk3d import released  # noqa: E402
from tests.models.talk3d.personal import tiny  # noqa: E402
from tests.scripts.real3d_training import made_up  # noqa: E402
from tests.scripts.real3d_training.made_up import SIDE, make_clip  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return make_clip(tmp_path)


def test_the_same_seed_step_and_rank_draw_the_same_pairs(clip: Clip) -> None:
    def drawn(seed: int, step: int, rank: int) -> list[float]:
        batch = Pairs([clip], 4, seed, None, rank).draw(step)
        return [*batch.source.camera.flatten().tolist(), *batch.target.camera.flatten().tolist()]

    assert drawn(1, 5, 0) == drawn(1, 5, 0)
    assert len({tuple(drawn(*where)) for where in ((1, 5, 0), (2, 5, 0), (1, 6, 0), (1, 5, 1))}) == 4


def test_a_batch_says_what_is_head_and_torso(clip: Clip) -> None:
    batch = Pairs([clip], 2, 1, dense_face()).draw(0, blinks=True)
    view = batch.target
    assert view.head.shape == view.picture.shape == (2, 3, SIDE, SIDE)
    assert torch.equal(view.head, torch.where(view.head_mask > 0, view.picture, -torch.ones(())))
    assert (view.head_mask * view.torso_mask).sum() == 0 < view.torso_mask.sum()
    assert batch.segments.sum(1).eq(1).all()
    holes = [(batch.pncc_blinks[:, i] == -1).all(1).sum() for i in range(3)]
    assert holes[0] > holes[1] > holes[2]  # eyes close
    assert batch.to_source().target is batch.source


def test_neighbours_are_the_moments_before_and_after(clip: Clip) -> None:
    batch = Pairs([clip], 1, 1, None).draw(3)
    number = int(np.flatnonzero((clip.numbers("camera") == batch.target.camera.numpy()[0]).all(1))[0])
    for k, around in zip((-1, 1), batch.pncc_around[0], strict=True):
        assert np.array_equal(
            np.rint((around.numpy().transpose(1, 2, 0) + 1) * 127.5), clip.picture("pncc", number + k)
        )


def test_the_built_in_engine_teaches(portrait_png: Path, tmp_path: Path) -> None:
    folder = tmp_path / f"a{SUFFIX}"
    photo = read_photo(portrait_png)
    builtin_teacher.write_clip(folder, photo, "it", dense_face(), 64, 7, np.random.default_rng(4), acts=False)
    clip = Clip(folder)
    assert len(clip) == 7 and clip.picture("picture", 6).shape == (64, 64, 3)
    turned = clip.numbers("euler")[6] - clip.numbers("euler")[0]
    assert np.abs(turned).max() > 0.05
    assert np.ptp(clip.numbers("expression"), axis=0).max() < 0.8
    face = clip.picture("classes", 0) == FACE_SKIN
    lips = clip.numbers("lips")[0]
    column, row = (lips[:2] + lips[2:]) // 2
    assert face[row, column] and 0.05 < face.mean() < 0.5


def test_acting_changes_expressions_smoothly() -> None:
    shown = np.array([motion.expression for motion in builtin_teacher.acting(30, np.random.default_rng(1))])
    assert not shown[0].any() and np.ptp(shown, axis=0).max() > 0.3
    assert np.abs(np.diff(shown, axis=0)).max() < 0.3 * np.ptp(shown, axis=0).max() + 0.05


def test_an_eg3d_teaches_from_many_sides_without_a_face_model(tmp_path: Path) -> None:
    told: list[torch.Tensor] = []

    class Made:
        """An EG3D whose pictures say where its camera is."""

        class Backbone:
            class Mapping:
                w_avg = torch.zeros(512)

                def __call__(self, z, camera):
                    told.append(camera)
                    return z

            mapping = Mapping()

            def synthesis(self, style):
                return style

        backbone = Backbone()

        def look(self, planes, camera):
            return camera[:, 3, None, None, None].expand(1, 3, 8, 8)

        def superresolution(self, seen, style):
            return seen.expand(1, 3, 8, 8)

    eg3d_teacher.write_clip(tmp_path / f"a{SUFFIX}", Made(), 64, 5, np.random.default_rng(1))
    clip = Clip(tmp_path / f"a{SUFFIX}")
    assert len(clip) == 5 and not clip.has_face
    assert np.ptp([clip.picture("picture", i).mean() for i in range(5)]) > 10
    assert (Pairs([clip], 1, 1, None).draw(0).target.head_mask == 1).all()
    away = clip.numbers("camera")[:, [3, 7, 11]] - [0, 0, 0.2]
    assert np.linalg.norm(away, axis=1) == pytest.approx(2.7, abs=1e-4)
    (frontal,) = told  # whatever the sides: else identity would follow them
    assert frontal[0, [3, 7, 11]].tolist() == pytest.approx([0, 0, 2.9])


def test_an_eg3d_s_file_is_read_as_for_a_person(tmp_path: Path) -> None:
    path = released.save_generator(tmp_path / "eg3d.pkl", tiny.generator(), "G_ema")
    generator = eg3d_teacher.load_eg3d(path, torch.device("cpu"))
    eg3d_teacher.write_clip(tmp_path / f"a{SUFFIX}", generator, 64, 2, np.random.default_rng(1))
    assert len(Clip(tmp_path / f"a{SUFFIX}")) == 2
    wrong = released.save_generator(tmp_path / "wrong.pkl", released.small_generator())
    with pytest.raises(InputError, match="not a generator of EG3D's kind"):
        eg3d_teacher.load_eg3d(wrong, torch.device("cpu"))


def test_no_clips_and_damaged_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clips in"):
        find_clips([tmp_path])
    (tmp_path / f"bad{SUFFIX}").mkdir()
    with pytest.raises(InputError, match="prepare it again"):
        find_clips([tmp_path])


@pytest.mark.parametrize("left", [0, 40, 3000])
def test_a_clip_whose_numbers_are_cut_off_is_named(tmp_path: Path, left: int) -> None:
    make_clip(tmp_path)
    path = next(tmp_path.glob(f"*{SUFFIX}/numbers.npz"))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match="prepare it again"):
        find_clips([tmp_path])


def test_clips_of_another_face_model_or_size_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(tmp_path, seed=1)
    own, face = face_digest(dense_face()), dense_face()
    assert find_clips([tmp_path])[0].face == own
    larger = replace(face, model=replace(face.model, mean=face.model.mean * 2))
    assert face_digest(larger) != own
    monkeypatch.setattr(made_up, "dense_face", lambda: larger)
    make_clip(tmp_path, seed=2)
    with pytest.raises(InputError, match=r"made_up_1.clip and .*made_up_2.clip were made with different face models"):
        find_clips([tmp_path])
    monkeypatch.undo()
    monkeypatch.setattr(made_up, "SIDE", 32)
    make_clip(tmp_path, seed=2)
    with pytest.raises(InputError, match="are 64 and 32 pixels wide"):
        find_clips([tmp_path])


def test_a_video_becomes_a_clip_once_and_bad_ones_are_named(
    portrait_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "videos", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    photo = read_photo(portrait_png)[:256, 100:356]
    videos = [make_video(folder / "good.mp4", [photo] * 8, 25)]
    videos.append(make_video(folder / "good.mov", [photo] * 8, 25))
    videos.append(make_video(folder / "empty.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 8, 25))
    (folder / "torn.mp4").write_bytes(b"no video")
    wanted = Wanted(out, None, 64, 1, 8)
    done = [prepared(wanted, video) for video in (*videos, folder / "torn.mp4")]
    assert report(done, 4, out) == 2
    assert set(json.loads((out / NAMED).read_text())) == {"empty.mp4", "torn.mp4"}
    assert [len(clip) for clip in find_clips([out])] == [8, 8]

    monkeypatch.setattr("real3d_training.video._seen", None)
    assert prepared(wanted, videos[0]) == ("good.mp4", "")  # not looked at again
    given = ["prepare_videos.py", str(folder), str(out), "--side", "64", "--most", "8"]
    monkeypatch.setattr("prepare_videos.in_processes", lambda wanted, videos, count: iter([("good.mp4", "")]))
    for others, status in ((), 0), (("--every", "2"), 2), (("--most", "9"), 2), (("--side", "128"), 2):
        monkeypatch.setattr(sys, "argv", [*given, *others])
        assert prepare_videos.main() == status
        told = capsys.readouterr().err
        assert not told if status == 0 else "good.mov.clip was made with --side 64 --every 1 --most 8, and" in told
    larger = dense_face()
    larger = replace(larger, model=replace(larger.model, mean=larger.model.mean * 2))
    with pytest.raises(InputError, match="was made with another face model"):
        preparing.check_made(out, larger, 64, 1, 8)


def test_a_video_of_two_people_is_left_out(portrait_png: Path, tmp_path: Path) -> None:
    photo = read_photo(portrait_png)[:256, 100:356]
    video = make_video(tmp_path / "two.mp4", [np.hstack([photo, photo])] * 8, 25)
    (tmp_path / "out").mkdir()
    assert prepared(Wanted(tmp_path / "out", None, 64, 1, 8), video) == (
        "two.mp4", "two.mp4: several people are in it; cut the others out of its frames"
    )  # fmt: skip
    assert not list((tmp_path / "out").iterdir())


def test_pictures_of_a_video_are_not_held(portrait_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[weakref.ref[np.ndarray]] = []
    held: list[int] = []

    class Watched(ClipFrames):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                given.append(weakref.ref(frame.image))
                held.append(sum(each() is not None for each in given))
                yield frame

    monkeypatch.setattr(preparing, "ClipFrames", Watched)
    video = make_video(tmp_path / "me.mp4", [read_photo(portrait_png)[:256, 100:356]] * 12, 25)
    assert prepared(Wanted(tmp_path, None, 64, 1, 12), video) == ("me.mp4", "")
    assert len(held) == 24 and max(held) <= 3


def test_ray_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[ray\]'"):
        list(by_ray(Wanted(tmp_path, None, 64, 1, 8), [], "local"))


def test_a_folder_without_videos_is_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["prepare_videos.py", str(tmp_path), str(tmp_path / "out")])
    assert prepare_videos.main() == 2
    assert "holds no videos" in capsys.readouterr().err
