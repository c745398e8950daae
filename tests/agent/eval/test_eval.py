"""`agent eval` as a person types it."""

import json
import re

import numpy as np
import pytest

from agent.cli import main
from tests.agent.clips import decode, make_clip

FAST = ("--size", "192", "--every", "6")


def compared(output, *arguments):
    assert main(["eval", *map(str, arguments), *FAST, "--output", str(output)]) == 0
    told = json.loads((output / "eval.json").read_text())
    return {(row["case"], row["engine"]): row for row in told["rows"]}


def test_a_clip_that_drives_its_own_first_picture(nodding, tmp_path, capsys):
    rows = compared(tmp_path / "a", "--clip", nodding)
    assert list(rows) == [(case, engine) for case in ("all", "nodding") for engine in ("builtin", "still")]
    drawn, still = rows["nodding", "builtin"], rows["nodding", "still"]
    assert drawn["pictures"] == still["pictures"] == drawn["compared"] == 4 and drawn["lost"] == still["lost"] == 0
    assert drawn["akd"] < 0.5 * still["akd"] and drawn["psnr"] > still["psnr"] + 2
    assert drawn["ssim"] > still["ssim"] and drawn["l1"] < still["l1"] and 0 < drawn["apd"] < 6
    assert drawn["lpips"] is drawn["csim"] is drawn["fid"] is None
    told = capsys.readouterr()
    assert told.out.startswith("| case") and len(told.out.splitlines()) == 6
    assert "CSIM is not measured: --identity takes w600k_r50.onnx" in told.err and "eval.html" in told.err
    page = (tmp_path / "a" / "eval.html").read_text()
    assert len(re.findall("<img", page)) == 1 + 2 * 4, "the portrait, and four instants of each"
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "eval.html", "eval.json", "nodding-builtin.mp4", "nodding-still.mp4"
    }  # fmt: skip
    pictures, seconds = decode(tmp_path / "a" / "nodding-builtin.mp4")
    assert len(pictures) == 30 and seconds == pytest.approx(1, abs=0.1)

    again = compared(tmp_path / "b", "--clip", nodding, "--engine", "builtin", "--show-driver")
    assert again["nodding", "builtin"] == drawn, "the same each time, whoever else is compared"
    assert len(re.findall("<img", (tmp_path / "b" / "eval.html").read_text())) == 1 + 4 + 4, "and the clip's own"


def test_a_clip_that_drives_another_portrait(nodding, portrait_png, tmp_path, capsys):
    rows = compared(tmp_path, "--clip", nodding, nodding, "--protocol", "cross", "--portrait", portrait_png)
    assert [case for case, engine in rows if engine == "still"] == ["all", "nodding-portrait", "nodding-portrait-2"]
    row = rows["nodding-portrait", "builtin"]
    assert set(row) == {"case", "engine", "pictures", "compared", "fid", "aed", "apd", "lips", "csim", "lost"}
    assert "all: every case counts alike" in capsys.readouterr().err
    assert row["pictures"] == 5 and 0 < row["aed"] < 0.2
    assert row | {"case": 0} == rows["nodding-portrait-2", "builtin"] | {"case": 0}


def test_a_voice_that_drives_the_first_picture(nodding, tmp_path):
    rows = compared(tmp_path, "--clip", nodding, "--protocol", "audio")
    drawn, still = rows["nodding", "builtin"], rows["nodding", "still"]
    assert drawn["pictures"] == 4, "25 a second"
    assert drawn["lmd"] > still["lmd"] >= 0, "the filmed mouth stays shut; the voice opens the drawn one"
    assert "psnr" not in drawn and drawn["sync_c"] is None


def test_no_picture_of_a_clip_is_kept_as_a_prepared_portrait(nodding, tmp_path, monkeypatch):
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path / "cache"))
    compared(tmp_path / "out", "--clip", nodding, "--engine", "still")
    assert not list((tmp_path / "cache").rglob("*.*"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("--clip none.mp4", "no such file: none.mp4"),
        ("--clip {wav}", "has no moving pictures; give a video file"),
        ("--clip {photo}", "has no moving pictures; give a video file"),
        ("--clip {mute} --protocol audio", "has no sound to drive by; leave it out, or give --protocol self"),
        ("--clip {mute}", "mute.mp4 shows no human face; it is the portrait, so let the clip begin where one large"),
        ("--clip {clip} --protocol cross", "--protocol cross needs --portrait"),
        ("--clip {clip} --portrait {photo}", "--protocol self takes its portraits from the clips"),
        ("--clip {clip} --protocol cross --portrait none.png", "none.png: no such file"),
        ("--clip {clip} --every 0", "--every 0: give 1 or more"),
        (
            "--clip {clip} --every 30",
            "--every 30 leaves nothing to judge of --clip {clip}, whose first picture of 30 is the portrait: give",
        ),
        ("--clip {one}", "one.mp4, whose first picture of 1 is the portrait: give less, or a longer clip"),
        ("--clip {clip} --protocol audio --every 25", "whose first picture of 25 is"),
        ("--clip {clip} --size 99", "--size 99"),
        ("--clip {clip} --engine real3d", "real3d is not ready: its video model is missing"),
        ("--clip {clip} --engine buildin", "invalid choice 'buildin'"),
        ("--clip {clip} --engin still", "agent eval has no option --engin: --engine?"),
        ("--clip {clip} --identity none.onnx", "none.onnx is not there; give the ONNX file"),
        ("--clip {clip} --inception {wav}", "is not a file of weights, or damaged"),
        ("--clip {clip} --lpips none.pth none.pth", "none.pth is not there"),
        ("--clip {clip} --syncnet {wav}", "--syncnet goes with --protocol audio"),
        ("--clip {clip} --protocol audio --lpips a b", "--lpips goes with --protocol self"),
        ("--clip {clip} --engine talk3d", "--protocol self: the engine talk3d draws the person whom it learnt"),
        ("--clip {clip} --engine talk3d --protocol audio --person me", "talk3d:me is not ready"),
        ("--clip {clip} --engine talk3d --protocol audio --person ..", "a person cannot be called .."),
        ("--clip {clip} --person me", "--person me goes with --engine talk3d; leave it out"),
        ("--clip {clip} --output {wav}", "file exists; name another folder"),
    ],
)
def test_wrong_usage_costs_one_line(arguments, complaint, nodding, wav, portrait_png, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "data"))
    mute = make_clip(tmp_path / "mute.mp4", [np.full((128, 128, 3), 99, np.uint8)] * 3, 25)
    one = make_clip(tmp_path / "one.mp4", [np.full((128, 128, 3), 99, np.uint8)], 25)
    named = {"one": one, "clip": nodding, "mute": mute, "wav": wav, "photo": portrait_png}
    assert main(["eval", "--output", str(tmp_path / "out"), *arguments.format(**named).split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint.format(**named) in line
    assert not (tmp_path / "out").exists()
