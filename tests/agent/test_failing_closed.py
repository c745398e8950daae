"""A camera picture never leaves: whatever fails, every output is searched for it; and it cannot, by the imports."""

import ast
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from search_leaks import OUTPUTS, search
from searched_outputs import SIZE, coded_picture, shows_code

from agent.config.call import Call
from calibration.photo import read_photo

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent", "runtime", "calibration", "models")


@pytest.mark.timeout(300)
def test_no_output_shows_the_camera_while_everything_fails():
    frames = 2_000
    found = search(frames, seed=7)
    assert found.leaks.total() == 0
    assert found.not_stood == 0 and found.stood > 50, "a picture that cannot be drawn is the one before it"
    assert found.largest_step < 10, "and nothing jumps"
    assert found.tracked > 0.5 * frames
    assert all(found.pictures[output] > 0.95 * frames for output in ("preview", "file", "webrtc", "whip"))
    assert all(found.pictures[who] > 0.5 * frames for who in ("webrtc viewer", "media server"))
    assert found.pictures["virtual-camera"] > 0.7 * frames, "until it is gone, while the others go on"
    stages = ["video driver", "render", "sink virtual-camera", "sink preview", "sink webrtc"]
    assert all(found.faults[stage] > 5 for stage in stages)
    assert "takes no more pictures: the device is gone" in found.ended


def stretched(image: np.ndarray) -> np.ndarray:
    return cv2.resize(coded_picture(), image.shape[1::-1], interpolation=cv2.INTER_AREA)


def test_a_picture_of_the_camera_is_found_in_every_output():
    found = search(200, seed=7, leak=stretched)
    assert all(found.leaks[output] >= 2 for output in OUTPUTS)
    assert all(found.leaks[who] >= 1 for who in ("webrtc viewer", "media server"))


def corner(image: np.ndarray) -> np.ndarray:
    out = image.copy()
    out[:24, -32:] = cv2.resize(coded_picture(), (32, 24), interpolation=cv2.INTER_AREA)
    return out


def trace(image: np.ndarray) -> np.ndarray:
    return cv2.addWeighted(image, 0.9, stretched(image), 0.1, 0)


def as_jpeg(image: np.ndarray) -> np.ndarray:
    data = cv2.imencode(".jpg", stretched(image), [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


@pytest.mark.parametrize("leak", [stretched, corner, trace, as_jpeg])
def test_parts_and_traces_are_found_too(leak, portrait_png):
    photo = cv2.resize(read_photo(portrait_png), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    assert not shows_code(photo)
    assert shows_code(leak(photo))


def makes_pictures(source: str) -> bool:
    """Whether a module makes a `Picture`, or gives one other pixels."""
    return any(map(_makes_a_picture, ast.walk(ast.parse(source))))


def _makes_a_picture(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            given = [keyword.arg for keyword in node.keywords]  # None for **
            pixels = any(isinstance(value, ast.Constant) and value.value == "image" for value in node.args)
            return (
                name == "Picture"
                or (name == "replace" and ("image" in given or None in given))
                or (name in ("setattr", "__setattr__") and pixels)
            )
        case ast.Subscript(value=ast.Attribute(attr="image"), ctx=ast.Store()):
            return True
        case _:
            return False


@pytest.mark.parametrize(
    "line",
    [
        "picture = Picture(frame.image, motion, due_ns)",
        "picture = runtime.picture.Picture(frame.image, motion, due_ns)",
        "picture = replace(picture, image=frame.image)",
        "picture = dataclasses.replace(picture, **given)",
        "object.__setattr__(picture, 'image', frame.image)",
        "picture.image[:] = frame.image",
        "picture.image[0, 0] += 1",
    ],
)
def test_a_module_that_makes_pictures_is_seen(line):
    assert makes_pictures(line)
    assert not makes_pictures("picture = replace(picture, due_ns=7)\nimage = picture.image[:, :, 0]\nimage[:] = 0")


def test_in_a_run_pictures_are_made_on_the_stage_alone():
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    makers = [str(path.relative_to(ROOT)) for path in paths if makes_pictures(path.read_text())]
    stamps = ["agent/bench/stamping.py"]  # a measurement's instrument, which draws its code on them
    drawn_patterns = [f"agent/doctor/trials/{output}.py" for output in ("preview", "video_file", "webrtc")]
    assert sorted(makers) == [*stamps, *drawn_patterns, "runtime/stage.py"]


def test_a_camera_picture_becomes_a_portrait_in_one_place_and_only_where_the_user_asked():
    callers = []
    for path in [p for package in PACKAGES for p in (ROOT / package).rglob("*.py")]:
        if any(getattr(node, "module", "") == "calibration.retake" for node in ast.walk(ast.parse(path.read_text()))):
            callers.append(str(path.relative_to(ROOT)))
    assert callers == ["agent/call/truth.py"]
    [guard] = [field for field in fields(Call) if field.name == "guard"]
    assert guard.default == "off"


def users_of(module: str) -> list[str]:
    """Modules that import it, or anything of it."""
    found = []
    for path in [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            inside = [f"{node.module}.{name}" for name in names] if isinstance(node, ast.ImportFrom) else []
            if module in [getattr(node, "module", None), *names, *inside]:
                found.append(str(path.relative_to(ROOT)))
    return sorted(set(found))


def test_a_camera_picture_becomes_low_rate_video_in_one_place_and_only_where_the_user_asked():
    makers = []
    for path in [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]:
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        if any("Glimpse" in (getattr(call, "id", ""), getattr(call, "attr", "")) for call in calls):
            makers.append(str(path.relative_to(ROOT)))
    assert makers == ["runtime/truth/glimpses.py"]
    assert users_of("runtime.truth.glimpses") == ["agent/call/truth.py"]
    assert users_of("runtime.far_view") == ["agent/call/conversation.py"]
    assert "runtime/truth/guard.py" in users_of("runtime.frame"), "it is seen"


PLANTED = {
    "runtime/sinks/preview.py": "from runtime.frame import Frame",
    "runtime/engines/builtin.py": "from runtime.sources.camera import Camera",
    "runtime/outlet.py": "from runtime.frame import Frame",
    "runtime/stage.py": "from runtime.lane import Lane",
    "runtime/mix.py": "from runtime.drivers.face_video import FaceVideo",
    "runtime/loop.py": "from runtime.frame import Frame",
    "runtime/transports/line.py": "from runtime.truth.verdict import Cause",
    "runtime/transports/glimpse_link.py": "from runtime.truth.glimpses import Glimpses",
    "runtime/glimpse.py": "from runtime.frame import Frame",
    "runtime/far_view.py": "from runtime.sources.camera import Camera",
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache"]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": "."}, capture_output=True, text=True, check=False)


def test_the_import_rules_keep_frames_from_what_leaves(tmp_path):
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    kept = lint(tmp_path)
    assert kept.returncode == 0, kept.stdout
    for name, line in PLANTED.items():
        with (tmp_path / name).open("a") as module:
            module.write(f"\n{line}\n")
    broken = lint(tmp_path)
    assert broken.returncode == 1
    reasons = broken.stdout.partition("Broken contracts")[2]
    for name in PLANTED:
        module = name.removesuffix(".py").replace("/", ".")
        assert f"{module} -> runtime." in reasons, broken.stdout
