"""From what is known of a machine to findings."""

from collections.abc import Iterator

from agent.doctor.checks.computer import check_computer
from agent.doctor.finding import Finding
from agent.doctor.system import Equipment, System


def diagnose(system: System) -> tuple[Finding, ...]:
    """All findings, those of one matter together."""
    findings = list(check_computer(system))
    if system.refusal:
        findings.append(Finding("settings.refused", "failure", system.refusal))
    if system.equipment is not None:
        findings += _of_equipment(system, system.equipment)
        told = [f"{finding.what}: {finding.remedy}" for finding in findings]
        warned = (warning for warning in system.equipment.trials.warnings if warning not in told)
        findings += [Finding("run.warned", "warning", warning) for warning in warned]
    return tuple(findings)


def _of_equipment(system: System, equipment: Equipment) -> Iterator[Finding]:
    from agent.doctor.checks.engine import check_engine
    from agent.doctor.checks.inputs import check_camera, check_microphone, check_profile
    from agent.doctor.checks.outputs import check_other_output, check_virtual_microphone
    from agent.doctor.checks.virtual_camera import check_no_virtual_camera, check_virtual_camera
    from agent.plan import is_file_output, is_virtual_microphone, is_webrtc

    trials = equipment.trials
    if trials.camera is not None:
        yield from check_camera(system, equipment, trials.camera)
    if trials.microphone is not None:
        yield from check_microphone(system, equipment, trials.microphone)
    if trials.profile is not None:
        yield from check_profile(trials.profile)
    if equipment.plan.left_out:
        yield Finding("files.cut", "note", equipment.plan.left_out)
    yield from check_engine(system, equipment)
    if not equipment.plan.config.output and "virtual-camera" not in equipment.plan.outputs:
        yield from check_no_virtual_camera(system, equipment)
    for trial in trials.outputs:
        if is_virtual_microphone(trial.output):
            yield from check_virtual_microphone(equipment, trial)
        elif trial.output == "preview" or is_file_output(trial.output) or is_webrtc(trial.output):
            yield from check_other_output(trial)
        else:
            yield from check_virtual_camera(system, equipment, trial)
