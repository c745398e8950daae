"""The fused renderer gives what the plain one gives, and its kernels can be compiled for a GPU that is not there."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
triton = pytest.importorskip("triton", reason="the fused renderer's kernels are Triton's")

SIZES = {"AXES": ((0, 1), (0, 2), (2, 0)), "PLANES": 3, "HEIGHT": 256, "WIDTH": 256, "CHANNELS": 32, "HIDDEN": 64}
CUT = {"PRECISION": "ieee", "ACROSS": 8, "DOWN": 4}


@pytest.fixture(scope="module")
def apart() -> dict[str, dict[str, Any]]:
    """What `interpreted_volume` prints."""
    command = [sys.executable, "-m", "tests.models.interpreted_volume"]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    root = Path(__file__).parents[2]
    out = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("case", "most"),
    [
        ("one", 1e-5),
        ("half", 1e-3),
        ("two, odd, wide", 1e-5),
        ("many", 1e-5),
        ("goha", 1e-5),
        ("talk3d", 1e-5),
        ("goha, half", 2e-3),
        ("talk3d, half", 2e-3),
    ],
)
def test_equals_the_plain_renderer(apart: dict[str, dict[str, float]], case: str, most: float) -> None:
    found = apart[case]
    assert 0.05 < found["seen"] < 0.95
    assert (found["missing"] > 0.1) == (case == "two, odd, wide")
    assert max(found["features"], found["opacity"], found["depth"]) < most


@pytest.mark.timeout(300)
def test_what_sees_nothing_is_as_far_as_its_own_camera_sees(apart: dict[str, dict[str, list[float]]]) -> None:
    nearest, nearest_of_other, farthest, farthest_of_other = apart["nothing"]["fused"]
    assert apart["nothing"]["plain"] == pytest.approx(apart["nothing"]["fused"], rel=1e-6)
    assert nearest == farthest and nearest_of_other == farthest_of_other > farthest + 1


@pytest.mark.timeout(300)
def test_the_nearest_point_is_found_the_first_of_equals(apart: dict[str, dict[str, float]]) -> None:
    found = apart["nearest"]
    assert found["most"] < 1e-6 and found["last"] < 100 and found["kinds"] > 20


@pytest.mark.parametrize(
    ("name", "constants", "warps", "uses"),
    [
        ("to_texels", {**SIZES, "BLOCK": 64}, 4, "ld.global"),
        ("look_at_coarse", {**SIZES, **CUT, "STEPS": 8}, 2, "mma"),
        ("choose_depths", {"BLOCK": 32}, 1, "ex2.approx"),
        ("march", {**SIZES, **CUT, "COLOURS": 32}, 2, "mma"),
        ("find_nearest", {"PLACES": 32, "POINTS": 64}, 4, "ld.global"),
    ],
)
def test_compiles_for_hopper(
    name: str, constants: dict, warps: int, uses: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from models import volume_kernels
    from models.goha import nearest_kernels

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel = getattr(nearest_kernels if name == "find_nearest" else volume_kernels, name)
    whole = {"side", "rays", "coarse", "fine", "n", "m"}
    halves = {"other", "texels", "hidden_weight", "colour_weight"}

    def kind(argument: str) -> str:
        if argument in constants:
            return "constexpr"
        if argument == "scale":
            return "fp32"
        if argument in whole or argument.startswith(("one_", "other_")):
            return "i32"
        if argument == "found":
            return "*i64"
        return "*fp16" if argument in halves else "*fp32"

    signature = {argument: kind(argument) for argument in kernel.arg_names}
    known = {(k,): constants[a] for k, a in enumerate(kernel.arg_names) if a in constants}
    target, options = GPUTarget("cuda", 90, 32), {"num_warps": warps, "num_stages": 1, "enable_fp_fusion": True}
    code = triton.compile(ASTSource(kernel, signature, known), target=target, options=options)
    assert uses in code.asm["ptx"]
    assert ".local" not in code.asm["ptx"]
    assert len(code.asm["cubin"]) > 0
