"""What GOHA needs beyond this package: files that each user brings, since others' licences are on them."""

from models.bfm import FACE_MODEL
from models.weight_part import Part

NETWORKS_FILE = "networks.safetensors"
COEFFICIENTS_FILE = "coefficients.safetensors"

TERMS = (
    "goha's weights are for non-commercial use alone (CC BY-NC-SA 4.0), as is the Basel Face Model; agent models list "
    "has the terms"
)

NETWORKS = Part(
    title="avatar network",
    files=(NETWORKS_FILE,),
    needed=True,
    option="--checkpoint",
    source=(
        "s3/checkpoint825000.ckpt of https://drive.google.com/file/d/1Fiz_AddgbAinh2ZsRn3MwAR0Qcl4o60V (named in the "
        "README of github.com/NVlabs/GOHA)"
    ),
    licence=(
        "CC BY-NC-SA 4.0: non-commercial; the authors' code is under NVIDIA's licence for research and evaluation, "
        "which covers works derived from it"
    ),
)
COEFFICIENTS = Part(
    title="coefficient network",
    files=(COEFFICIENTS_FILE,),
    needed=False,
    option="--deep3d",
    source=(
        "epoch_20.pth of face_recon_feat0.2_augment, that of April 2023 (named in the README of "
        "github.com/sicxu/Deep3DFaceRecon_pytorch)"
    ),
    licence="none stated for the weights; the code beside them is MIT, and they were trained on data sets for research",
    instead="landmarks tell who is in a portrait, but not its colours and its light: the mean face's, and white",
)

PARTS = (NETWORKS, COEFFICIENTS, FACE_MODEL)
