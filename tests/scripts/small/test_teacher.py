"""What the teacher draws, held against what it drew when `dataset.TEACHER` was last raised.

If it draws otherwise, older data sets are of no use to a training that goes on: raise that number, and write down what
it draws now with `PYTHONPATH=.:scripts python -m tests.scripts.small.test_teacher`.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from small import dataset
from small.dataset import Dataset, Plan

PLAN = Plan(bent=1, mixed=1, shots=3)
DRAWN = Path(__file__).with_name("teacher.npz")
_PORTRAIT = Path("agent/example/portrait.png")
_CELLS, _POINTS = 16, 24
_LEVELS, _NEAR = 1.5, 2e-3  # bytes and numbers by which libraries and processors differ


def drawn(folder: Path) -> dict[str, np.ndarray]:
    """The bundled portrait as it is, bent, and with a mixed face; pictures as means of coarse cells, some points."""
    shutil.copy(_PORTRAIT, folder / "astronaut.png")
    dataset.make(folder / "data", folder, 4, lambda line: None, ("astronaut.png",), PLAN)
    data = dataset.open_dataset(folder / "data")
    return {name: _coarse(data, name) for name in sorted(data.arrays)}


def _coarse(data: Dataset, name: str) -> np.ndarray:
    values = np.asarray(data.arrays[name][: len(PLAN.kinds())], np.float64)
    if values.shape[-1] == 3:  # points and rotations
        return values[:, :, :: max(1, values.shape[2] // _POINTS)].astype(np.float32)
    down = next((k for k in range(1, values.ndim - 1) if values.shape[k] == values.shape[k + 1]), None)
    if down is None:
        return values.astype(np.float32)
    side = values.shape[down] // _CELLS
    cut = values.take(range(side * _CELLS), down).take(range(side * _CELLS), down + 1)
    cells = cut.reshape(*cut.shape[:down], _CELLS, side, _CELLS, side, *cut.shape[down + 2 :])
    return cells.mean((down + 1, down + 3)).astype(np.float32)


def test_the_teacher_draws_as_its_number_says(tmp_path: Path) -> None:
    known = dict(np.load(DRAWN))
    assert int(known.pop("teacher")) == dataset.TEACHER, "the number was raised: write down what it draws (see above)"
    found = drawn(tmp_path)
    assert found.keys() == known.keys()
    for name, values in found.items():
        near = _LEVELS if name in dataset._BYTES else _NEAR
        assert values.shape == known[name].shape, name
        assert np.abs(values - known[name]).max() <= near, f"{name} is drawn otherwise: raise dataset.TEACHER"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        np.savez_compressed(DRAWN, teacher=dataset.TEACHER, **drawn(Path(made)))
