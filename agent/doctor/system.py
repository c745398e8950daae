"""Everything that the checks know."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.doctor.facts.computer import Computer
from agent.doctor.facts.packages import Packages
from agent.doctor.facts.user import User

if TYPE_CHECKING:  # where packages are broken, these cannot be imported
    from agent.doctor.facts.gpu import Gpu
    from agent.doctor.facts.sound import SoundSystem
    from agent.doctor.facts.video import LoopbackModule, VideoNode
    from agent.doctor.trials.all import Trials
    from agent.plan import Plan


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a run would use here, and what came of trying it."""

    plan: "Plan"
    video: "tuple[VideoNode, ...]"
    loopback: "LoopbackModule"
    sound: "SoundSystem"
    gpu: "Gpu"
    weights: dict[str, Any]
    """Of each engine, as in `agent models list --json`."""
    trials: "Trials"


@dataclass(frozen=True, slots=True)
class System:
    """A machine, seen by one who wants to run the agent on it."""

    platform: str
    """As `sys.platform`."""
    computer: Computer
    packages: Packages
    user: User
    has_portrait: bool
    """Whether a photo was named; else the bundled one stands in for it."""
    refusal: str
    """Why the settings are of no use, in the run's words; empty if they are."""
    equipment: Equipment | None
    """None where packages are broken or the settings were refused."""
