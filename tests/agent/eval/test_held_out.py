"""Of the video that a person learnt from, only the rest is judged."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from agent.config.eval import Eval
from agent.eval.cases import open_cases
from agent.eval.evaluation import Evaluation
from agent.eval.held_out import learnt_ns
from agent.eval.measures import left_out
from models.errors import InputError
from models.talk3d.needs import DRIVER_FILE, PERSON
from models.talk3d.personal.footage import LEARNT
from models.weight_store import StoredFile, sha256
from models.weights import store_of
from tests.models.talk3d import released


@pytest.fixture
def person(speaking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Eval:
    """Who learnt from the clip: as many frames as `released.FRAMES`."""
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "data"))
    made = released.save_person(tmp_path / "made")
    (made / DRIVER_FILE).write_bytes(b"never read")
    with store_of("talk3d:me").replacing(0) as new:
        for name in (DRIVER_FILE, *PERSON.files):
            new.place(name).write_bytes((made / name).read_bytes())
            size = (new.folder / name).stat().st_size
            new.add(StoredFile(name, size, sha256(new.folder / name), "me.mp4", sha256(speaking), "", ""))
    return Eval(clip=(speaking,), engine=("talk3d", "still"), person="me", size="192", output=tmp_path)


def test_the_video_is_known_by_its_digest(person: Eval, speaking: Path, nodding: Path) -> None:
    learnt = round(LEARNT * released.FRAMES)
    assert 0 < learnt < released.FRAMES and learnt_ns(speaking, person) == learnt * 40_000_000
    assert learnt_ns(nodding, person) == 0, "another clip"
    assert learnt_ns(speaking, replace(person, person="")) == 0, "another person"
    assert learnt_ns(speaking, replace(person, engine=("builtin",))) == 0, "nobody who learnt"


@pytest.mark.parametrize("protocol", ["self", "audio"])
def test_only_what_was_not_learnt_from_is_judged(person: Eval, nodding: Path, protocol: str) -> None:
    both = replace(person, clip=(*person.clip, nodding), protocol=protocol)
    own, other = open_cases(both)
    assert own.judged_ns(both)[0] == own.learnt_ns > 0 and own.judged_ns(both)[-1] == own.instants_ns(both)[-1]
    assert other.judged_ns(both)[0] == other.instants_ns(both)[1]
    assert own.plan(both, "talk3d").config.mode == ("both" if protocol == "self" else "audio")
    assert own.plan(both, "still").config.mode == ("video" if protocol == "self" else "audio")
    first, second, *_ = left_out(both, [own, other])
    assert first.startswith(f"me: pictures from {own.learnt_ns / 1e9:.1f} s on are judged")
    assert "are not measured of talk3d on nodding" in second
    assert "me" not in second.split(" on ")[1].split(":")[0]


def test_by_a_face_only_the_persons_own_video_moves_it(person: Eval, nodding: Path, portrait_png: Path) -> None:
    with pytest.raises(InputError, match="talk3d:me is not ready"):
        Evaluation(person, print)  # the first complaint is of networks that this test has not brought
    for wrong in (
        replace(person, clip=(*person.clip, nodding)),
        replace(person, protocol="cross", portrait=(portrait_png,)),
    ):
        with pytest.raises(InputError, match="draws the person whom it learnt"):
            Evaluation(wrong, print)
