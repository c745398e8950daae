"""What `agent doctor` has to say."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "note", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Texts are phrases for a person."""

    id: str
    """"group.matter", such as "camera.busy". Scripts may rely on it."""
    severity: Severity
    """failure: `agent run` would fail or could not do its work; warning: it would run, and not as it should."""
    what: str
    """What was found; where the run itself would say it, in the run's words, which may hold the remedy."""
    remedy: str = ""
    """What to do, if anything: a command where one does it. Empty where `what` says it."""

    @property
    def group(self) -> str:
        """What it is about, such as "camera"."""
        return self.id.partition(".")[0]


def would_fail(findings: Iterable[Finding]) -> bool:
    """Whether `agent run` would."""
    return any(finding.severity == "failure" for finding in findings)
