"""The generator of anybody that a person's is made of: EG3D's, as its authors published it, or one of the same kind."""

from pathlib import Path

import torch

from models.checkpoint import faults, read_content
from models.errors import InputError
from models.talk3d.backbone import CAMERA
from models.talk3d.generator import Generator
from models.talk3d.generator_file import read_generator
from models.talk3d.size import generator_size
from models.weight_part import Part
from models.weight_store import Stock, sha256


def base_generator(given: Path | None, stock: Stock, part: Part) -> tuple[Generator, str]:
    """The generator, and its file's SHA-256. Nothing in the file is executed.

    Args:
        given: the file; None is the one that was brought in.
        stock: that holds it then.
        part: it is there.

    Raises InputError, in one line: there is none, or it is of another kind.
    """
    path = given
    if path is None:
        if fault := stock.fault(part.files[0]):
            raise InputError(f"there is no generator to begin with ({part.title} {fault}): give {part.source}")
        assert stock.folder is not None
        path = stock.folder / part.files[0]
    entries = (read_content if path.suffix == ".safetensors" else read_generator)(path)
    entries.setdefault("dataset_label_std", torch.zeros(CAMERA))  # of the training; not every file has it
    with torch.device("meta"):
        network = Generator(generator_size(entries))
    if wrong := faults(entries, network.state_dict()):
        raise InputError(f"{path} is not a generator of EG3D's kind: {'; '.join(wrong)}; give {part.source}")
    network.load_state_dict(entries, assign=True)
    return network, sha256(path)
