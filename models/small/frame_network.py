"""Everything that runs once per frame, as executors call it."""

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from models.backends.picture_bytes import to_picture
from models.small.model import SmallModel
from models.small.reading import pixel_centres
from models.small.renderer import Planes
from models.small.settings import RAYS, SAMPLES


class FrameNetwork(nn.Module):
    """The portrait's tensors and the fresh ones, one by one, in; the head before nothing out."""

    def __init__(self, model: SmallModel, samples: int = SAMPLES[0]) -> None:
        """Several may share a model; `samples`: along each ray."""
        super().__init__()
        self.model, self._samples = model, samples
        self.pixels: Tensor
        self.register_buffer("pixels", pixel_centres(RAYS))

    def forward(
        self,
        front: Float[Tensor, "b 18 64 64"],
        across: Float[Tensor, "b 16 64 64"],
        condition: Float[Tensor, "b 32 64 64"],
        texture: Float[Tensor, "b 4 256 256"],
        skin: Float[Tensor, "b 3 160 160"],
        codes: Float[Tensor, "b 3 160 160"],
        places: Float[Tensor, "b 4 160 160"],
        target: Float[Tensor, "b 3 160 160"],
        rotation: Float[Tensor, "b 3 3"],
    ) -> UInt8[Tensor, "b 256 256 4"]:
        """RGB, multiplied by alpha, and alpha."""
        change = self.model.adapter(codes, target, places, condition)
        planes = Planes(front, across)
        head = self.model.draw(planes, texture, skin, change, rotation, self.pixels, RAYS, self._samples)
        return to_picture(2 * head - 1)
