"""Of portrait, engine, weights and GPU."""

from collections.abc import Iterator
from typing import Any

from agent.doctor.facts.gpu import Gpu
from agent.doctor.finding import Finding
from agent.doctor.system import Equipment, System
from models.weights import with_person

_SPARE = 1.3  # the drivers and outputs want their share
_LEAST_GPU_MB = 4000


def check_engine(system: System, equipment: Equipment) -> Iterator[Finding]:
    """Findings "portrait.*", "engine.*", "weights.*" and "gpu.*"."""
    trial, config = equipment.trials.engine, equipment.plan.config
    if trial.portrait_refusal:
        yield Finding("portrait.refused", "failure", trial.portrait_refusal)
    elif not system.has_portrait:
        yield Finding("portrait.none", "note", "no photo was named; the bundled one was tried", "--portrait PHOTO")
    else:
        yield Finding("portrait.ok", "ok", f"{config.portrait.name} shows a face")
    for note in trial.notes:
        yield Finding("portrait.note", "note", note)
    name = with_person(config.engine, config.person)
    about = equipment.weights.get(name)
    weights = [] if about is None else list(_weights(name, about))
    if trial.engine_refusal:
        if not any(finding.severity == "failure" for finding in weights):  # which say it, too
            yield Finding("engine.open", "failure", trial.engine_refusal)
    elif not trial.portrait_refusal:
        yield _speed(equipment)
    for line in trial.said:
        yield Finding("engine.said", "note", line)
    yield from weights
    yield from _gpu(equipment.gpu, wanted=config.engine not in ("builtin", "small"))


def _speed(equipment: Equipment) -> Finding:
    trial, config = equipment.trials.engine, equipment.plan.config
    about = f"{config.engine} on {trial.backend} draws {trial.fps:.1f} pictures a second here"
    if equipment.plan.offline or trial.fps >= _SPARE * config.fps:
        return Finding("engine.ok", "ok", about)
    what = f"{about}; --fps {config.fps} wants {_SPARE * config.fps:.0f} and more"
    return Finding("engine.speed", "warning", what, "--size 384, or --fps 15, or close what computes besides")


def _weights(engine: str, about: dict[str, Any]) -> Iterator[Finding]:
    """Of the engine of the run: what others lack is no concern of it."""
    faults = [f"its {part['title']} {part['fault']}" for part in about["parts"] if part["needed"] and part["fault"]]
    if faults:
        remedy = "agent models list says where to get it, or --engine builtin"
        yield Finding("weights.lacking", "failure", f"{engine} is not ready: {'; '.join(faults)}", remedy)
    elif about["parts"]:
        yield Finding("weights.ok", "ok", f"{engine} has all that it needs, of the right size")


def _gpu(gpu: Gpu, wanted: bool) -> Iterator[Finding]:
    if gpu.fault:
        what = f"the NVIDIA driver does not work: {gpu.fault}"
        yield Finding("gpu.driver", "warning" if wanted else "note", what, "install the driver anew, then restart")
    elif not gpu.name:
        if wanted:
            what = "there is no NVIDIA GPU: a picture takes seconds"
            yield Finding("gpu.none", "warning", what, "--engine builtin for calls; into files it works")
    else:
        yield from _torch(gpu, wanted)
        if wanted and gpu.free_mb < _LEAST_GPU_MB:
            what = f"{gpu.free_mb} MB of the {gpu.name} are free, about {_LEAST_GPU_MB} are needed"
            yield Finding("gpu.memory", "warning", what, "close what uses it (nvidia-smi lists that)")
        yield Finding("gpu.ok", "ok", f"{gpu.name}, driver {gpu.driver}, {gpu.free_mb} MB free")


def _torch(gpu: Gpu, wanted: bool) -> Iterator[Finding]:
    torch = gpu.torch
    if not wanted or torch is None or torch.sees_gpu:
        return
    if not torch.cuda:
        what = f"torch {torch.version} was built without CUDA"
        yield Finding("gpu.torch", "warning", what, ".venv/bin/pip install --force-reinstall torch from pytorch.org")
    elif _number(gpu.cuda) < _number(torch.cuda):
        what = f"the driver {gpu.driver} knows CUDA {gpu.cuda}, torch wants {torch.cuda}"
        yield Finding("gpu.cuda", "warning", what, "install a newer NVIDIA driver, then restart")
    else:
        what = f"torch {torch.version} does not see the {gpu.name}"
        yield Finding("gpu.hidden", "warning", what, "unset CUDA_VISIBLE_DEVICES, or restart")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
