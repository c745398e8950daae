"""Parts of the frame network, small, by ONNX Runtime as torch has them."""

from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from models.backends.onnx_file import export
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.picture_bytes import to_picture
from models.backends.spec import NetworkSpec, TensorSpec
from models.real3d.folded import BackgroundFusion, HeadTorsoFusion
from models.real3d.folded_adapter import FoldedFuseHead
from models.real3d.folded_torso import DepthConstantConv
from models.real3d.folding import without_norms
from models.real3d.image_to_plane import PlanePredictor, as_planes, conv3
from models.real3d.motion_adapter import FuseHead
from models.real3d.portrait_state import MERGED_AXES
from models.real3d.super_resolution import person_mask
from models.real3d.torso_layers import ConvNormAct, ResBlock, doublings, halvings
from models.real3d.torso_motion import blend, candidate_motions, cell_centres, deform, heat
from models.segformer import MixTransformer
from models.stylegan import StyledBlock, SynthesisBlock
from models.triplane import FieldDecoder, look_up
from models.volume import camera_rays, render
from models.voxels import look_into
from tests.models.real3d.test_folding import randomised

CAMERA = torch.tensor([[1.0, 0, 0, 0, 0, -1, 0, 0.1, 0, 0, -1, 2.7, 0, 0, 0, 1, 4.2, 0, 0.5, 0, 4.2, 0.5, 0, 0, 1]])

ASIDE = torch.tensor(
    [[0.96, 0, -0.28, 0.6, 0, -1, 0, 0, -0.28, 0, -0.96, 2.5, 0, 0, 0, 1, 4, 0, 0.5, 0, 4, 0.5, 0, 0, 1]]
)


class Rendering(nn.Module):
    """The renderer: few rays, of which some miss the cube."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = FieldDecoder(8, 16, 4)

    def forward(self, planes: Tensor, camera: Tensor) -> Tensor:
        field = lambda points: self.decoder(look_up(planes, points * 2, MERGED_AXES))  # noqa: E731
        seen = render(field, camera_rays(camera, 12), 1.0, 12, 12)
        return torch.cat([seen.features, seen.opacity], -1)


class Motions(nn.Module):
    """Candidate motions, their heat, what they deform, and their blend."""

    def forward(self, features: Tensor, source: Tensor, driving: Tensor) -> Tensor:
        cells = cell_centres(features)
        motions = candidate_motions(source, driving, cells)
        deformed = deform(features, motions)
        field = blend(deformed[:, :, 0] + heat(source[:, :1], cells), motions)
        return look_into(features, field, beyond="border")


class Torso(nn.Module):
    """Folded 3-D U-net and 2-D blocks."""

    def __init__(self) -> None:
        super().__init__()
        unet = nn.Sequential(*halvings(3, (2, 4, 8)), *doublings(3, (8, 4, 2)), ResBlock(3, 2))
        flat = nn.Sequential(ConvNormAct(2, 32, 8, spectral=True, slope=0.2), ResBlock(2, 8, spectral=True))
        self.deep, self.flat = without_norms(randomised(unet)), without_norms(randomised(flat))
        self.fuser = DepthConstantConv(torch.randn(2, 8, 7, 7, 7))

    def forward(self, x: Tensor) -> Tensor:
        return self.fuser(self.flat(self.deep(x).flatten(1, 2)))


class Composite(nn.Module):
    """Both fusions, masks, a styled block that doubles, and bytes."""

    def __init__(self) -> None:
        super().__init__()
        after_torso = randomised(nn.Sequential(conv3(512, 256), nn.LeakyReLU(0.01), conv3(256, 256)))
        self.fuse_torso = HeadTorsoFusion(after_torso, randomised(nn.Conv2d(64, 256, 1)))
        self.fuse_background = BackgroundFusion(
            randomised(nn.Sequential(nn.Conv2d(512, 64, 1), nn.LeakyReLU(0.01), conv3(64, 256)))
        )
        self.block = StyledBlock(randomised(SynthesisBlock(256, 16, 8, side=16, up=True)), torch.ones(8))

    def forward(self, head: Tensor, hidden: Tensor, opacity: Tensor) -> Tensor:
        x = self.fuse_torso(head, hidden, opacity)
        x = self.fuse_background(x, hidden, person_mask(opacity, hidden[:, :1].sigmoid()))
        return self.block(x, x[:, :3])[1]


class Adapter(nn.Module):
    """Transformer, fusion, planes."""

    def __init__(self) -> None:
        super().__init__()
        self.mix_vit = MixTransformer()
        self.fuse_head = FoldedFuseHead(randomised(FuseHead()))
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)

    def forward(self, image: Tensor) -> Tensor:
        return as_planes(self.up(self.fuse_head(self.mix_vit(image)))[:, :96])


PARTS: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] = {
    "renderer": (Rendering(), (torch.randn(1, 2, 8, 16, 16), CAMERA)),
    "motions": (Motions(), (torch.randn(1, 2, 16, 64, 64), torch.rand(1, 4, 3) - 0.5, torch.rand(1, 4, 3) - 0.5)),
    "torso": (Torso(), (torch.randn(1, 2, 16, 8, 8),)),
    "composite": (Composite(), (torch.randn(1, 256, 8, 8), torch.randn(1, 64, 8, 8), torch.rand(1, 1, 8, 8))),
    "adapter": (Adapter(), (torch.randn(1, 3, 64, 64),)),
    "image to plane": (PlanePredictor(), (torch.randn(1, 96, 16, 16), torch.randn(1, 96, 16, 16))),
}


def exported(network: nn.Module, inputs: tuple[Tensor, ...], path: Path) -> tuple[Tensor, Tensor]:
    """What torch gives for these inputs, and ONNX Runtime with a network that was traced on others."""
    with torch.inference_mode():
        want = network(*inputs)
    dtype = str(want.dtype).removeprefix("torch.")
    spec = NetworkSpec(
        "part",
        tuple(TensorSpec(f"x{i}", tuple(x.shape)) for i, x in enumerate(inputs)),
        TensorSpec("y", tuple(want.shape), dtype),
    )
    other = [ASIDE if x is CAMERA else x.flip(-1) for x in inputs]
    export(network, spec, other, path)
    return OnnxNetwork(path, spec, threads=2)(*inputs), want


@pytest.mark.parametrize("part", PARTS)
def test_parts_are_the_same_by_onnx_runtime(part: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, inputs = PARTS[part]
    got, want = exported(randomised(network), inputs, tmp_path / "part.onnx")
    assert want.std() > 0.01
    assert (got - want).norm() <= 1e-4 * want.norm()
    operations = {node.op_type for node in onnx.load(tmp_path / "part.onnx").graph.node}
    assert not operations & {"NonZero", "Loop", "Scan", "If", "CumSum", "RandomUniformLike"}, "TensorRT wants none"
    assert ("GridSample" in operations) == (part == "renderer"), "volumes are read cell by cell"


def test_pictures_are_cut_off_alike(tmp_path: Path) -> None:
    class Bytes(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return to_picture(image)

    image = torch.linspace(-1, 1, 3 * 512 * 512).reshape(1, 3, 512, 512)
    got, want = exported(Bytes(), (image,), tmp_path / "bytes.onnx")
    assert torch.equal(got, want) and got.unique().tolist() == list(range(256))


@pytest.mark.parametrize(
    "wrong", [torch.zeros(1, 2, dtype=torch.float64), torch.zeros(2, 1), torch.zeros(1, 2, device="meta")]
)
def test_memory_of_another_kind_is_not_handed_over(wrong: Tensor, tmp_path: Path) -> None:
    spec = NetworkSpec("part", (TensorSpec("x", (1, 2)),), TensorSpec("y", (1, 2)))
    export(nn.ReLU(), spec, [torch.zeros(1, 2)], tmp_path / "part.onnx")
    network = OnnxNetwork(tmp_path / "part.onnx", spec)
    assert network(torch.tensor([[-1.0, 1.0]])).tolist() == [[0, 1]]
    with pytest.raises(AssertionError, match="x: "):
        network(wrong)


def test_an_input_that_nothing_looks_at_may_be_given(tmp_path: Path) -> None:
    class First(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return 2 * x

    network, inputs = First(), (torch.ones(1, 2), torch.ones(3))
    got, want = exported(network, inputs, tmp_path / "first.onnx")
    assert [given.name for given in onnx.load(tmp_path / "first.onnx").graph.input] == ["x0"]
    assert torch.equal(got, want)
