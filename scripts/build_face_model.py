"""Writes models/data/face_model.npz: the mean of a few portraits' landmarks, with 80 identity and 64 expression shapes.

    python scripts/build_face_model.py

builds the committed file from two public-domain photos that come with scikit-image and matplotlib. Other
portraits (frontal, sharp) can be named instead; say with --provenance what they are.
"""

import argparse
from pathlib import Path

import numpy as np
from face_shapes import named_shapes
from face_surface import (
    LOWER_LIP_ROWS,
    UPPER_LIP_ROWS,
    Points,
    Surface,
    eye_strips,
    mirror_index,
    mouth_strip,
    skin_triangles,
)
from identity_shapes import identity_shapes
from jaxtyping import Float, Int32, UInt8
from PIL import Image

from models.landmarks import DEPTH, find_faces
from models.motion import COEFFICIENTS, RESIDUAL_COUNT
from models.pose import fit_pose
from models.topology import (
    CHIN,
    FACE_OVAL,
    FOREHEAD_TOP,
    LANDMARK_COUNT,
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    OUTER_EYE_CORNERS,
    RIGHT_IRIS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    RIGID,
    SURFACE_COUNT,
    UPPER_LIP,
)

OUTPUT = Path(__file__).parents[1] / "models" / "data" / "face_model.npz"
PROVENANCE = (
    "landmarks of two public-domain photographs, Eileen Collins (NASA) and Grace Hopper (U.S. Navy), "
    "mirrored and averaged; identity and expression shapes are synthetic"
)
MOUTH_WIDTH = 0.56
"""Of the mean face between the outer lip corners."""
RESIDUAL_SIZE = 0.05
"""Largest displacement of a residual shape at coefficient 1."""

NOSE_WINGS = (48, 49, 64, 102, 129, 131, 238, 241, 278, 279, 294, 331, 358, 360, 458, 461)
TRUE_DEPTH = np.array([1.0, 1.0, DEPTH])
WAVES = 120
"""Surface waves that make up the residual shapes."""

_ROTATIONS = 10  # of the Procrustes mean; it has converged to 1e-6 after 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", nargs="*", type=Path)
    parser.add_argument("--provenance")
    args = parser.parse_args()
    if args.portraits and not args.provenance:
        parser.error("say with --provenance what the portraits are and who owns them")
    images = [np.array(Image.open(p).convert("RGB")) for p in args.portraits] or public_domain_portraits()
    triangles = skin_triangles()
    pairs = [landmark_pair(image) for image in images]
    mirror = mirror_index(pairs)
    mean = neutral_mouth(procrustes_mean(pairs, mirror), triangles, mirror)
    surface = Surface(mean, triangles, mirror)
    shapes = named_shapes(surface)
    shapes["mouthNeutral"] = np.zeros((LANDMARK_COUNT, 3))  # each portrait has its own
    for i, mode in enumerate(residual_modes(surface, np.stack(list(shapes.values())))):
        shapes[f"residual{i:02d}"] = mode
    np.savez_compressed(
        OUTPUT,
        mean=(mean * TRUE_DEPTH).astype(np.float32),
        expression=(np.stack([shapes[name] for name in COEFFICIENTS]) * TRUE_DEPTH).astype(np.float32),
        identity=(identity_shapes(Surface(mean, triangles, mirror, lips_sewn=True)) * TRUE_DEPTH).astype(np.float16),
        triangles=triangles,
        mouth_strip=mouth_strip(),
        eye_strips=eye_strips(),
        mirror=mirror,
        provenance=np.array(args.provenance or PROVENANCE),
    )
    print(f"{OUTPUT.name}: {OUTPUT.stat().st_size / 1000:.0f} kB from {len(images)} portraits")


def public_domain_portraits() -> list[UInt8[np.ndarray, "h w 3"]]:
    """Eileen Collins (NASA), from scikit-image, and Grace Hopper (U.S. Navy), from matplotlib."""
    import matplotlib
    from skimage import data

    hopper = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return [data.astronaut(), np.array(Image.open(hopper).convert("RGB"))]


def landmark_pair(image: UInt8[np.ndarray, "h w 3"]) -> tuple[Points, Points]:
    """Landmarks of the largest face, and those found in the mirrored photo, their x turned back."""
    turned = find_faces(np.ascontiguousarray(image[:, ::-1]))[0].astype(np.float64)
    turned[:, 0] = image.shape[1] - 1 - turned[:, 0]
    # The shapes are made on the face as the mesh has it; its depth is put right at the end.
    return find_faces(image)[0] / TRUE_DEPTH, turned / TRUE_DEPTH


def procrustes_mean(pairs: list[tuple[Points, Points]], mirror: Int32[np.ndarray, "478"]) -> Points:
    """Generalised Procrustes mean in canonical space, exactly symmetric, irises amid their eyes."""
    faces = [face for face, _ in pairs] + [turned[mirror] for _, turned in pairs]
    mean = normalised(faces[0])
    for _ in range(_ROTATIONS):
        mean = np.mean([fit_pose(face, mean).to_canonical(face) for face in faces], axis=0)
        mean = normalised(0.5 * (mean + mean[mirror] * [-1.0, 1.0, 1.0]))
    for upper, lower, iris in (
        (RIGHT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_IRIS), (LEFT_UPPER_LID, LEFT_LOWER_LID, LEFT_IRIS)
    ):  # fmt: skip
        middle = 0.5 * (mean[[upper[0], upper[-1]]].mean(0) + mean[[upper[4], lower[4]]].mean(0))
        mean[iris, :2] += middle[:2] - mean[iris[0], :2]
    return mean


def normalised(face: Points) -> Points:
    """Unit, origin and pitch of canonical space: the top of the forehead stands straight above the chin."""
    y, z = (face[CHIN] - face[FOREHEAD_TOP])[1:]
    c, s = np.array([y, z]) / np.hypot(y, z)
    face = face @ np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    unit = np.linalg.norm(face[OUTER_EYE_CORNERS[0]] - face[OUTER_EYE_CORNERS[1]])
    return np.asarray((face - face[RIGID].mean(0)) / unit)


def neutral_mouth(mean: Points, triangles: Int32[np.ndarray, "t 3"], mirror: Int32[np.ndarray, "478"]) -> Points:
    """The face with lips together, corners level with the middle, and a mouth `MOUTH_WIDTH` wide."""
    upper, lower = mean[UPPER_LIP_ROWS[-1]], mean[LOWER_LIP_ROWS[-1]]
    line = 0.5 * (upper + lower)
    half_width = mean[UPPER_LIP_ROWS[0, -1], 0]
    share = 0.5 * MOUTH_WIDTH / half_width
    bow = (line[-1, 1] - line[5, 1]) / line[-1, 0] ** 2
    handles: dict[int, tuple[float, ...]] = {}
    for rows, inner in ((UPPER_LIP_ROWS, upper), (LOWER_LIP_ROWS, lower)):
        for row in rows:
            offset = mean[row] - inner
            offset[:, 1] /= share  # a stretched lip is a thinner one
            target = line + offset
            target[:, 1] -= bow * mean[row, 0] ** 2
            target[:, 0] = share * mean[row, 0]
            handles |= {int(i): tuple(shift) for i, shift in zip(row, target - mean[row], strict=True)}
    surface = Surface(mean, triangles, mirror)
    moved = surface.spread(handles, [*FACE_OVAL, *RIGID, 64, 294, 129, 358, 50, 280])
    out = mean.copy()
    out[:SURFACE_COUNT] += moved
    for corner in (UPPER_LIP_ROWS[:, 0], UPPER_LIP_ROWS[:, -1]):
        out[corner, 1] = out[corner, 1].mean()
    join = 0.5 * (out[UPPER_LIP_ROWS[-1]] + out[LOWER_LIP_ROWS[-1]])
    out[UPPER_LIP_ROWS[-1]], out[LOWER_LIP_ROWS[-1]] = join, join
    return np.asarray(0.5 * (out + out[mirror] * [-1.0, 1.0, 1.0]))


def residual_modes(surface: Surface, named: Float[np.ndarray, "n 478 3"]) -> Float[np.ndarray, "r 478 3"]:
    """Smooth motions of lips, cheeks and brows that neither the named shapes nor a rigid motion can make.

    Low eigenfunctions of the surface, weighted by region, span the candidates. Of those that part no lips and
    are orthogonal to all named shapes and rigid motions, the smoothest are taken, symmetric and antisymmetric
    in turn.
    """
    skin = surface.points[:SURFACE_COUNT]
    root = np.sqrt(surface.area)
    eigenvalues, vectors = np.linalg.eigh(surface.laplacian / np.outer(root, root))
    waves = (vectors / root[:, None])[:, :WAVES] * region_weight(skin)[:, None]
    smooth = 1 / (eigenvalues[:WAVES] + eigenvalues[5])
    fields = np.einsum("k,vk,cd->kcvd", smooth, waves, np.diag([1.0, 1.0, 0.6])).reshape(-1, SURFACE_COUNT, 3)
    turns = np.cross(np.eye(3)[:, None], skin[None])
    shifts = np.broadcast_to(np.eye(3)[:, None], turns.shape)
    parted = np.zeros((len(UPPER_LIP), SURFACE_COUNT))
    parted[np.arange(len(UPPER_LIP)), UPPER_LIP] += 1
    parted[np.arange(len(LOWER_LIP)), LOWER_LIP] -= 1
    openings = np.einsum("pv,cd->pcvd", parted, np.eye(3)).reshape(-1, SURFACE_COUNT, 3)
    taken = np.concatenate([named[:, :SURFACE_COUNT], turns, shifts, openings])
    taken = taken.reshape(-1, SURFACE_COUNT * 3)
    mirrored = fields[:, surface.mirror[:SURFACE_COUNT]] * [-1.0, 1.0, 1.0]
    kinds = []
    for sign, count in ((1, (RESIDUAL_COUNT + 1) // 2), (-1, RESIDUAL_COUNT // 2)):
        half = (fields + sign * mirrored).reshape(len(fields), -1)
        left, sizes, _ = np.linalg.svd(half @ taken.T)
        free = left[:, int((sizes > 1e-9 * sizes[0]).sum()) :]
        kinds.append(np.linalg.svd(free.T @ half, full_matrices=False)[2][:count])
    order = [kinds[i % 2][i // 2] for i in range(RESIDUAL_COUNT)]
    out = np.zeros((RESIDUAL_COUNT, LANDMARK_COUNT, 3))
    out[:, :SURFACE_COUNT] = np.reshape(order, (RESIDUAL_COUNT, SURFACE_COUNT, 3))
    largest = np.linalg.norm(out, axis=2).max(1)
    return np.asarray(out * (RESIDUAL_SIZE / largest)[:, None, None])


def region_weight(skin: Float[np.ndarray, "468 3"]) -> Float[np.ndarray, "468"]:
    """1 around lips, cheeks and brows, 0 at the eyes and the nose, smooth between."""
    weight = np.zeros(SURFACE_COUNT)
    for index, radius in ((13, 0.34), (152, 0.26), (425, 0.22), (205, 0.22), (105, 0.2), (334, 0.2), (9, 0.14)):
        weight += np.exp(-0.5 * ((skin - skin[index]) ** 2).sum(1) / radius**2)
    eyes = (*RIGHT_UPPER_LID, *RIGHT_LOWER_LID, *LEFT_UPPER_LID, *LEFT_LOWER_LID)
    for index in (*eyes, *NOSE_WINGS, *RIGID):
        distance = ((skin - skin[index]) ** 2).sum(1)
        weight *= 1 - np.exp(-0.5 * distance / 0.06**2)
    return np.minimum(weight, 1.0)


if __name__ == "__main__":
    main()
