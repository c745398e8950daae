"""The figures of all engines and cases: as text for a terminal, and as plain values for JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.eval.columns import COLUMNS, Figures, Key, Protocol, columns_of

MEAN = "all"
"""In place of a case's name: means of the same cases for every engine, and sums of what was lost."""
ALIKE = f"{MEAN}: every case counts alike, however many pictures it has; FID is of the pictures of all cases together"
"""What the reader has to know of it."""
_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One engine on one case, or on all of them."""

    case: str
    engine: str
    pictures: int
    figures: Figures
    compared: int = 0
    """Of the pictures, those in which faces were compared."""


@dataclass(frozen=True, slots=True)
class Table:
    """What was found."""

    protocol: Protocol
    rows: tuple[Row, ...]
    """Means first."""
    notes: tuple[str, ...]
    """What the reader has to know, one sentence each."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """Of the columns."""
        return columns_of(self.protocol)

    def cells(self, row: Row) -> list[str]:
        """A row's figures as they are shown, in the order of `keys`."""
        return [f"{row.figures[key]:.{COLUMNS[key].digits}f}" if key in row.figures else _NOTHING for key in self.keys]

    def as_dict(self) -> dict[str, object]:
        """For JSON; null is not measured."""
        columns = {
            key: {"title": COLUMNS[key].title, "better": COLUMNS[key].better, "meaning": COLUMNS[key].meaning}
            for key in self.keys
        }
        rows = [
            {"case": row.case, "engine": row.engine, "pictures": row.pictures, "compared": row.compared}
            | {key: row.figures.get(key) for key in self.keys}
            for row in self.rows
        ]
        return {"protocol": self.protocol, "columns": columns, "rows": rows, "notes": list(self.notes)}

    def __str__(self) -> str:
        """A table of Markdown, whose columns are as wide as need be."""
        head = ["case", "engine", "pictures", *(COLUMNS[key].title for key in self.keys)]
        lines = [head, *([row.case, row.engine, str(row.pictures), *self.cells(row)] for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        rule = ["-" * width if i < 2 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
        return "\n".join([_line(head, widths), _line(rule, widths), *(_line(line, widths) for line in lines[1:])])


def mean_row(engine: str, rows: Sequence[Row], fid: float | None) -> Row:
    """Of one engine.

    Args:
        engine: whose mean it is.
        rows: of all engines and cases. A mean leaves out cases in which an engine lacks the figure, unless it lacks it
            in all: such an engine has no mean, and does not count in the others'.
        fid: of all its pictures together; None if it was not measured.
    """
    own = {row.case: row for row in rows if row.engine == engine}
    figures: dict[Key, float] = {}
    for key in sorted({key for row in own.values() for key in row.figures}):
        if cases := _compared(key, rows):
            figures[key] = float(np.mean([own[case].figures[key] for case in cases]))
    figures["lost"] = sum(row.figures["lost"] for row in own.values())
    if fid is not None:
        figures["fid"] = fid
    pictures, compared = (sum(counts) for counts in zip(*((r.pictures, r.compared) for r in own.values()), strict=True))
    return Row(MEAN, engine, pictures, figures, compared)


def _compared(key: Key, rows: Sequence[Row]) -> list[str]:
    """Cases in which every engine that ever has the figure has it."""
    able = {row.engine for row in rows if key in row.figures}
    lacking = {row.case for row in rows if row.engine in able and key not in row.figures}
    return list(dict.fromkeys(row.case for row in rows if row.case not in lacking))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))]
    return f"| {' | '.join(padded)} |"
