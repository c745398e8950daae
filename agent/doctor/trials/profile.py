"""The profile of the person who drives: read as a run reads it."""

from dataclasses import dataclass
from pathlib import Path

from agent.config.run import Run
from agent.known_person import open_speaker
from calibration.profile_file import load_profile
from models.errors import AgentError


@dataclass(frozen=True, slots=True)
class ProfileTrial:
    """What came of a profile."""

    path: Path
    refusal: str = ""
    """Why it is of no use, in the run's words; empty if it is."""
    said: tuple[str, ...] = ()
    """What the run would say of it."""


def try_profile(path: Path, config: Run) -> ProfileTrial:
    """Reads a profile for a run of these settings; whose face it is, only the run itself sees."""
    said: list[str] = []
    try:
        open_speaker(load_profile(path), config, said.append)
    except AgentError as error:
        return ProfileTrial(path, refusal=str(error))
    return ProfileTrial(path, said=tuple(said))
