"""Findings as a person reads them, and as a script does."""

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from agent.config.doctor import Doctor
from agent.doctor.finding import Finding, Severity, would_fail
from agent.doctor.system import System

_COLOURS: dict[Severity, str] = {"ok": "green", "note": "cyan", "warning": "yellow", "failure": "bold red"}
_INDENT = 9  # of what follows the severity
_LEAST_WIDTH = 40


def as_dict(config: Doctor, system: System, findings: Sequence[Finding]) -> dict[str, Any]:
    """For `--json`. `remedy` is never empty but for "ok" and some notes."""
    outputs = config.output if system.equipment is None else system.equipment.plan.outputs
    return {
        "version": 1,
        "run": {
            "mode": config.mode,
            "engine": config.engine,
            "backend": config.backend,
            "outputs": list(outputs),
        },
        "would_fail": would_fail(findings),
        "findings": [
            {
                "id": finding.id,
                "severity": finding.severity,
                "what": finding.what,
                "remedy": finding.remedy or (finding.what if finding.severity in ("warning", "failure") else ""),
            }
            for finding in findings
        ],
    }


def show(console: Console, findings: Sequence[Finding]) -> None:
    """Prints what was found by groups; of a group, what is well takes one line. Lines are wrapped on a terminal."""
    width = max(_LEAST_WIDTH, console.width - _INDENT) if console.is_terminal else 0
    for group, members in groupby(findings, key=lambda finding: finding.group):
        found = list(members)
        fine = [finding.what for finding in found if finding.severity == "ok"]
        if fine:
            _print(console, "ok", f"{group}: {'; '.join(fine)}", width)
        for finding in found:
            if finding.severity != "ok":
                _print(console, finding.severity, f"{group}: {finding.what}", width)
                if finding.remedy:
                    _print(console, None, f"-> {finding.remedy}", width)
    console.print(_summary(findings), soft_wrap=True)


def _print(console: Console, severity: Severity | None, line: str, width: int) -> None:
    parts = textwrap.wrap(line, width, break_on_hyphens=False) if width else [line]
    text = Text(f"{severity or '':<{_INDENT}}" + f"\n{' ' * _INDENT}".join(parts))
    if severity is not None:
        text.stylize(_COLOURS[severity], 0, len(severity))
    console.print(text, soft_wrap=True)


def _summary(findings: Sequence[Finding]) -> Text:
    counts = {
        severity: sum(finding.severity == severity for finding in findings) for severity in ("failure", "warning")
    }
    told = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts.items() if count)
    failing = would_fail(findings)
    text = f"agent run would {'fail' if failing else 'work'} here{f' ({told})' if told else ''}"
    return Text(text, _COLOURS["failure" if failing else "ok"])
