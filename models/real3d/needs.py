"""What Real3D-Portrait needs beyond this package: files that each user brings, since others' licences are on them."""

from models.bfm import FACE_MODEL
from models.real3d.face import CODES_FILE, EYE_FILES, LANDMARKS_FILE
from models.weight_part import Part

VIDEO_FILE = "video_model.safetensors"
AUDIO_FILE = "audio_to_motion.safetensors"
HUBERT_FILE = "hubert.safetensors"
SEGMENTER_FILE = "segmenter.tflite"

_RELEASE = (
    "240210_real3dportrait_orig.zip in https://drive.google.com/drive/folders/1MAveJf7RvJ-Opg1f5qhLdoRoC_Gc6nD9 "
    "(named in the README of github.com/yerfor/Real3DPortrait)"
)
_UNSTATED = (
    "none stated for the weights; the code beside them is MIT, with parts under NVIDIA's non-commercial licences, and "
    "they were trained on data sets for research"
)

VIDEO = Part(
    title="video model",
    files=(VIDEO_FILE,),
    needed=True,
    option="--checkpoint",
    source=f"secc2plane_torso_orig/model_ckpt_steps_100000.ckpt of {_RELEASE}",
    licence=_UNSTATED,
)
AUDIO = Part(
    title="audio-to-motion model",
    files=(AUDIO_FILE,),
    needed=False,
    option="--checkpoint",
    source=f"audio2secc_vae/model_ckpt_steps_400000.ckpt of {_RELEASE}",
    licence=_UNSTATED,
    instead="the agent's own speech network moves the face",
    without="--without-audio",
)
FACE_DATA = Part(
    title="face data",
    files=(LANDMARKS_FILE, CODES_FILE, *EYE_FILES),
    needed=False,
    option="--face-data",
    source=(
        f"deep_3drecon in github.com/yerfor/Real3DPortrait; {LANDMARKS_FILE} (that without _v1 to _v3.1 in its name, "
        "which are other versions) of https://drive.google.com/drive/folders/1o4t5YIw7w4cMUN4bgU9nPf6IyWVG1bEk, its "
        "face model files"
    ),
    licence="MIT, the repository's; made from the Basel Face Model",
    instead="they are worked out from the face model, not compared with the real files",
)
HUBERT = Part(
    title="speech features",
    files=(HUBERT_FILE,),
    needed=False,
    option="--hubert",
    source="model.safetensors or pytorch_model.bin of https://huggingface.co/facebook/hubert-large-ls960-ft",
    licence="Apache-2.0, as far as known; see its model card",
    instead="the agent's own speech network moves the face",
)
SEGMENTER = Part(
    title="segmenter",
    files=(SEGMENTER_FILE,),
    needed=False,
    option="--segmenter",
    source="selfie_multiclass_256x256.tflite of MediaPipe (ai.google.dev/edge/mediapipe, image segmenter)",
    licence="Apache-2.0, as far as known; see its model card",
    instead="hair, face, neck and clothes are told apart by the agent's own matte and landmarks",
)

TERMS = (
    "real3d's Basel Face Model is for non-commercial research alone, and no licence is stated for its networks; agent "
    "models list has the terms"
)

PARTS = (VIDEO, AUDIO, FACE_MODEL, FACE_DATA, HUBERT, SEGMENTER)
