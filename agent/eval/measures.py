"""What judges share: the face model, and the networks that the user brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from agent.config.eval import Eval
from agent.eval.cases import Case
from agent.eval.columns import COLUMNS, OWN_PERSON, Key, columns_of, judged_columns
from models.errors import InputError
from models.face import FaceModel, load_face_model
from models.metrics import sources
from models.metrics.identity import FaceIdentity

if TYPE_CHECKING:
    from models.metrics.inception import Inception
    from models.metrics.lpips import Lpips
    from models.metrics.sync import SyncNet


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """None is not measured."""

    face: FaceModel
    identity: FaceIdentity | None
    lpips: "Lpips | None"
    inception: "Inception | None"
    syncnet: "SyncNet | None"


def open_measures(config: Eval) -> Measures:
    """Reads what the options name. Raises InputError: torch, or a file, is not there or another one."""
    lpips = inception = syncnet = None
    needs_torch = {"--lpips": config.lpips, "--inception": config.inception, "--syncnet": config.syncnet}
    given = [option for option, file in needs_torch.items() if file is not None]
    if given and not all(map(find_spec, ("torch", "safetensors"))):
        raise InputError(f"{given[0]} needs torch: .venv/bin/pip install -e '.[neural]'")
    if config.syncnet is not None and config.protocol != "audio":
        raise InputError("--syncnet goes with --protocol audio, where the voice drives; leave it out")
    if config.lpips is not None and config.protocol != "self":
        raise InputError("--lpips goes with --protocol self, where there is a true picture; leave it out")
    if config.lpips is not None:
        from models.metrics.lpips import Lpips

        lpips = Lpips.read(*config.lpips)
    if config.inception is not None:
        from models.metrics.inception import Inception

        inception = Inception.read(config.inception)
    if config.syncnet is not None:
        from models.metrics.sync import SyncNet

        syncnet = SyncNet.read(config.syncnet)
    identity = None if config.identity is None else FaceIdentity(config.identity)
    return Measures(load_face_model(), identity, lpips, inception, syncnet)


def left_out(config: Eval, cases: Sequence[Case]) -> list[str]:
    """What is not measured, for want of a network or of the same person, one sentence each."""
    options: tuple[tuple[Key, str, object, str], ...] = (
        ("lpips", "--lpips", config.lpips, sources.LPIPS),
        ("fid", "--inception", config.inception, sources.INCEPTION),
        ("csim", "--identity", config.identity, sources.IDENTITY),
        ("sync_c", "--syncnet", config.syncnet, sources.SYNCNET),
    )
    known = columns_of(config.protocol)
    return _of_person(config, cases) + [
        f"{COLUMNS[key].title} is not measured: {option} takes {source}"
        for key, option, file, source in options
        if file is None and key in known
    ]


def _of_person(config: Eval, cases: Sequence[Case]) -> list[str]:
    """What is judged of the engine that draws a person of its own, and of which pictures."""
    if OWN_PERSON not in config.engine:
        return []
    known = columns_of(config.protocol)
    others = [COLUMNS[key].title for key in known if key not in judged_columns(config.protocol, OWN_PERSON, False)]
    found = [
        f"{case.name}: pictures from {case.learnt_ns / 1e9:.1f} s on are judged, since {OWN_PERSON}'s networks learnt "
        f"from those before; {OWN_PERSON}'s are laid over the filmed face by six landmarks first, as its authors lay "
        "the filmed face over its own"
        for case in cases
        if case.own
    ]
    if strangers := [case.name for case in cases if not case.own]:
        found.append(
            f"{', '.join(others)} are not measured of {OWN_PERSON} on {', '.join(strangers)}: it draws the person whom "
            "it learnt, and that is not the video it learnt from"
        )
    return found
