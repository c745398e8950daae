"""Every setting, its one default and its meaning. The command line is made from these classes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, get_args

import tyro

from models.errors import InputError

EngineName = Literal["builtin", "small", "real3d", "goha", "talk3d"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
NetworkEngineName = Literal["real3d", "goha", "talk3d"]
"""Engines whose weights a user brings in."""
BuildableName = Literal["small", "real3d", "goha", "talk3d"]
"""Engines that run networks."""
BackendName = Literal["auto", "torch", "cudagraph", "onnx", "tensorrt"]

ComparedName = EngineName | Literal["still"]
"""An engine, or the source picture, unmoved."""

BUNDLED_PORTRAIT = Path(__file__).with_name("example") / "portrait.png"


@dataclass(frozen=True)
class Driving:
    """What moves a face."""

    portrait: Path
    """Photo with one face that is large and looks this way (JPEG, PNG, WebP, ...)."""

    mode: Literal["audio", "video", "both"] = "audio"
    """What moves the face: audio (the voice), video (a face in front of the camera), or both: the camera, and the voice
    takes the mouth where the camera cannot see it (hidden, dark, beyond the picture's edge, no face at all)."""

    microphone: str | None = None
    """Microphone by name (see `agent devices`), or a sound or video file played as one. Default: the system's."""

    camera: str | None = None
    """Camera by index or name (see `agent devices`), or a video file played as one. Default: the first."""

    look_ahead: Literal[0, 40, 80, 120] = 80
    """Milliseconds of sound that the mouth waits for: less is sooner, more is truer. Papers' own speech networks
    always wait: real3d's for 240, talk3d's for 520."""

    mouth_amplitude: float = 1.0
    """How far the mouth moves with the voice, 0 to 1.5; with real3d's own speech network in multiples of its usual
    0.45."""

    temperature: float = 0.0
    """How differently the mouth says the same sounds, 0 to 1.5: at 0 always alike, the mean; at 1 as people vary (jaw,
    lips and corners by a fifth, slowly, and from sound to sound). Closed lips stay closed. --seed chooses the way.
    With real3d's own speech network it is the network's, usually 0.2."""

    liveliness: float = 1.0
    """How much head, gaze and brows move by themselves and with the voice, 0 to 2; breathing stays."""

    blinks: float = 1.0
    """How often the eyes blink where no camera moves them, 0 (never) to 3 times as often as people do."""

    seed: int = 0
    """Seed of blinks, gaze, small head movements, and of how the mouth varies (--temperature)."""

    profile: Path | None = None
    """What `agent calibrate` learnt of the person in front of the camera: neutral face and ranges, and with --speech
    how the mouth goes with the voice (which alone counts in --mode audio). Somebody else's face is refused."""

    motion: Literal["relative", "absolute"] = "relative"
    """Where the head counts from: relative, how it is held at the start; absolute, the profile's rest pose, or looking
    straight into the camera without one (expressions then count from the mean face's)."""


@dataclass(frozen=True)
class Showing:
    """Where pictures go, and how they are drawn."""

    output: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """virtual-camera, virtual-camera:DEVICE, virtual-microphone, virtual-microphone:NAME, preview, webrtc, whip:URL, or
    a file (.mp4 .mov .mkv .webm); may be given several times. Default: virtual-camera if there is one, else preview.

    A virtual microphone carries the voice, delayed until its lips are seen: on Linux one that is made for the run and
    called NAME or Avatar microphone, elsewhere the loopback device NAME (BlackHole, VB-CABLE).

    webrtc serves a page, on this machine alone unless --webrtc-host says otherwise, on which whoever opens the printed
    link first sees and hears the avatar; another link is then printed for the next viewer. Players join by WHEP, with
    the link's token as bearer once, or as often as they like with a token of yours, of 16 characters or more, in the
    environment variable AGENT_WHEP_TOKEN. whip:URL pushes to a media server, with the bearer token in AGENT_WHIP_TOKEN,
    if there is one."""

    background: str = "keep"
    """keep, blur, a colour (#RRGGBB or a name), a picture file, or transparent (into .webm or .mov files only)."""

    framing: Literal["photo", "head"] = "photo"
    """photo: the whole photo, padded to the output's shape; head: head and shoulders fill the output."""

    size: str = "512"
    """Output size in pixels: one even number for a square, or WIDTHxHEIGHT. The photo is scaled and padded to it."""

    fps: int = 25
    """Output pictures per second, 1 to 120."""

    quality: Literal["auto", "best", "fast"] = "auto"
    """What a live run does on a machine that is too busy: auto draws the person more coarsely, then follows every
    second frame of the camera and predicts the others, then halves --fps, each before pictures come late, and takes it
    back when there is time again; best never draws worse and rather leaves pictures out; fast begins where auto goes
    first, at the engine's second level (of goha, that which the paper describes: the portrait's detail stays where it
    lies on the portrait). Files are rendered at that with fast, else at their best."""

    metrics_port: int | None = None
    """Serve the figures of a live run for Prometheus at http://127.0.0.1:PORT/metrics, to this machine only; 0 takes
    any free port. Default: not at all."""

    webrtc_host: str = "127.0.0.1"
    """Address at which --output webrtc serves: one of this machine's, or 0.0.0.0 for all. Others then can join, and
    pictures and sound leave this machine, encrypted; the link itself is only as private as the network."""

    webrtc_port: int | None = None
    """Port of --output webrtc. Default: 8790, or the next that is free."""

    webrtc_viewers: int = 8
    """How many may watch at a time, 1 to 64."""

    ice_server: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """For webrtc, whip and calls across networks: stun:HOST:PORT or turn:HOST:PORT, one of either kind; for turn, user
    and password are in the environment variables AGENT_TURN_USER and AGENT_TURN_PASSWORD. Browsers that join ask the
    same servers for their own address, without a password. Default: none is asked."""

    relay_only: bool = False
    """Pictures, motion and voice go through the TURN server of --ice-server and no other way; the link's page or the
    call's first question still goes straight from machine to machine."""

    report: Path | None = None
    """Write frames, drops, stage times and latency to this JSON file at the end."""


@dataclass(frozen=True)
class Run(Showing, Driving):
    """Bring a portrait to life: from a microphone, a camera, or files that act as them.

    Files in and only files out are rendered offline: every frame, none dropped, the same result each time. Anything
    else runs live. Ctrl-C ends a run cleanly and keeps what was written.

    Microphone to virtual camera or preview:  agent run --portrait me.png

    Webcam to virtual camera or preview:  agent run --portrait me.png --mode video

    A recording becomes a video:  agent run --portrait me.png --microphone speech.wav --output talk.mp4

    A clip drives the portrait:  agent run --portrait me.png --mode video --camera clip.mp4 --output a.mp4
    """

    engine: EngineName = "builtin"
    """builtin: drawn on the CPU, no download; small: a small self-trained model that comes with the agent, softer than
    builtin, to try and compare (needs the `neural` extra); real3d: Real3D-Portrait's networks, whose weights you bring
    in (`agent models list`), for a GPU; with its audio-to-motion model and HuBERT they move the mouth with the voice,
    too (live on a GPU only; into files anywhere); goha: GOHA's, the same way, for non-commercial use alone; talk3d:
    Talk3D's, of the one person whom they learnt, whatever the photo; the voice moves them; non-commercial, too."""

    person: str = ""
    """With talk3d: who is drawn, as `agent personalise --name` called them. Default: whose weights were brought in."""

    backend: BackendName = "auto"
    """What runs the networks of an engine that has some: torch (any machine; the reference), cudagraph (NVIDIA GPUs),
    onnx (ONNX Runtime), tensorrt (after `agent models build`), or auto: on a GPU the fastest that draws the same, else
    torch."""

    realtime: bool = False
    """Play files at their own speed, as devices would, even when everything is a file."""

    offline: bool = False
    """Insist on rendering every frame; only with files in and files out."""

    mouth: Literal["painted", "driver"] = "painted"
    """painted: no pixel of the camera's pictures leaves; driver, in --mode video and both: the avatar shows your own
    teeth and tongue, so the pixels between your lips leave, and nothing else of your picture."""


@dataclass(frozen=True)
class Call(Showing, Driving):
    """Two agents talk: each end sends its portrait once, then motion and voice alone, and draws the other one.

    The portrait leaves this machine when the call connects, and so does how your face moves and what you say; pictures
    of the camera do not, unless --guard says so. The other end's portrait goes to every output that `agent run` has,
    their voice to the loudspeaker (use headphones: nothing takes the echo out) or to a virtual microphone. Ctrl-C hangs
    up.

    Be called: prints a link for one caller:  agent call --listen --portrait me.png

    Call:  agent call 'http://127.0.0.1:8785/#token=...' --portrait me.png

    From another machine:  agent call --listen --host 192.168.1.5 --portrait me.png

    The far face in Zoom:  agent call LINK --portrait me.png --mode video --output virtual-camera
    """

    link: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="[LINK]")] = ""
    """What the other end printed."""

    listen: bool = False
    """Print a link, wait for a caller, and after each call for the next. In a browser the link is a page that shows
    your portrait."""

    host: str = "127.0.0.1"
    """With --listen: address of this machine to be called at. Nothing leaves this machine unless one is given; 0.0.0.0
    is all."""

    port: int | None = None
    """With --listen: port to be called at; 0 takes any free one. Default: 8785 or the next free one."""

    name: str = ""
    """What the other end reads of who calls."""

    forget: bool = False
    """Ask the other end not to keep the portrait for the next call."""

    speaker: str | None = None
    """Loudspeaker by name that the other end is heard from, or none. Default: the system's, where neither a virtual
    microphone nor files alone are the outputs."""

    guard: Literal["off", "portrait", "video"] = "off"
    """What is done when your portrait does not look like you any more, in --mode video and both: off only says so
    (something before the face, somebody else, a head turned too far, another light). portrait: in another light a new
    portrait is made of the camera's picture and sent, if its face is that of the photo: you alone, before the photo's
    own background. It is kept nowhere. video: that, and while anything of the above lasts, small pictures of the camera
    as it is, about six a second, take the portrait's place at the other end; both users are told."""

    mute: bool = False
    """Send no voice; --mode video then needs no microphone."""


@dataclass(frozen=True)
class Demo:
    """Render the bundled example: an astronaut's portrait speaks. Needs no device; writes a video, prints where."""

    output: Path = field(default=Path("out/demo.mp4"))
    """The video to write; its folder is made."""


@dataclass(frozen=True)
class Devices:
    """List cameras, microphones and virtual cameras, by the names that `agent run` takes."""


@dataclass(frozen=True)
class Doctor(Run):
    """Look at everything that `agent run` would use here, try it, and say what to do about what is wrong.

    Give the options of the run in question. Inputs are opened for two seconds, the engine draws for one, and each
    output is fed with a test pattern or a tone and read back as another program would. Camera pictures are only
    measured: brightness, contrast, rate. Exit code 0 if the run would work, 1 if it would fail.

    agent doctor                                       a plain `agent run`: microphone, virtual camera or preview

    agent doctor --mode video --portrait me.png        webcam and photo, too

    agent doctor --output virtual-camera --json        for scripts: {"would_fail", "findings": [{"id", "severity",
    "what", "remedy"}]}
    """

    portrait: Annotated[Path, tyro.conf.arg(help_behavior_hint="(default: the bundled one)")] = BUNDLED_PORTRAIT
    """The photo of the run."""

    json: bool = False
    """As JSON, for scripts."""


@dataclass(frozen=True)
class Calibrate:
    """Learn the neutral face and the ranges of the person who drives, for `agent run --profile`.

    With a camera, a page on this machine says what to do. With a video file, everything in it is learnt from.

    agent calibrate                     the first camera, guided

    agent calibrate --camera clip.mp4   a recording: rest, blinks, smile, open mouth, a turn of the head

    agent calibrate --speech            20 s of reading aloud: how your mouth goes with your voice
    """

    camera: str | None = None
    """Camera by index or name (see `agent devices`), or a video file. Default: the first."""

    speech: bool = False
    """Learn how this mouth goes with this voice, for --mode audio and both. Added to the profile where --output is one
    (of the same face); else the face is learnt from the same recording. Refused, with the profile left as it is, if it
    brings nothing on the last third of the speech."""

    microphone: str | None = None
    """With --speech: microphone by name, or a sound file that goes with the video file. Default: the system's
    microphone, or the video file's own sound."""

    output: Path = Path("me.profile.json")
    """The profile to write."""

    name: str = ""
    """Whose it is, for messages. Default: the name of the output."""

    fov: float | None = None
    """Horizontal field of view of the camera in degrees, where you know it; else that of a usual webcam is noted."""

    realtime: bool = False
    """Guide through a file too, played at its own speed, as if it were a camera."""


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
    fp16; small, goha and talk3d know fp32 alone."""


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
class Personalise:
    """Make networks that draw one person, of a video of theirs: minutes of one face that speaks to the camera.

    Hours on a large GPU; on a CPU it is of no use. What it does is the paper's: it chooses frames, finds the person in
    EG3D's generator, trains that on them, finds every frame's camera, and trains the networks that make planes of
    speech. Ctrl-C leaves off, and the same command goes on where it was, on a CPU to the same numbers; GPUs have not
    been tried. Nothing leaves this machine. The generator is for non-commercial use alone.

    agent models import talk3d --generator ffhq-fixed-triplane512-128.pkl --wav2vec model.safetensors

    agent personalise --video me.mp4

    agent run --engine talk3d --person me --portrait me.png --microphone talk.wav --output talk.mp4
    """

    video: Path
    """Of one person, with sound; the face is to be seen in every frame."""

    paper: Literal["talk3d"] = "talk3d"
    """Whose procedure: Talk3D's, the only one here that learns persons."""

    name: str = ""
    """Of the person, for --person. Default: the video's name."""

    generator: Path | None = None
    """ffhq-fixed-triplane512-128.pkl of EG3D, or another of its kind. Default: the one brought in (`agent models
    import talk3d --generator`)."""

    frames: int = 5
    """That the generator learns."""

    alexnet: Path | None = None
    """torchvision's alexnet-owt-*.pth: with --lpips, pictures are compared by LPIPS, as the authors do it. Default:
    gradients and SSIM at several scales."""

    lpips: Path | None = None
    """LPIPS's alex.pth (github.com/richzhang/PerceptualSimilarity, lpips/weights/v0.1), with --alexnet."""

    arcface: Path | None = None
    """model_ir_se50.pth (github.com/TreB1eN/InsightFace_Pytorch): the face's identity counts, too. Default: it does
    not."""

    restart: bool = False
    """Begin anew, whatever was done under this name."""


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


@dataclass(frozen=True)
class Bench:
    """Measure a run from outside.

    agent bench latency     from a synthetic camera to the program that reads the virtual camera, or the page

    A camera of its own films a face with a bar code that changes with every frame. A real run is driven by it, and a
    second process reads the output as any program would and finds the codes again. No pixel of a camera reaches an
    output, so an instrument before the output draws the code of the frame that each picture shows. Then the same
    without codes: the filmed mouth opens and shuts (with --mode audio, a word is said), until the picture shows it.
    """

    what: tyro.conf.Positional[Literal["latency"]]
    """latency: how old the picture is that others see, and where that time goes."""

    mode: Literal["video", "audio"] = "video"
    """video: a face before the camera; audio: a voice at the microphone, with the look-ahead apart."""

    output: str | None = None
    """virtual-camera, virtual-camera:DEVICE, or preview. Default: virtual-camera if there is one, else preview."""

    seconds: float = 20.0
    """How long codes are read, 2 to 600; the run lasts about 15 seconds longer."""

    size: str = "512"
    """Output size, as in `agent run`."""

    fps: int = 25
    """Output pictures per second, as in `agent run`."""

    json: bool = False
    """As JSON, for scripts."""


@dataclass(frozen=True)
class Eval:
    """Compare engines side by side on clips of people: one table of the field's measures, and a page with pictures.

    Every engine draws the same portraits from the same motion, as `agent run` does offline. What was drawn is looked
    at by the tracker and held against the clip, within one square around the head, scaled to 256 pixels. The figures
    are the same each time; a table prints, and OUTPUT/ keeps eval.json, eval.html and a video of each engine and clip.

    How faithful is the engine, and what would the unmoved photo score?  agent eval --clip me.mp4 you.mp4

    Another face, driven by the clips:  agent eval --clip me.mp4 --protocol cross --portrait a.png b.png

    The voice alone drives:  agent eval --clip talk.mp4 --protocol audio

    Two engines, every fifth picture:  agent eval --engine builtin real3d still --clip me.mp4 --every 5
    """

    clip: tuple[Path, ...]
    """Videos of one person each, with the face in view from the first picture on; for --protocol audio with sound."""

    engine: tuple[ComparedName, ...] = ("builtin", "still")
    """Engines as in `agent run`, and still: the source picture, shown unmoved, which is the line to beat. Of talk3d,
    which draws a person of its own, --protocol audio measures whether the lips go with the voice."""

    person: str = ""
    """With talk3d: who is drawn, as in `agent run`."""

    protocol: Literal["self", "cross", "audio"] = "self"
    """self (same identity): the clip's first picture is the portrait, the rest of it drives, and each drawn picture is
    held against the filmed one. cross (cross identity): the clip drives each of --portrait; expression and pose are
    held against the driver's as they are, so that how both differ at rest counts, and the identity against the
    portrait's. audio: the clip's first picture is the portrait,
    its sound alone drives at 25 pictures a second, and the lips are held against the filmed ones."""

    portrait: tuple[Path, ...] = ()
    """Photos for --protocol cross."""

    output: Path = Path("out/eval")
    """Folder for the page, the figures and the videos; it is made."""

    every: int = 1
    """Judge every so-manieth picture; all are drawn, and the faces followed through all of them."""

    show_driver: bool = False
    """Put the clips' pictures beside the drawn ones on the page. Without it the page shows nothing that a camera saw
    but the portrait (of --protocol self and audio, the clip's first picture), and may go where the clips may not."""

    size: str = "512"
    """Size that engines draw at, as in `agent run`."""

    backend: BackendName = "auto"
    """As in `agent run`, of the engines that have networks."""

    identity: Path | None = None
    """For CSIM: an ArcFace network as ONNX (w600k_r50.onnx of InsightFace's buffalo_l)."""

    lpips: tuple[Path, Path] | None = None
    """For LPIPS: torchvision's vgg16-397923af.pth or alexnet-owt-7be5be79.pth, then LPIPS' own vgg.pth or alex.pth."""

    inception: Path | None = None
    """For FID: pt_inception-2015-12-05-6726825d.pth of pytorch-fid."""

    syncnet: Path | None = None
    """For LSE-C and LSE-D, of --protocol audio: syncnet_v2.model."""


Command = Run | Call | Demo | Devices | Doctor | Calibrate | Personalise | Models | Bench | Eval

_MAX_SIDE = 2160


def parse_size(text: str) -> tuple[int, int]:
    """ "512" -> (512, 512), "1280x720" -> (1280, 720).

    Raises:
        InputError: not numbers, odd, or outside 64..2160.
    """
    parts = text.lower().split("x")
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or any(n % 2 or not 64 <= n <= _MAX_SIDE for n in numbers):
        raise InputError(f"--size {text}: give an even number from 64 to {_MAX_SIDE}, or two as in 1280x720")
    return numbers[0], numbers[-1]
