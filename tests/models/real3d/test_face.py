"""The face model's files are read, checked, and made up for where they are missing."""

from pathlib import Path

import numpy as np
import pytest
from golden import face_file
from scipy.io import savemat

from models.bfm import MODEL_FILE
from models.camera import row_rotation
from models.errors import InputError
from models.face import load_face_model
from models.real3d.face import CODES_FILE, EYE_FILES, LANDMARKS_FILE, Real3dFace, load_real3d_face
from models.topology import INNER_LIPS, SURFACE_COUNT
from tests.models.real3d import synthetic

Golden = dict[str, np.ndarray]


def folder_with(path: Path, **content: np.ndarray) -> Path:
    """All files, those named changed: `landmarks`, `codes`, `right`, `left`, `keypoints`."""
    model = synthetic.bfm_content()
    savemat(path / MODEL_FILE, model | {"keypoints": content.get("keypoints", model["keypoints"])})
    np.save(path / LANDMARKS_FILE, content.get("landmarks", synthetic.landmark_vertices()))
    np.save(path / CODES_FILE, content.get("codes", np.linspace(0, 1, 9000, dtype=np.float32).reshape(3, 3000)))
    for name, side, numbers in zip(EYE_FILES, ("left", "right"), ([1, 7], [100]), strict=True):
        np.save(path / name, content.get(side, np.array(numbers)))
    return path


def test_all_files_are_read(tmp_path: Path) -> None:
    face = load_real3d_face(folder_with(tmp_path))
    assert face.derived == ()
    file = synthetic.bfm_content()
    np.testing.assert_array_equal(face.model.triangles, np.delete(file["tri"], [0, 6, 99], axis=0) - 1)
    np.testing.assert_allclose(face.model.ncc[:, 1], np.linspace(0, 1, 9000)[3000:6000], atol=1e-6)
    assert face.landmarks468.min() == 0
    assert set(synthetic.IGNORED) <= set(np.flatnonzero(face.landmarks468 == 0))
    np.testing.assert_array_equal(face.model.keypoints68, file["keypoints"][0] - 1)
    assert not face.model.ncc.flags.writeable


def test_shapes_and_torso_points_are_the_references(reference_face: Real3dFace, golden: Golden) -> None:
    np.testing.assert_array_equal(reference_face.torso68[:8], golden["bfm.lm68_uses_index"])
    poses = synthetic.tracks()
    for k in range(2):
        seen = reference_face.model.shape(poses["id"][k], poses["exp"][k]) @ row_rotation(np.zeros(3))
        seen[:, 2] = 10 - seen[:, 2]
        np.testing.assert_allclose(seen[::60], golden["bfm.face_vertex/sub"][k], atol=1e-5)


FAULTS = {
    "landmarks beyond": ({"landmarks": np.full(468, 3000)}, "names vertex 3000, the face model beside it has 3000"),
    "landmarks missing": ({"landmarks": np.zeros(467, int)}, "(467,), not whole numbers (468,)"),
    "landmarks halves": ({"landmarks": np.full(468, 0.5)}, "holds float64"),
    "codes turned": ({"codes": np.zeros((3000, 3), np.float32)}, "(3000, 3), not floats (3, 3000)"),
    "codes beyond": ({"codes": np.full((3, 3000), 1.01)}, "beyond 0..1"),
    "codes none": ({"codes": np.full((3, 3000), np.nan)}, "beyond 0..1"),
    "triangle 0": ({"left": np.array([0])}, "names other triangles than 1 to 100"),
    "triangle 101": ({"right": np.array([101])}, "names other triangles than 1 to 100"),
    "pickled": ({"right": np.array([{}], object)}, "not a .npy file, or damaged"),
    "no next vertex": ({"keypoints": np.full((1, 68), 3000)}, "none comes after it"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_wrong_file_is_named(tmp_path: Path, fault: str) -> None:
    content, reason = FAULTS[fault]
    with pytest.raises(InputError) as caught:
        load_real3d_face(folder_with(tmp_path, **content))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_made_up_for(face: Real3dFace) -> None:
    assert face.derived == (LANDMARKS_FILE, CODES_FILE, *EYE_FILES)
    lips = np.zeros(SURFACE_COUNT, bool)
    lips[INNER_LIPS] = True
    found = face.landmarks468 == np.arange(SURFACE_COUNT)
    assert found[~lips].all()
    assert found.mean() > 0.99  # where the corners of both lips meet, either will do
    assert len(face.model.triangles) == len(load_face_model().triangles)  # ours has no triangles in its eyes


def test_eye_triangles_are_found(tmp_path: Path) -> None:
    ours = load_face_model()
    content = face_file.bfm_content(ours)
    content["tri"] = np.concatenate([content["tri"], ours.eye_strips + 1])
    savemat(tmp_path / MODEL_FILE, content)
    kept = load_real3d_face(tmp_path).model.triangles
    np.testing.assert_array_equal(kept, ours.triangles)
