"""`agent models`, as a person uses it; small networks in place of the released ones."""

import json
import signal
import subprocess
import sys

import pytest

from agent import engines
from agent.cli import main
from agent.engines import usable_engines
from agent.papers import load_real3d, load_talk3d
from models import importing as bringing
from models.bfm import FACE_MODEL
from models.errors import InputError
from models.goha import importing as importing_goha
from models.goha import needs as goha_needs
from models.real3d import importing
from models.real3d.needs import AUDIO, FACE_DATA, HUBERT, PARTS, SEGMENTER, VIDEO
from models.talk3d import importing as importing_talk3d
from models.talk3d import needs as talk3d_needs
from models.weights import TERMS, Missing, Weights, built_folder, find, store_of
from tests.models.goha import released as goha
from tests.models.real3d.released import NETWORKS, VIDEO_FOLDER, save_face_model, save_release
from tests.models.talk3d import released as talk3d


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "NETWORKS", NETWORKS)
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "weights" / "real3d"


@pytest.fixture
def release(tmp_path):
    return save_release(tmp_path / "release")


@pytest.fixture
def face_model(tmp_path):
    return save_face_model(tmp_path / "BFM_model_front.mat")


def models(*arguments):
    return main(["models", *map(str, arguments)])


def listed(capsys, *options):
    capsys.readouterr()
    assert models("list", *options) == 0
    return capsys.readouterr().out


def test_the_list_before_and_after(release, face_model, data, capsys):
    before = listed(capsys)
    assert "builtin   ready; comes with the agent\nsmall     ready; comes with the agent" in before
    assert "real3d    not ready: needs its video model and its face model" in before
    for part in PARTS:
        assert part.source in before and part.licence in before and part.instead in before
    assert models("import", "real3d", "--checkpoint", release, "--face-model", face_model) == 0
    told = capsys.readouterr().err.splitlines()
    assert told == [TERMS["real3d"], f"wrote {data / '1'}; agent models list says what is there"]
    assert "non-commercial" in TERMS["real3d"]
    after = listed(capsys)
    assert f"real3d    ready; in {data / '1'}" in after
    assert "video model (needed) is there" in after
    assert "7 tensors, 100000 steps, sha256" in after and "from model_ckpt_steps_100000.ckpt" in after
    assert VIDEO.source not in after and FACE_DATA.source in after


def test_only_engines_that_would_open_can_be_chosen(release, face_model, monkeypatch):
    assert usable_engines() == ("builtin", "small")
    models("import", "real3d", "--checkpoint", release, "--face-model", face_model)
    assert usable_engines() == ("builtin", "small", "real3d")
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert usable_engines() == ("builtin",), "torch is not there"
    monkeypatch.undo()
    monkeypatch.setenv("AGENT_DATA", "")
    monkeypatch.delenv("HOME", raising=False)
    assert usable_engines() == ("builtin", "small")


def test_goha_is_brought_in_and_said_to_be_for_non_commercial_use(tmp_path, monkeypatch, data, capsys):
    monkeypatch.setattr(importing_goha, "RELEASED", goha.SMALL)
    before = listed(capsys)
    assert "goha      not ready: needs its avatar network and its face model" in before
    assert goha_needs.COEFFICIENTS.source in before and goha_needs.COEFFICIENTS.instead in before
    checkpoint, deep3d = goha.save_checkpoint(tmp_path), goha.save_coefficients(tmp_path)
    face = goha.save_face_model(tmp_path / "face.mat")
    assert models("import", "goha", "--checkpoint", checkpoint, "--deep3d", deep3d, "--face-model", face) == 0
    assert TERMS["goha"] in capsys.readouterr().err
    after = listed(capsys)
    assert f"goha      ready; in {data.with_name('goha') / '1'}" in after and "825000 steps" in after
    assert f"licence: {goha_needs.NETWORKS.licence}" in after and "non-commercial" in goha_needs.NETWORKS.licence
    weights = find("goha")
    assert isinstance(weights, Weights) and weights.absent == ()


def test_talk3d_is_brought_in_and_said_to_be_for_non_commercial_use(tmp_path, monkeypatch, data, capsys):
    monkeypatch.setattr(importing_talk3d, "RELEASED", talk3d.SMALL)
    assert "talk3d    not ready: needs its delta-plane networks and its person's generator" in listed(capsys)
    checkpoint, person = talk3d.save_driver(tmp_path / "May_demo.pt"), talk3d.save_person(tmp_path / "May")
    assert models("import", "talk3d", "--checkpoint", checkpoint, "--person", person) == 0
    assert TERMS["talk3d"] in capsys.readouterr().err
    after = listed(capsys)
    assert f"talk3d    ready; in {data.with_name('talk3d') / '1'}" in after and "80000 steps" in after
    assert talk3d_needs.SPEECH.source in after and talk3d_needs.SPEECH.instead in after
    assert "non-commercial" in talk3d_needs.DRIVER.licence and "non-commercial" in talk3d_needs.GENERATOR.licence
    assert usable_engines() == ("builtin", "small", "talk3d")
    with pytest.raises(InputError, match="there is nobody; leave --person out for whom agent models import brought in"):
        load_talk3d("talk3d:May")
    with store_of("talk3d:me").replacing(0) as new:
        for path in sorted(store_of("talk3d").current().folder.glob("*.*")):
            if path.name in (files := store_of("talk3d").current().files):
                new.place(path.name).write_bytes(path.read_bytes())
                new.add(files[path.name])
    assert usable_engines() == ("builtin", "small", "talk3d", "talk3d:me"), "persons who are ready, too"
    weights = find("talk3d")
    assert isinstance(weights, Weights) and weights.absent == (
        talk3d_needs.RESTORATION,
        talk3d_needs.SPEECH,
        talk3d_needs.BASE,
    )


@pytest.mark.parametrize(
    ("engine", "option"),
    [
        ("goha", "--hubert"),
        ("goha", "--segmenter"),
        ("goha", "--face-data"),
        ("real3d", "--deep3d"),
        ("talk3d", "--hubert"),
        ("goha", "--person"),
    ],
)
def test_an_option_of_another_engine_is_refused(engine, option, tmp_path, capsys):
    assert models("import", engine, option, tmp_path) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{option} has no use for {engine}" in line


def test_the_list_for_scripts(release, face_model, data, capsys):
    def real3d(*options):
        return json.loads(listed(capsys, "--json", *options))["engines"]["real3d"]

    assert real3d()["ready"] is False and real3d()["folder"] is None
    models("import", "real3d", "--checkpoint", release, "--face-model", face_model)
    known = real3d()
    assert known["ready"] is True and known["folder"] == str(data / "1")
    video = known["parts"][0]
    assert (video["title"], video["fault"], video["files"][0]["step"]) == ("video model", "", 100_000)
    path = data / "1" / video["files"][0]["name"]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert real3d()["ready"] is True, "sizes alone do not tell"
    assert real3d("--verify")["ready"] is False
    assert "SHA-256" in real3d("--verify")["parts"][0]["fault"]
    path.write_bytes(content[:-1])
    assert "is damaged" in real3d()["parts"][0]["fault"]


def test_an_engine_learns_what_is_there_and_what_is_missing(release, face_model, data):
    missing = find("real3d")
    assert isinstance(missing, Missing) and missing.parts == (VIDEO, FACE_MODEL)
    models("import", "real3d", "--checkpoint", release, "--without-audio")
    missing = find("real3d")
    assert isinstance(missing, Missing) and missing.parts == (FACE_MODEL,)
    error = missing.error()
    assert isinstance(error, InputError)
    for told in (f"its {FACE_MODEL.title} is missing", "`agent models list`", "--engine builtin"):
        assert told in str(error)
    assert VIDEO.title not in str(error) and "\n" not in str(error) and len(str(error)) < 200
    models("import", "real3d", "--face-model", face_model)
    weights = find("real3d")
    assert isinstance(weights, Weights) and weights.absent == (AUDIO, FACE_DATA, HUBERT, SEGMENTER)
    assert weights.folder == data / "2" and weights.file(AUDIO) is None
    assert weights.file(VIDEO) == data / "2" / "video_model.safetensors"
    assert weights.file(VIDEO).is_file()
    weights.file(FACE_MODEL).unlink()
    assert "BFM_model_front.mat cannot be found" in str(find("real3d").error())


def test_a_damaged_record_is_told_of(release, face_model, data, capsys):
    models("import", "real3d", "--checkpoint", release, "--face-model", face_model)
    record = data / "1" / "weights.json"
    record.write_text("half a")
    told = f"may be there, but {record} is damaged"
    assert f"its {VIDEO.title} {told}" in str(find("real3d").error())
    assert f"{VIDEO.title} (needed) {told}" in listed(capsys)


def test_wrong_files_cost_one_line_and_change_nothing(release, data, tmp_path, capsys):
    (release / VIDEO_FOLDER / "model_ckpt_steps_100000.ckpt").write_bytes(b"half a")
    (tmp_path / "empty").mkdir()
    for arguments, told in (
        (["--checkpoint", release], "not a file of weights, or damaged"),
        (["--checkpoint", tmp_path / "empty"], "nothing of it is in this folder"),
        (["--face-model", tmp_path / "none.mat"], "no such file"),
        ([], "nothing to import"),
    ):
        assert models("import", "real3d", *arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("agent: ") and told in line
    assert models("import", "talk3d", "--checkpoint", release) == 2
    assert not data.exists()


def test_a_place_that_cannot_be_written_to_is_a_failure(release, monkeypatch, capsys):
    monkeypatch.setenv("AGENT_DATA", "/proc/nowhere")
    assert models("import", "real3d", "--checkpoint", release) == 1
    assert "cannot be written to" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"half a", b""], ids=["other shapes", "damaged", "empty"])
def test_an_engine_with_damaged_weights_says_what_to_do(content, release, face_model, data):
    models("import", "real3d", "--checkpoint", release, "--face-model", face_model)
    path = data / "1" / VIDEO.files[0]
    if content is not None:
        record = data / "1" / "weights.json"
        document = json.loads(record.read_text())
        for file in document["files"]:
            file["size_bytes"] = len(content) if file["name"] == path.name else file["size_bytes"]
        record.write_text(json.dumps(document))
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_real3d()
    for told in (str(path), "agent models list --verify", "agent models import real3d --checkpoint ..."):
        assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_removing(release, data, capsys):
    models("import", "real3d", "--checkpoint", release)
    built = built_folder("real3d") / "0123456789abcdef"
    built.mkdir(parents=True)
    (built / "frame_float32.onnx").touch()
    assert models("remove", "real3d") == 0
    assert f"removed {data} and {built.parent}" in capsys.readouterr().err
    assert not data.exists() and not built.parent.exists()
    assert models("remove", "real3d") == 0
    assert "nothing of real3d to remove" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(number, release, data, monkeypatch, capsys):
    convert = bringing.write_tensors

    def interrupted(tensors, path):
        signal.raise_signal(number)
        convert(tensors, path)

    monkeypatch.setattr(bringing, "write_tensors", interrupted)
    assert models("import", "real3d", "--checkpoint", release) == 130
    assert capsys.readouterr().err.splitlines() == ["agent: interrupted"]
    assert not data.exists()


WITHOUT_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, Absent())
from agent import engines
from agent.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (["import", "real3d", "--segmenter", "x.tflite"], 2, "needs torch: .venv/bin/pip install -e '.[neural]'"),
        (["list"], 0, "real3d    not ready"),
    ],
)
def test_without_torch(command, code, told):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "models", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert told in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == (1 if code else 0)


def test_the_command_line_alone_needs_no_torch():
    code = "import sys, agent.cli, agent.weights, models.weights; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        models("import", "--help")
    told = capsys.readouterr().out
    for word in ("--checkpoint", "--face-model", "--without-audio", "agent models list", "240210_real3dportrait_orig"):
        assert word in told


def test_a_failed_import_leaves_nothing_and_says_where_to_get_it(tmp_path, capsys):
    page = tmp_path / "checkpoint825000.ckpt"
    page.write_text("<!DOCTYPE html><title>Google Drive - Virus scan warning</title>")
    assert models("import", "goha", "--checkpoint", page) == 2
    assert goha_needs.NETWORKS.source in capsys.readouterr().err
    with pytest.raises(InputError), store_of("goha").replacing(0):
        raise InputError("of no use")
    assert models("remove", "goha") == 0
    assert "there is nothing of goha to remove" in capsys.readouterr().err
