"""What every trial of an output says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutputTrial:
    """An output that was opened, fed with something known, and read back as another program would."""

    output: str
    """As in `--output`."""
    where: str = ""
    """Device, address or name, by which others find it."""
    refusal: str = ""
    """Why it could not be opened, in the run's words; empty if it could."""
    difference: str = ""
    """What was wrong with what was read back, as a phrase; empty if nothing."""
    untried: str = ""
    """Why it was not opened, or not read back; empty if it was."""
