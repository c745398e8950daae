"""Writes an engine's checkpoints as their authors released them, filled by rule: to try it from import to picture.

    python scripts/fill_checkpoints.py --paper goha --out out/goha

Nothing in them was learnt: THE PICTURES ARE NOISE, whatever the photo. Prints the command that imports them; bring them
in with AGENT_DATA set to a folder of its own, since they take the place of what was imported before.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from golden import goha_fill, goha_inputs, real3d_inputs
from golden.face_file import bfm_content, goha_content
from golden.fill import fill, read_manifest
from golden.talk3d_files import save_driver, save_person
from scipy.io import savemat
from script_options import make_folder

from models.bfm import MODEL_FILE
from models.errors import InputError
from models.face import load_face_model
from models.talk3d.size import STAGES, GeneratorSize

SMALL = GeneratorSize(backbone=(16, 16, 16, 16), drawing=(16, 8), rendered=32), (8, 16, 32)
"""Of Talk3D's networks, whose files tell how large they are: a picture takes a second."""


def fill_real3d(out: Path, small: bool) -> str:
    path = out / "secc2plane_torso_orig" / "model_ckpt_steps_100000.ckpt"
    path.parent.mkdir(exist_ok=True)
    model = _tensors(fill(read_manifest(real3d_inputs.MANIFEST)))
    torch.save({"global_step": 0, "state_dict": {"model": model}}, path)
    savemat(out / MODEL_FILE, bfm_content(load_face_model()))
    return f"--checkpoint {out} --without-audio --face-model {out / MODEL_FILE}"


def fill_goha(out: Path, small: bool) -> str:
    networks = goha_fill.fill(read_manifest(goha_inputs.MANIFEST), goha_fill.FRAME_DECODER)
    shapes = read_manifest(goha_inputs.COEFFICIENT_MANIFEST)
    moderate = {name: 0.02 for name in shapes if name.startswith("final_layers.")}
    torch.save({"iter": 0, "model_state_dict": _tensors(networks)}, out / "checkpoint825000.ckpt")
    torch.save({"epoch": 0, "net_recon": _tensors(goha_fill.fill(shapes, moderate))}, out / "epoch_20.pth")
    savemat(out / MODEL_FILE, goha_content(load_face_model()))
    return (
        f"--checkpoint {out / 'checkpoint825000.ckpt'} --deep3d {out / 'epoch_20.pth'} --face-model {out / MODEL_FILE}"
    )


def fill_talk3d(out: Path, small: bool) -> str:
    size, widths = SMALL if small else (GeneratorSize(), STAGES)
    save_driver(out / "May_demo.pt", size.planes, widths)
    save_person(out / "May", size)
    return f"--checkpoint {out / 'May_demo.pt'} --person {out / 'May'}"


PAPERS: dict[str, Callable[[Path, bool], str]] = {"real3d": fill_real3d, "goha": fill_goha, "talk3d": fill_talk3d}
"""Each writes its files and returns the options that import them."""


def _tensors(weights: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values) for name, values in weights.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", choices=PAPERS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files: 0.1 to 0.7 GB")
    parser.add_argument("--small", action="store_true", help="talk3d: networks of a few MB")
    options = parser.parse_args()
    try:
        if options.small and options.paper != "talk3d":
            raise InputError(f"--small: {options.paper}'s networks have one size; leave it out")
        make_folder(options.out, "--out")
        given = PAPERS[options.paper](options.out, options.small)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"agent models import {options.paper} {given}")
    print("filled by rule, NOT TRAINED: every face will be noise", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
