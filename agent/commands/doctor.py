"""`agent doctor`."""

import json

from rich.console import Console

from agent.config.doctor import Doctor
from agent.doctor.diagnosis import diagnose
from agent.doctor.finding import would_fail
from agent.doctor.report import as_dict, show
from agent.doctor.survey import survey
from agent.interrupt import interruptible
from agent.terminal import console


def doctor(config: Doctor) -> bool:
    """Prints what it finds; whether `agent run` would work."""
    with interruptible(at_once=True), console.status("") as status:
        system = survey(config, lambda what: status.update(f"looking at {what}"))
    findings = diagnose(system)
    if config.json:
        print(json.dumps(as_dict(config, system, findings), indent=2))
    else:
        show(Console(highlight=False), findings)
    return not would_fail(findings)
