"""The motion adapter and the renderer for one frame, folded."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.real3d.folding import convolution, linear
from models.real3d.image_to_plane import as_planes
from models.real3d.levels import Level
from models.real3d.motion_adapter import FuseHead, MotionAdapter
from models.real3d.portrait_state import MERGED_AXES, merge_planes
from models.real3d.super_resolution import Head
from models.real3d.video_model import CUBE, PLANE_AXES, as_head
from models.triplane import FieldDecoder, LookUp, Points, Sample, look_up, read_sample
from models.volume import camera_rays, render


class FoldedFuseHead(nn.Module):
    """Projection, fusion and norm are linear: each stage's map goes through one convolution, at its own size."""

    def __init__(self, head: FuseHead) -> None:
        super().__init__()
        fuse, norm = head.linear_fuse.conv.weight, head.linear_fuse.bn
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        bias = norm.bias - scale * norm.running_mean
        self.stages = nn.ModuleList()
        projections = (head.linear_c4, head.linear_c3, head.linear_c2, head.linear_c1)
        for projection, part in zip(projections, fuse[:, :, 0, 0].chunk(4, 1), strict=True):
            scaled = scale[:, None] * part
            bias = bias + scaled @ projection.proj.bias
            self.stages.insert(0, convolution((scaled @ projection.proj.weight)[:, :, None, None], None))
        finest = self.stages[0]
        assert isinstance(finest, nn.Conv2d)
        self.stages[0] = convolution(finest.weight, bias)

    def forward(self, maps: list[Float[Tensor, "b _ _ _"]]) -> Float[Tensor, "b 256 _ _"]:
        """The fused map, as large as the first of `maps`."""
        finest, *coarser = (stage(x) for stage, x in zip(self.stages, maps, strict=True))
        for x in coarser:
            finest = finest + functional.interpolate(x, finest.shape[2:], mode="bilinear", align_corners=False)
        return functional.relu_(finest)


class FoldedAdapter(nn.Module):
    """Motion adapter whose canonical and source images are constants."""

    def __init__(self, adapter: MotionAdapter) -> None:
        super().__init__()
        self.prenet = convolution(adapter.prenet.scaled_weight()[:, 6:], None)
        self.mix_vit = adapter.mix_vit
        self.fuse_head = FoldedFuseHead(adapter.fuse_head)
        self.to_plane_cnn = adapter.to_plane_cnn

    def forward(
        self, constant: Float[Tensor, "b 3 512 512"], pncc_target: Float[Tensor, "b 3 512 512"]
    ) -> Float[Tensor, "b 2 32 256 256"]:
        """What to add to the portrait's merged planes."""
        maps = self.mix_vit(self.prenet(pncc_target) + constant)
        return merge_planes(as_planes(self.to_plane_cnn(self.fuse_head(maps))))


class FoldedRenderer(nn.Module):
    """Renderer of merged planes; the mean over planes and the equalised weights are part of the layers."""

    def __init__(self, decoder: FieldDecoder, look_up: LookUp = look_up) -> None:
        super().__init__()
        self._look_up = look_up
        first, last = decoder.layers()
        of_mean = linear(first.scaled_weight() / len(PLANE_AXES), first.bias)
        self.net = nn.Sequential(of_mean, nn.Softplus(), linear(last.scaled_weight(), last.bias))

    def forward(
        self,
        planes: Float[Tensor, "b 2 32 256 256"],
        change: Float[Tensor, "b 2 32 256 256"],
        camera: Float[Tensor, "b 25"],
        level: Level,
    ) -> Head:
        """The head as the camera sees it, its planes the sum of two."""
        planes = planes + change.to(planes.dtype)

        def field(points: Points) -> Sample:
            return read_sample(self.net(self._look_up(planes, points * (2 / CUBE), MERGED_AXES)))

        seen = render(field, camera_rays(camera, level.side), CUBE, level.even, level.drawn)
        return as_head(seen, level.side)
