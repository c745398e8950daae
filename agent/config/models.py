"""Settings of `agent models`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from agent.config.engines import BuildableName, NetworkEngineName


@dataclass(frozen=True)
class ModelsImport:
    """Bring in the weights that an engine's authors published: checked, converted once, kept for you alone.

    Nothing is downloaded: `agent models list` says what is missing, where it is to be had and under which licence.
    Nothing in a file is executed. What is given replaces what was there when all of it is found good; the rest stays.

    The unpacked 240210_real3dportrait_orig and the face model:
    agent models import real3d --checkpoint FOLDER --face-model FILE.mat

    Something more, later:  agent models import real3d --face-data Real3DPortrait/deep_3drecon

    Of GOHA:  agent models import goha --checkpoint FILE.ckpt --deep3d FILE.pth --face-model FILE.mat

    Of Talk3D:  agent models import talk3d --checkpoint May_demo.pt --person May --wav2vec model.safetensors
    """

    engine: tyro.conf.Positional[NetworkEngineName]
    """The engine that they are for."""

    checkpoint: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction] = ()
    """The unpacked folder with secc2plane_torso_orig/ and audio2secc_vae/ in it (of several model_ckpt_steps_*.ckpt the
    one of the most steps is taken), or the checkpoints themselves, the option given twice. Of GOHA:
    checkpoint825000.ckpt; of Talk3D: May_demo.pt."""

    without_audio: bool = False
    """Do with the video model alone; the agent's own speech network then drives."""

    face_model: Path | None = None
    """BFM_model_front.mat, which Deep3DFaceRecon's set-up makes from the Basel Face Model 2009, or its folder."""

    face_data: Path | None = None
    """Folder with index_mp468_from_mesh35709.npy, ncc_code.npy, bfm_left_eye_faces.npy and bfm_right_eye_faces.npy, or
    some of them."""

    hubert: Path | None = None
    """HuBERT-large (facebook/hubert-large-ls960-ft): its folder, or model.safetensors or pytorch_model.bin."""

    segmenter: Path | None = None
    """MediaPipe's selfie_multiclass_256x256.tflite, or its folder."""

    deep3d: Path | None = None
    """Of GOHA: Deep3DFaceRecon's epoch_20.pth of April 2023, which reads colours and light of a portrait's face."""

    person: Path | None = None
    """Of Talk3D: the folder that the person was prepared in, with G_tune.pkl, inversion_w_person.pt,
    inversion_0-0_angles.pt, landmarks.pt, angles.pt and au.csv in it."""

    gfpgan: Path | None = None
    """Of Talk3D: GFPGANv1.3.pth, which then draws the picture."""

    generator: Path | None = None
    """Of Talk3D: EG3D's ffhq-fixed-triplane512-128.pkl, for `agent personalise`."""

    wav2vec: Path | None = None
    """Of Talk3D: cpierse/wav2vec2-large-xlsr-53-esperanto, its folder, or model.safetensors or pytorch_model.bin."""


@dataclass(frozen=True)
class ModelsBuild:
    """Export an engine's frame network for a backend, and build it where the backend wants that: once per machine.

    agent models build real3d --backend tensorrt     minutes; from then on --backend auto uses it
    """

    engine: tyro.conf.Positional[BuildableName] = "real3d"
    """The engine whose weights are there (`agent models list`)."""

    backend: Literal["onnx", "tensorrt"] = "tensorrt"
    """onnx: a file for ONNX Runtime, in fp32; tensorrt: the same, built for this GPU."""

    precision: Literal["fp16", "fp32"] | None = None
    """For tensorrt, of features and the weights that they meet; places, colours and the volume stay in fp32. Default:
    fp16; small knows fp32 alone."""


@dataclass(frozen=True)
class ModelsList:
    """What each engine has, what it lacks, where to get that, and under which licence."""

    json: bool = False
    """As JSON, for scripts."""

    verify: bool = False
    """Read every file and compare its SHA-256, not only its size."""


@dataclass(frozen=True)
class ModelsRemove:
    """Delete the weights that were brought in for an engine."""

    engine: tyro.conf.Positional[NetworkEngineName]
    """The engine that they are for."""

    person: str = ""
    """Of talk3d: only what `agent personalise` made of this person, or has begun to."""


@dataclass(frozen=True)
class Models:
    """Bring in weights that others published, see what is there and what is missing, or delete them."""

    action: Annotated[
        Annotated[ModelsImport, tyro.conf.subcommand("import")]
        | Annotated[ModelsBuild, tyro.conf.subcommand("build")]
        | Annotated[ModelsList, tyro.conf.subcommand("list")]
        | Annotated[ModelsRemove, tyro.conf.subcommand("remove")],
        tyro.conf.arg(name=""),
    ]
    """What to do."""
