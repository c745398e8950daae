"""Files as Talk3D's and its predecessors' programs write them, around small networks."""

from pathlib import Path
from typing import Any

import torch
from golden.fill import fill_tensors
from golden.generator_pickle import save_generator
from safetensors.torch import save_file
from torch import nn

from models.audio.hubert import HubertSize
from models.checkpoint import entries_under
from models.importing import Import, Network
from models.talk3d.checkpoint_file import drawer_entries, driver_entries, read_checkpoint
from models.talk3d.generator_file import read_generator
from models.talk3d.importing import RELEASED, Given, Released, request
from models.talk3d.needs import BASE, DRIVER, GENERATOR, RESTORATION
from models.talk3d.speech_scores import SpeechScores, load_speech_scores
from models.weight_store import WeightStore

FRAMES = 7
TINY = HubertSize(sound=16, hidden=32, layers=1, heads=4, inner=64, position_kernel=16, position_groups=4)
_ENCODERS = ("audio_net", "audio_att_net", "blink_encoder", "camera_encoder")


def small_driver() -> nn.Module:
    """A linear layer for each network of a checkpoint."""
    torch.manual_seed(0)
    conditions = nn.ModuleDict({name: nn.Linear(2, 3) for name in _ENCODERS})
    conditions.register_parameter("null_vector", nn.Parameter(torch.randn(1, 1, 64)))
    predictor = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    return nn.ModuleDict({"deltaplane_predictor": predictor, "conditions": conditions})


def small_generator() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.Softplus())


def small_restoration() -> nn.Module:
    torch.manual_seed(2)
    return nn.ModuleDict({"conv_body_first": nn.Linear(1, 2)})


SMALL = Released(
    Network(DRIVER, small_driver, driver_entries, "iter", read=read_checkpoint),
    Network(GENERATOR, small_generator, RELEASED.generator.entries, "iter", read=read_generator),
    Network(BASE, small_generator, RELEASED.generator.entries, "iter", read=read_generator),
    Network(RESTORATION, small_restoration, entries_under("params_ema"), "iter"),
    Network(RESTORATION, small_restoration, drawer_entries, "iter", read=read_checkpoint),
    lambda path: load_speech_scores(path, TINY),
)


def save_driver(path: Path, drawer: bool = False, null: bool = True, **more: Any) -> Path:
    """As Talk3D's trainer does it: with its optimiser and scheduler as whole objects."""
    driver = small_driver()
    conditions = driver["conditions"]
    networks = {"deltaplane_predictor": driver["deltaplane_predictor"], **{n: conditions[n] for n in _ENCODERS}}
    optimiser = torch.optim.Adam([p for network in networks.values() for p in network.parameters()], 5e-4)
    state = {name: {key: values.clone() for key, values in net.state_dict().items()} for name, net in networks.items()}
    for values in optimiser.param_groups[0]["params"]:
        values.grad = torch.ones_like(values)
    optimiser.step()
    content = {"epoch": 30, "iter": 80_000, **state, **more}
    content |= {"null_vector": conditions.null_vector} if null else {}
    content |= {"superresolution": small_restoration().state_dict()} if drawer else {}
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, 2, 0.98)
    torch.save(content | {"optimizer": optimiser, "scheduler": scheduler}, path)
    return path


def save_person(folder: Path) -> Path:
    """As the preparation leaves it."""
    folder.mkdir(parents=True)
    save_generator(folder / "G_tune.pkl", small_generator())
    landmarks = (FRAMES + 1, 6, 2)
    shapes = {"inversion_w_person": (1, 512), "inversion_0-0_angles": (FRAMES, 2), "angles": (FRAMES, 3)}
    for name, shape in {**shapes, "landmarks": landmarks}.items():
        torch.save(torch.randn(shape), folder / f"{name}.pt")
    rows = [f"{k}, {k % 3 + 0.5:.2f}, 0" for k in range(FRAMES)]
    (folder / "au.csv").write_text("\n".join(["frame, AU45_r, AU45_c", *rows]) + "\n")
    return folder


def save_restoration(path: Path) -> Path:
    torch.save({"params_ema": small_restoration().state_dict(), "params": {}}, path)
    return path


def save_speech(path: Path) -> Path:
    """As the hub has it: the kernel's size and direction apart."""
    shapes = {key: tuple(value.shape) for key, value in SpeechScores(TINY).state_dict().items()}
    position = "wav2vec2.encoder.pos_conv_embed.conv"
    kernel = shapes.pop(f"{position}.weight")
    shapes |= {f"{position}.weight_g": (1, 1, kernel[2]), f"{position}.weight_v": kernel}
    save_file(fill_tensors(shapes), path)
    return path


def bring(given: Given, store: WeightStore) -> int:
    """Imports; returns how many bytes the progress heard of."""
    heard: list[int] = []
    Import(request(given, SMALL)).run(store, heard.append)
    return sum(heard)
