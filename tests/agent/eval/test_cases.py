"""What is compared, and under which names."""

from pathlib import Path

from agent.config.eval import Eval
from agent.eval.cases import open_cases


def config(clips, **settings):
    return Eval(clip=tuple(map(Path, clips)), **{"size": "192"} | settings)


def copies(folder, file, names):
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(file)
    return [folder / name for name in names]


def test_no_two_cases_have_one_name(nodding, tmp_path):
    clips = copies(tmp_path, nodding, ("x/a.mp4", "y/a.mp4", "a-2.mp4", "z/a.mp4"))
    assert [case.name for case in open_cases(config(clips))] == ["a", "a-3", "a-2", "a-4"]


def test_no_two_pairs_have_one_name(nodding, portrait_png, tmp_path):
    clips = copies(tmp_path, nodding, ("a.mp4", "a-b.mp4"))
    portraits = copies(tmp_path, portrait_png, ("c.png", "b-c.png"))
    names = [case.name for case in open_cases(config(clips, protocol="cross", portrait=tuple(portraits)))]
    assert names == ["a-c", "a-b-c", "a-b-c-2", "a-b-b-c"]
