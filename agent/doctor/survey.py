"""Looks at the machine and tries what a run would use."""

import sys
from collections.abc import Callable

from agent.config.doctor import BUNDLED_PORTRAIT, Doctor
from agent.config.run import Run
from agent.doctor.facts.computer import look_at_computer
from agent.doctor.facts.packages import look_at_packages
from agent.doctor.facts.user import look_at_user
from agent.doctor.system import Equipment, System
from models.errors import InputError


def survey(config: Doctor, say: Callable[[str], None]) -> System:
    """`say` hears what is being looked at, as it may take seconds. Raises nothing for what is missing."""
    say("the packages")
    extras = {"neural": config.engine != "builtin", "tensorrt": config.backend == "tensorrt"}
    packages = look_at_packages([name for name, wanted in extras.items() if wanted])
    equipment, refusal = None, ""
    if not packages.broken:
        try:
            equipment = _equipment(config, say)
        except InputError as error:
            refusal = str(error)
    return System(
        platform=sys.platform,
        computer=look_at_computer(),
        packages=packages,
        user=look_at_user(),
        has_portrait=config.portrait != BUNDLED_PORTRAIT,
        refusal=refusal,
        equipment=equipment,
    )


def _equipment(run: Run, say: Callable[[str], None]) -> Equipment:
    """Raises InputError for settings of no use."""
    from agent.doctor.facts.gpu import look_at_gpu
    from agent.doctor.facts.sound import look_at_sound
    from agent.doctor.facts.video import look_at_loopback, look_at_video
    from agent.doctor.trials.all import try_everything
    from agent.plan import make_plan
    from agent.weights import status
    from runtime.sinks.virtual_camera_device import free_virtual_cameras

    plan = make_plan(run, free_virtual_cameras())
    say("the devices")
    video, loopback = look_at_video(), look_at_loopback()
    sound, gpu = look_at_sound(), look_at_gpu(with_torch=run.engine != "builtin")
    trials = try_everything(plan, loopback, say)
    return Equipment(plan, video, loopback, sound, gpu, status(verify=False)["engines"], trials)
