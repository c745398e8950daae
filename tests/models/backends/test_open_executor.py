"""Backends by name: what a machine lacks is said in one line, and auto takes what draws the same."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from golden.dense_face import dense_face

from models.backends import best_executor, open_executor, tensorrt
from models.backends.best_executor import agreement_db
from models.backends.built import BuiltFiles, sources_of
from models.backends.executor import Executor
from models.backends.open_executor import Backend
from models.backends.spec import NetworkSpec
from models.errors import AgentError, InputError
from models.real3d.drive import Drive
from models.real3d.networks import FRESH_SHAPES, LAYOUT, PORTRAIT_SHAPES
from models.real3d.paper import Real3dPaper, real3d_paper
from models.real3d.portrait_state import FEATURES, PortraitState
from models.real3d.trial import second_drive, trial, trial_drive, trial_portrait
from models.real3d.video_model import PortraitParts, VideoModel


@pytest.fixture
def paper() -> Real3dPaper:
    """Shapes alone."""
    with torch.device("meta"):
        return real3d_paper(VideoModel().eval().requires_grad_(False), dense_face())


class Fake:
    """An executor whose pictures are of one shade, brighter for the other drive."""

    def __init__(self, name: str, shade: int) -> None:
        self.name, self.shade, self.closed = name, shade, False
        self.levels, self.device = 1, torch.device("cpu")

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        return PortraitState(*[torch.zeros(1)] * len(PORTRAIT_SHAPES))

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> np.ndarray:
        brighter = 0 if torch.equal(drive.camera, trial_drive().camera) else 20
        return np.full((512, 512, 3), self.shade + brighter, np.uint8)

    def close(self) -> None:
        self.closed = True


class Frozen(Fake):
    """Draws the drive that it was captured with, always."""

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> np.ndarray:
        return super().frame(state, trial_drive())


class Graded(Fake):
    """Draws at two levels, the second in another shade than others do."""

    def __init__(self, name: str, shade: int, second: int) -> None:
        super().__init__(name, shade)
        self.levels, self.second = 2, second

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> np.ndarray:
        return super().frame(state, drive, level) if level == 0 else np.full((512, 512, 3), self.second, np.uint8)


class Machine:
    """A machine with a GPU whose backends draw in these shades; an error is raised instead."""

    def __init__(self, paper: Real3dPaper, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.paper, self.folder, self.said, self.opened, self.asked = paper, folder, [], [], []
        self.built: dict[str, int | Exception] = {}
        self.builds = 0
        self.graphed: dict[str, int | Exception] = {"float16": 100, "float32": 100}
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")
        monkeypatch.setattr(tensorrt, "require_tensorrt", lambda: SimpleNamespace(__version__="10"))
        monkeypatch.setattr(open_executor, "fingerprint", lambda model, sources: "0123")
        monkeypatch.setattr(open_executor, "TorchExecutor", lambda paper, device: Fake("torch cuda", 100))
        built = lambda paper, stored, path: self._open(f"tensorrt {stored}", self.built[stored])  # noqa: E731
        monkeypatch.setattr(open_executor, "_built", built)
        graphed = lambda paper, stored: self._open(f"cudagraph {stored}", self.graphed[stored])  # noqa: E731
        monkeypatch.setattr(open_executor, "_graphed", graphed)

    def has_built(self, stored: str, shade: int | Exception, content: str = "") -> None:
        """From now on; the newest."""
        path = self.folder / "0123" / tensorrt.engine_name(LAYOUT.frame_spec(stored))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        self.builds += 1
        os.utime(path, (self.builds, self.builds))
        self.built[stored] = shade

    def _open(self, name: str, shade: int | Exception) -> Fake:
        assert all(executor.closed for executor in self.opened), "one at a time on the device"
        if isinstance(shade, Exception):
            raise shade
        self.opened.append(Fake(name, shade))
        return self.opened[-1]

    def open(self, backend: Backend = "auto") -> Executor:
        self.opened.clear()
        return open_executor.open_executor(backend, self.paper, self.folder, self.said.append)


@pytest.fixture
def machine(paper: Real3dPaper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(paper, monkeypatch, tmp_path)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(open_executor, "fingerprint", lambda model, sources: "0123")


@pytest.mark.parametrize("backend", ["cudagraph", "tensorrt"])
def test_without_a_gpu_one_line_says_so(no_gpu: None, paper: Real3dPaper, tmp_path: Path, backend: Backend) -> None:
    with pytest.raises(InputError, match="needs an NVIDIA GPU, and torch finds none"):
        open_executor.open_executor(backend, paper, tmp_path, print)


def test_without_tensorrt_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    with pytest.raises(InputError, match=r"\.venv/bin/pip install -e '\.\[tensorrt\]'"):
        tensorrt.require_tensorrt()


def test_auto_takes_the_first_that_draws_the_same(machine: Machine) -> None:
    assert machine.open().name == "cudagraph float16"
    machine.has_built("float16", 101)
    assert machine.open().name == "tensorrt float16"
    assert machine.said == []


def test_of_several_engines_the_newest_is_taken_and_the_others_are_candidates_too(machine: Machine) -> None:
    machine.has_built("float16", 101)
    machine.has_built("float32", 100)
    assert machine.open("tensorrt").name == machine.open().name == "tensorrt float32"
    machine.has_built("float16", 110, "built again")
    assert machine.open("tensorrt").name == machine.open().name == "tensorrt float32"
    assert (
        machine.said
        == ["backend tensorrt float16 is passed over: its picture is 28.1 dB from the reference's, not 45"] * 2
    )


def test_a_graph_of_wider_features_is_taken_where_16_bits_are_too_few(machine: Machine) -> None:
    machine.graphed["float16"] = 110
    assert machine.open("cudagraph").name == machine.open().name == "cudagraph float32"
    told = "backend cudagraph float16 is passed over: its picture is 28.1 dB from the reference's, not 45"
    assert machine.said == [told] * 2
    machine.graphed["float32"] = RuntimeError("out of memory")
    assert machine.open().name == "torch cuda"
    with pytest.raises(AgentError, match="no CUDA graph draws what the reference draws: use --backend auto"):
        machine.open("cudagraph")


def test_nothing_built_is_said(machine: Machine) -> None:
    with pytest.raises(InputError, match="agent models build real3d --backend tensorrt"):
        machine.open("tensorrt")
    machine.has_built("float32", 110)
    with pytest.raises(AgentError, match="nothing that TensorRT has built draws what the reference draws") as caught:
        machine.open("tensorrt")
    assert caught.value.exit_code == 1 and len(machine.said) == 1


class RuntimesError(Exception):
    """As ONNX Runtime's and Triton's: of no common kind."""


def test_auto_passes_over_what_is_not_there_or_broken(machine: Machine) -> None:
    machine.has_built("float16", InputError("none is here"))
    assert machine.open().name == "cudagraph float16"
    assert machine.said.pop() == "backend tensorrt float16 does not work here: none is here"
    machine.has_built("float16", AgentError("cannot be used\nhere"))
    machine.has_built("float32", RuntimesError())
    machine.graphed = dict.fromkeys(machine.graphed, RuntimeError("out of memory"))
    assert machine.open().name == "torch cuda"
    assert machine.said == [
        "backend tensorrt float32 does not work here: RuntimesError",
        "backend tensorrt float16 does not work here: cannot be used",
        "backend cudagraph float16 does not work here: out of memory",
        "backend cudagraph float32 does not work here: out of memory",
    ]


def test_one_that_opens_and_cannot_draw_is_closed_before_the_next(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has_built("float16", 7)
    draw = Fake.frame

    def frame(fake: Fake, state: PortraitState, drive: Drive, level: int) -> np.ndarray:
        if fake.shade == 7:
            raise RuntimesError("no kernel")
        return draw(fake, state, drive, level)

    monkeypatch.setattr(Fake, "frame", frame)
    assert machine.open().name == "cudagraph float16"
    assert [executor.closed for executor in machine.opened] == [True, False]
    assert machine.said == ["backend tensorrt float16 does not work here: no kernel"]


def test_auto_passes_over_what_draws_otherwise_and_remembers(machine: Machine) -> None:
    machine.has_built("float16", 103)
    for _ in range(2):
        assert machine.open().name == "cudagraph float16"
        assert machine.said.pop() == (
            "backend tensorrt float16 is passed over: its picture is 38.6 dB from the reference's, not 45"
        )
        assert [executor.closed for executor in machine.opened] == [True, False]
        machine.built["float16"] = 100  # which is not looked at, as it was measured before
    machine.has_built("float16", 100, "built again")
    assert machine.open().name == "tensorrt float16", "another file, another verdict"


@pytest.mark.parametrize(
    ("what", "changed"), [("machine", lambda: "driver 2"), ("recipe", lambda *modules: "of another program")]
)
def test_on_a_machine_or_by_a_program_that_changed_it_is_measured_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, what: str, changed: object
) -> None:
    machine.has_built("float16", 103)
    assert machine.open().name == "cudagraph float16"
    machine.built["float16"] = 100
    monkeypatch.setattr(best_executor, what, changed)
    assert machine.open().name == "tensorrt float16"


def test_a_verdict_is_of_all_that_draws(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(best_executor, "recipe", lambda *modules: (asked.extend(modules), "")[1])
    machine.open()
    names = {path.relative_to(Path(open_executor.__file__).parents[1]).as_posix() for path in sources_of(*asked)}
    assert {
        *(f"real3d/{name}.py" for name in ("fused_renderer", "torch_pncc", "torch_blink", "painter", "trial", "paper")),
        *(f"backends/{name}.py" for name in ("graph_executor", "cuda_graph", "static_inputs", "onnx_executor")),
        *("volume_triton.py", "volume_kernels.py", "torch_raster.py", "backends/verdict.py"),
    } <= names
    assert not names & {"real3d/avatar.py", "builtin/avatar.py", "goha/paper.py"}


def test_a_verdict_that_cannot_be_kept_counts(machine: Machine) -> None:
    (machine.folder / "0123").touch()
    assert machine.open().name == "cudagraph float16" and machine.said == []


def test_auto_without_a_gpu_is_torch_and_exports_nothing(
    no_gpu: None, paper: Real3dPaper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(open_executor, "TorchExecutor", lambda paper, device: Fake(f"torch {device.type}", 100))
    assert open_executor.open_executor("auto", paper, tmp_path, print).name == "torch cpu"
    assert list(tmp_path.iterdir()) == []


def test_agreement_is_of_the_pictures() -> None:
    assert agreement_db(Fake("a", 7), Fake("b", 7), trial) == 99 > agreement_db(Fake("a", 7), Fake("b", 9), trial) > 40


def test_agreement_is_that_of_the_worst_level_that_both_have() -> None:
    assert agreement_db(Graded("a", 7, 50), Graded("b", 7, 50), trial) == 99
    assert agreement_db(Graded("a", 7, 50), Graded("b", 7, 90), trial) < 20
    assert (
        agreement_db(Graded("a", 7, 50), Fake("b", 7), trial)
        == agreement_db(Fake("a", 7), Graded("b", 7, 90), trial)
        == 99
    )


def test_what_is_frozen_in_shows() -> None:
    assert agreement_db(Fake("a", 7), Frozen("b", 7), trial) < 45
    assert all(not torch.equal(one, other) for one, other in zip(trial_drive(), second_drive(), strict=True))


def test_a_network_is_named_by_the_modules_that_define_it(paper: Real3dPaper) -> None:
    names = {
        path.relative_to(Path(open_executor.__file__).parents[1]).as_posix()
        for path in sources_of(*paper.defined_in, "models.backends.onnx_file")
    }
    assert {"real3d/folded.py", "stylegan.py", "volume.py", "triplane.py", "backends/onnx_file.py"} <= names
    assert not names & {"real3d/avatar.py", "backends/open_executor.py", "builtin/avatar.py", "weight_store.py"}


def test_an_export_leaves_nothing_of_other_weights_but_what_is_being_made_of_them(
    paper: Real3dPaper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("a" * 16, "b" * 16, "c" * 16):
        (tmp_path / name).mkdir()
    made_s = (tmp_path / ("a" * 16)).stat().st_mtime - 4000
    os.utime(tmp_path / ("a" * 16), (made_s, made_s))
    (tmp_path / "timing.cache").touch()
    monkeypatch.setattr(open_executor, "export", lambda network, spec, example, path: path.touch())
    paper = replace(paper, exported=lambda stored: torch.nn.Identity())
    path = open_executor.exported_frame(paper, BuiltFiles(tmp_path / ("b" * 16)), "float32", print)
    assert path.is_file() and sorted(x.name for x in tmp_path.iterdir()) == ["b" * 16, "c" * 16, "timing.cache"]


def test_the_spec_is_that_of_the_tensors(paper: Real3dPaper) -> None:
    portrait, drive = trial_portrait(), trial_drive()
    state = paper.prepared(portrait.to(torch.device("meta")), torch.float16)
    turned = replace(paper, prepare=lambda parts: PortraitState(*(x.transpose(1, 2) for x in state)))
    assert all(tensor.is_contiguous() for tensor in turned.prepared(portrait, torch.float16))
    for batch in (1, 2):
        painted, driven = LAYOUT.frame_spec("float16", batch), LAYOUT.driven_spec("float16", batch)
        assert [tensor.name for tensor in painted.inputs] == [*PortraitState._fields, *FRESH_SHAPES]
        assert [tensor.name for tensor in driven.inputs] == [*PortraitState._fields, *Drive._fields]
        fresh = (portrait.pncc_source, drive.camera, drive.key_points)
        for spec, new in ((painted, fresh), (driven, drive)):
            for tensor, value in zip(spec.inputs, (*state, *new), strict=True):
                assert (tensor.shape, tensor.torch_dtype) == ((batch, *value.shape[1:]), value.dtype)
    assert {t.name for t in LAYOUT.frame_spec("float16").inputs if t.dtype == "float16"} == set(FEATURES)
    assert isinstance(spec, NetworkSpec) and spec.output.shape == (2, 512, 512, 3)


def test_the_trial_shows_a_head() -> None:
    portrait = trial_portrait()
    assert portrait.segments.sum(1).eq(1).all() and portrait.segments.mean((0, 2, 3))[[0, 2, 3, 4]].min() > 0.02
    assert portrait.head.abs().max() <= 1 and portrait.head[0, :, 0, 0].tolist() == [-1, -1, -1]
