"""What Talk3D needs beyond this package: files that each user brings, since others' licences are on them."""

from models.weight_part import Part

GENERATOR_FILE = "generator.safetensors"
GENERATOR_PICKLE = "G_tune.pkl"
"""As the preparation writes it."""
BASE_FILE = "base_generator.safetensors"
DRIVER_FILE = "driver.safetensors"
RESTORATION_FILE = "restoration.safetensors"
SPEECH_FILE = "speech_scores.safetensors"
LATENT_FILE, TURNS_FILE = "inversion_w_person.pt", "inversion_0-0_angles.pt"
LANDMARKS_FILE, ANGLES_FILE, EYES_FILE = "landmarks.pt", "angles.pt", "au.csv"

TERMS = (
    "talk3d's weights are for non-commercial use alone (every generator of a person is made of NVIDIA's EG3D); agent "
    "models list has the terms"
)
_DEMO = "the demo data that docs/preprocessing.md of github.com/KU-CVLAB/Talk3D links to, or of your own preparation"

DRIVER = Part(
    title="delta-plane networks",
    files=(DRIVER_FILE,),
    needed=True,
    option="--checkpoint",
    source="May_demo.pt, which docs/preprocessing.md of github.com/KU-CVLAB/Talk3D links to, or one of your training",
    licence="CC BY-NC 4.0, the repository's: non-commercial",
)
GENERATOR = Part(
    title="person's generator",
    files=(GENERATOR_FILE,),
    needed=True,
    option="--person",
    source=f"{GENERATOR_PICKLE} in the person's folder, of {_DEMO}",
    licence="NVIDIA's Source Code License for EG3D: non-commercial research; it covers what is made of EG3D",
)
PERSON = Part(
    title="person's recording",
    files=(LATENT_FILE, TURNS_FILE, LANDMARKS_FILE, ANGLES_FILE, EYES_FILE),
    needed=True,
    option="--person",
    source=(
        f"the person's folder with {LATENT_FILE}, {TURNS_FILE}, {LANDMARKS_FILE}, {ANGLES_FILE} and {EYES_FILE} beside "
        f"{GENERATOR_PICKLE}, of {_DEMO}"
    ),
    licence="the person's, and that of the video which it was made of",
)
RESTORATION = Part(
    title="restoration",
    files=(RESTORATION_FILE,),
    needed=False,
    option="--gfpgan",
    source="GFPGANv1.3.pth of github.com/TencentARC/GFPGAN, release v1.3.0; a checkpoint *_tune.pt brings its own",
    licence="Apache-2.0, but for parts of others; see its repository",
    instead="the generator's own super-resolution draws the picture",
)
SPEECH = Part(
    title="speech network",
    files=(SPEECH_FILE,),
    needed=False,
    option="--wav2vec",
    source=(
        "model.safetensors or pytorch_model.bin of https://huggingface.co/cpierse/wav2vec2-large-xlsr-53-esperanto"
    ),
    licence="Apache-2.0, as far as known; see its model card",
    instead="the head turns and blinks, and the lips stay where they are",
)
BASE = Part(
    title="generator to personalise",
    files=(BASE_FILE,),
    needed=False,
    option="--generator",
    source=(
        "ffhq-fixed-triplane512-128.pkl, the variant with fixed axes, which docs of github.com/NVlabs/eg3d link to; or "
        "one of your own training"
    ),
    licence="NVIDIA's Source Code License for EG3D: non-commercial research; its pictures (FFHQ): CC BY-NC-SA 4.0",
    instead="agent personalise needs --generator",
)

PARTS = (DRIVER, GENERATOR, PERSON, RESTORATION, SPEECH, BASE)
