"""OpenCV's Python types are not made to be inherited from: one that was corrupted the heap."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("agent", "runtime", "calibration", "models", "scripts", "tests")


def heirs(source: str) -> list[str]:
    """Classes of a module whose base is one of cv2's, by whichever name."""
    tree = list(ast.walk(ast.parse(source)))
    names = set()
    for node in tree:
        if isinstance(node, ast.Import):
            names |= {name.asname or "cv2" for name in node.names if name.name.partition(".")[0] == "cv2"}
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "cv2":
            names |= {name.asname or name.name for name in node.names}
    classes = [node for node in tree if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if any(ast.unparse(base).partition(".")[0] in names for base in node.bases)]


@pytest.mark.parametrize(
    "source",
    [
        "import cv2\nclass Clip(cv2.VideoCapture): ...",
        "import cv2 as cv\nclass Clip(cv.VideoCapture): ...",
        "from cv2 import VideoCapture as Capture\nclass Clip(Capture): ...",
        "def test():\n    import cv2\n    class Clip(object, cv2.detail.Blender): ...",
    ],
)
def test_an_heir_is_found(source):
    assert heirs(source) == ["Clip"]


def test_nothing_inherits_from_opencvs_types():
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 300
    assert {str(path): found for path in paths if (found := heirs(path.read_text()))} == {}
