"""Talk3D, stage by stage, against the released code.

The released code ran on a CPU in float32, its random draws replaced: samples in the middle of what they are shaken
over, fine ones evenly spread, the restoration's noise the one that is stored with its weights.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from golden import talk3d_inputs as inputs
from golden.fill import read_manifest
from golden.stages import Comparison
from golden.talk3d_fill import fill
from golden.talk3d_inputs import GOLDEN, MANIFEST, SIDE_PX, YAW_PITCH
from golden.talk3d_stages import STAGES
from models.gfpgan.restoration import Restoration
from models.talk3d.audio_windows import frame_sound, window
from models.talk3d.camera import camera_label
from models.talk3d.conditions import ANGLE_BANDS, EYE_BANDS, LANDMARK_BANDS, Conditions, sinusoids
from models.talk3d.delta_planes import DeltaPlanePredictor
from models.talk3d.generator import CUBE, PLANE_AXES, Generator
from models.talk3d.model import Talk3D, enlarged, load_talk3d
from models.talk3d.places import place_code
from models.talk3d.pose import reported_angles, solved_angles
from models.talk3d.split import NAMES, roll_out
from models.triplane import look_up
from models.volume import camera_rays


def filled_weights(*networks: str) -> dict[str, Tensor]:
    """Made by rule: of these networks of `Talk3D`, under the names that they have there."""
    names = {name: shape for name, shape in read_manifest(MANIFEST).items() if name.startswith(networks)}
    weights = {name.replace("/", "."): torch.from_numpy(values) for name, values in fill(names).items()}
    if "conditions" in networks:
        weights["conditions.null_vector"] = inputs.frame_and_null()[1]
    return weights


def filled_model(restored: bool = False) -> Talk3D:
    """All that a frame needs; `restored`: with GFPGAN in place of the generator's super-resolution."""
    networks = ("generator", "deltaplane_predictor", "conditions", *(("restoration",) if restored else ()))
    return load_talk3d(filled_weights(*networks))


class Talk3DRun:
    """The networks on their way through the golden inputs. Each group computes what it needs."""

    def __init__(self) -> None:
        self.comparison = Comparison(GOLDEN, STAGES)
        self.measure = self.comparison.measure
        with torch.device("meta"):
            self._model = Talk3D(restored=True)
        self._filled: set[str] = set()

    def network(self, name: str) -> nn.Module:
        """One of the networks of `Talk3D`, filled when it is first asked for."""
        network = self._model.get_submodule(name)
        if name not in self._filled:
            weights = {key.removeprefix(f"{name}."): values for key, values in filled_weights(name).items()}
            network.load_state_dict(weights, strict=True, assign=True)
            network.eval().requires_grad_(False)
            self._filled.add(name)
        return network

    @property
    def generator(self) -> Generator:
        network = self.network("generator")
        assert isinstance(network, Generator)
        return network

    @property
    def predictor(self) -> DeltaPlanePredictor:
        network = self.network("deltaplane_predictor")
        assert isinstance(network, DeltaPlanePredictor)
        return network

    @cached_property
    def neutral(self) -> Tensor:
        return self.generator.backbone.synthesis(inputs.latent())

    def tell(self) -> None:
        conditions, (frame, _) = self.network("conditions"), inputs.frame_and_null()
        assert isinstance(conditions, Conditions)
        windows = conditions.audio_net(frame.sound[0])
        self.measure("tokens.windows", windows)
        self.measure("tokens.speech", conditions.audio_att_net(windows[None]))
        self.measure("tokens.eye_waves", sinusoids(frame.eye, EYE_BANDS))
        self.measure("tokens.angles_waves", sinusoids(frame.angles, ANGLE_BANDS))
        self.measure("tokens.landmarks_waves", sinusoids(frame.landmarks.flatten(1), LANDMARK_BANDS))
        tokens = conditions(frame)
        self.measure("tokens.eye", tokens[:, 1:2])
        self.measure("tokens.angles", tokens[:, 3:4])
        self.measure("tokens.landmarks", tokens[:, 4:5])
        self.measure("tokens.all", tokens)

    def look_up(self) -> None:
        self.measure("field.cameras", torch.from_numpy(np.stack([camera_label(*angles) for angles in YAW_PITCH])))
        self.measure("field.frontal_camera", torch.from_numpy(camera_label(0, 0))[None])
        frontal = inputs.stored("field.frontal_camera")[None]
        self.measure("field.latent", self.generator.backbone.mapping(inputs.normal("z", 1, 512), frontal))
        rays = camera_rays(inputs.camera(), self.generator.size.rendered)
        self.measure("field.origins", rays.origins.expand_as(rays.directions))
        self.measure("field.directions", rays.directions)
        seen = self.generator.decoder(inputs.normal("dec_feat", 1, 3, 50, 32).mean(1))
        self.measure("field.colour", seen.colour)
        self.measure("field.density", seen.density)

    def make_planes(self) -> None:
        self.measure("planes.neutral", self.neutral.flatten(1, 2))
        silent = deepcopy(self.generator.backbone.synthesis)
        for name, values in silent.named_parameters():
            if name.endswith("noise_strength"):
                values.zero_()
        self.measure("planes.without_noise", silent(inputs.latent()).flatten(1, 2))

    def render(self) -> None:
        points = inputs.points() * (2 / CUBE)
        each = [look_up(self.neutral[:, k : k + 1], points, PLANE_AXES[k : k + 1]) for k in range(len(PLANE_AXES))]
        self.measure("render.looked_up", torch.stack(each, 1))
        seen = self.generator.render(self.neutral, inputs.camera())
        self.measure("render.features", seen.features)
        self.measure("render.depth", seen.depth)
        self.measure("render.opacity", seen.opacity)

    def enlarge(self) -> None:
        seen = inputs.normal("sr_feat", 1, 32, 128, 128).clamp(-1, 1)
        self.measure("super_resolution.picture", self.generator.superresolution(seen, inputs.latent()))

    def add(self) -> None:
        self.measure("delta.places", place_code(32, 256))
        rolled = roll_out(torch.unflatten(inputs.normal("roll", 1, 12, 4, 4), 1, (3, 4)))
        for plane, maps in zip(NAMES, rolled.unbind(1), strict=True):
            self.measure(f"delta.rolled_{plane}", maps)
        predictor = self.predictor
        features = predictor.read(torch.unflatten(inputs.normal("pred_planes", 1, 96, 256, 256), 1, (3, 32)))
        self.measure("delta.deepest", features.settled.deepest.flatten(1, 2))
        self.measure("delta.first", features.first.flatten(1, 2))
        self.measure("delta.second", features.second.flatten(1, 2))
        told = predictor.transformer[0].register_forward_hook(
            lambda _, given, found: self.measure("delta.told", found.flatten(1, 2))
        )
        self.measure("delta.planes", predictor(features, inputs.tokens()).flatten(1, 2))
        told.remove()

    def draw_frame(self) -> None:
        delta = self.predictor(self.predictor.read(self.neutral), inputs.tokens())
        self.measure("frame.delta", delta.flatten(1, 2))
        seen = self.generator.look(self.neutral + delta, inputs.camera())
        self.measure("frame.seen", seen[:, :3])
        self.measure("frame.picture", self.generator.superresolution(seen, inputs.latent()))

    def restore(self) -> None:
        network = self.network("restoration")
        assert isinstance(network, Restoration)
        rough = enlarged(inputs.normal("gf_in", 1, 3, 128, 128).clamp(-1, 1))
        self.measure("restoration.enlarged", rough)
        self.measure("restoration.picture", network(rough, network.stylegan_decoder.stored_noise()))

    def hear(self) -> None:
        scores = inputs.normal("logits", 60, 44).numpy()
        windows = np.stack([window(scores, k).T for k in range(31)])
        self.measure("audio.windows", torch.from_numpy(windows))
        for which, number in (("first", 0), ("inner", 10), ("last", 30)):
            self.measure(f"audio.{which}", torch.from_numpy(frame_sound(scores, number)))

    def turn(self) -> None:
        for name, angles in (("normalised", reported_angles), ("pixels", solved_angles)):
            solved = np.stack([angles(points, SIDE_PX, SIDE_PX) for points in inputs.landmarks_px()])
            self.measure(f"pose.angles_from_{name}", torch.from_numpy(solved))


GROUPS: dict[str, Callable[[Talk3DRun], object]] = {
    "tokens": Talk3DRun.tell,
    "audio": Talk3DRun.hear,
    "pose": Talk3DRun.turn,
    "field": Talk3DRun.look_up,
    "planes": Talk3DRun.make_planes,
    "render": Talk3DRun.render,
    "super_resolution": Talk3DRun.enlarge,
    "delta": Talk3DRun.add,
    "frame": Talk3DRun.draw_frame,
    "restoration": Talk3DRun.restore,
}
"""What can be measured apart."""
