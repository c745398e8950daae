"""Profiles on disk: what is written is read again, and nothing else is."""

import json
import stat
from dataclasses import fields, replace

import numpy as np
import pytest

from calibration.profile_file import _checksum, is_profile, load_profile, save_profile
from models.audio.speaker_layer import INPUTS, SpeakerLayer
from models.errors import InputError
from tests.people import Person


@pytest.fixture(scope="module")
def profile():
    return Person(1).profile(60)


@pytest.fixture
def path(profile, tmp_path):
    path = tmp_path / "me.profile.json"
    save_profile(profile, path)
    return path


def test_a_profile_is_read_as_it_was_written(profile, path):
    again = load_profile(path)
    for field in fields(profile):
        was, is_ = getattr(profile, field.name), getattr(again, field.name)
        if isinstance(was, np.ndarray):
            assert is_.dtype == np.float32
            np.testing.assert_allclose(is_, was, atol=1e-6)
        elif field.name != "rest" and isinstance(was, tuple):
            assert is_ == pytest.approx(was, abs=1e-6)
        elif field.name != "rest":
            assert is_ == was
    assert again.rest.place == pytest.approx(profile.rest.place)
    assert again.rest.rotation == pytest.approx(profile.rest.rotation)


@pytest.fixture
def spoken(profile, tmp_path):
    """A profile that knows the voice."""
    weights = np.random.default_rng(0).normal(0, 1, (4, 3, INPUTS)).astype(np.float32)
    path = tmp_path / "spoken.profile.json"
    save_profile(replace(profile, speech=SpeakerLayer("0a" * 32, weights)), path)
    return path, weights


def test_how_the_mouth_goes_with_the_voice_is_read_as_it_was_written(spoken, path):
    file, weights = spoken
    speech = load_profile(file).speech
    assert speech.network == "0a" * 32 and speech.weights.dtype == np.float32
    np.testing.assert_allclose(speech.weights, weights, atol=1e-6)
    assert load_profile(path).speech is None


def test_a_profile_from_before_speech_was_learnt_is_read(path):
    rewrite(path, lambda document: document["content"].pop("speech"))
    assert load_profile(path).speech is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda speech: speech.pop("weights"), "'weights' is missing"),
        (lambda speech: speech["weights"].pop(), r"'weights' has the wrong shape \(3, 3, 98\)"),
        (lambda speech: speech["weights"][0][0].__setitem__(0, 21.0), "'weights' of its speech are beyond reason"),
        (lambda speech: speech["weights"][0][0].__setitem__(0, float("nan")), "holds what is not a number"),
        (lambda speech: speech.update(network="../a"), "'network' of its speech is no digest"),
        (lambda speech: speech.update(network=5), "'network' of its speech is no digest"),
    ],
)
def test_wrong_speech_is_refused(spoken, change, message):
    rewrite(spoken[0], lambda document: change(document["content"]["speech"]))
    expect(spoken[0], message)


def test_it_is_private_and_leaves_nothing_beside_it(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert is_profile(path)


def rewrite(path, change, seal=True):
    document = json.loads(path.read_text())
    change(document)
    if seal:
        document["checksum"] = _checksum(document["content"])
    path.write_text(json.dumps(document))


def expect(path, message):
    with pytest.raises(InputError, match=message) as refusal:
        load_profile(path)
    assert "\n" not in str(refusal.value)


def test_damage_is_told_from_other_files(path):
    whole = path.read_bytes()
    for data, message in [
        (whole[: len(whole) // 2], "cut off"),
        (b"\xff\xfe" + whole, "not JSON"),
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1, 2]", "is not a profile"),
        (b'{"format": "something else"}', "is not a profile"),
        (whole.replace(b"0.1", b"0.2", 1), "checksum does not match"),
    ]:
        path.write_bytes(data)
        expect(path, message)


@pytest.mark.parametrize(("version", "message"), [(2, "a newer version"), (0, "another version"), ("1", "another")])
def test_another_version_is_refused(path, version, message):
    rewrite(path, lambda document: document.update(version=version))
    expect(path, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("neutral"), "'neutral' is missing"),
        (lambda c: c["ranges"].pop("jawOpen"), "'jawOpen' is missing"),
        (lambda c: c["neutral"].pop(), r"'neutral' has the wrong shape \(477, 3\)"),
        (lambda c: c["variation"][0].pop(), "damaged"),
        (lambda c: c["neutral"][3].__setitem__(1, float("nan")), "'neutral' holds what is not a number"),
        (lambda c: c["ranges"].update(jawOpen=[0, float("inf")]), "'ranges' holds what is not a number"),
        (lambda c: c.update(neutral="face"), "damaged"),
        (lambda c: c.update(eyes_closed=[0.5, 0.5]), "hardly more open than when closed"),
        (lambda content: content.update(neutral=[[0.0] * 3] * 478), "'neutral' is no face"),
        (lambda content: content.update(frames=-5), "'frames' is -5"),
        (lambda content: content["rest"].update(place=[1e38, 0.0]), "beyond reason"),
        (lambda c: c.update(field_of_view_source="guess"), "'guess'"),
        (lambda c: c["rest"].update(scale=-1), "'rest' is not a positive number"),
        (lambda c: c.update(rest=None), "damaged"),
    ],
)
def test_wrong_content_is_refused_even_with_the_right_checksum(path, change, message):
    rewrite(path, lambda document: change(document["content"]))
    expect(path, message)


def test_what_is_no_file_is_refused(tmp_path):
    expect(tmp_path / "none.json", "no such file")
    expect(tmp_path, "is a folder")
    expect(tmp_path / ("x" * 300), "cannot be read|no such file")
    (tmp_path / "huge.json").write_bytes(b" " * 17_000_000)
    expect(tmp_path / "huge.json", "too large")


def test_a_place_that_cannot_be_written_is_said_and_the_old_profile_stays(profile, path):
    before = path.read_bytes()
    for place in (path.parent / "none" / "p.json", path.parent / ("x" * 300)):
        with pytest.raises(InputError, match="cannot be written"):
            save_profile(profile, place)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1
