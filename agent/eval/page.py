"""The table as one page that needs nothing else, with pictures of every engine at the same instants."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from agent.eval.columns import COLUMNS, Key
from agent.eval.judge import Judged
from agent.eval.table import Row, Table

_SIDE, _QUALITY = 200, 82  # of pictures on the page
_PROTOCOLS = {
    "self": "Same identity: each clip's first picture is the portrait, and the rest of the clip drives it.",
    "cross": "Cross identity: each clip drives each portrait.",
    "audio": "By voice: each clip's first picture is the portrait, and its sound alone drives it.",
}
_STYLE = """
:root { color-scheme: light dark; --line: #8885 }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 1160px }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } h3 { font-size: 1rem; margin: .75rem 0 .25rem }
p { overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: Canvas }
.case th { padding-top: .8rem }
.case span { position: sticky; left: .6rem }
b { font-weight: 650 }
.strip { display: grid; grid-template-columns: repeat(5, minmax(7rem, 1fr)); gap: 4px }
.strip h3 { grid-column: 1 / -1; justify-self: start; position: sticky; left: 0 }
.strip img { width: 100%; display: block; border-radius: 4px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .8rem; font-size: .9rem }
dt { font-weight: 600 } dd { margin: 0 }
"""


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Pictures of one case."""

    case: str
    source: UInt8[np.ndarray, "256 256 3"]
    """The portrait."""
    driver: list[UInt8[np.ndarray, "256 256 3"]] | None
    """What was filmed, where that is to be shown."""
    instants_ns: Sequence[int]
    """Of all pictures but the portrait's."""
    judged: Sequence[Judged]
    """Of every engine."""


def page(table: Table, strips: Sequence[Strip]) -> str:
    """The page as HTML. It loads nothing and runs nothing."""
    meanings = "".join(
        f"<dt>{escape(column.title)}</dt><dd>{escape(column.meaning)} ({column.better} is better)</dd>"
        for column in (COLUMNS[key] for key in table.keys)
    )
    notes = "".join(f"<p>{escape(note)}.</p>" for note in table.notes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>Engines compared</title><style>{_STYLE}</style></head><body><h1>Engines compared</h1>"
        f"<p>{_PROTOCOLS[table.protocol]} All is measured within one square around the head, 256 pixels wide.</p>"
        f'<div class="wide">{_table(table)}</div>{notes}'
        f"{''.join(map(_strip, strips))}<h2>What is measured</h2><dl>{meanings}</dl></body></html>\n"
    )


def _table(table: Table) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in ["engine", *(COLUMNS[key].title for key in table.keys)])
    cases = "".join(_case(table, case) for case in dict.fromkeys(row.case for row in table.rows))
    return f"<table><thead><tr>{titles}</tr></thead>{cases}</table>"


def _case(table: Table, case: str) -> str:
    """All engines on a case; the best of them stands out in each column."""
    rows = [row for row in table.rows if row.case == case]
    about = f"<span>{escape(case)}, {rows[0].pictures} pictures</span>"
    head = f'<tr class="case"><th colspan="{len(table.keys) + 1}">{about}</th></tr>'
    return f"<tbody>{head}{''.join(_row(table, row, rows) for row in rows)}</tbody>"


def _row(table: Table, row: Row, rivals: Sequence[Row]) -> str:
    cells = [
        f"<td><b>{cell}</b></td>" if _is_best(key, row, rivals) else f"<td>{cell}</td>"
        for key, cell in zip(table.keys, table.cells(row), strict=True)
    ]
    return f"<tr><td>{escape(row.engine)}</td>{''.join(cells)}</tr>"


def _is_best(key: Key, row: Row, rivals: Sequence[Row]) -> bool:
    known = [other.figures[key] for other in rivals if key in other.figures]
    if len(known) < 2 or key not in row.figures or min(known) == max(known):
        return False
    return row.figures[key] == (min(known) if COLUMNS[key].better == "less" else max(known))


def _strip(strip: Strip) -> str:
    rows = [_pictures("portrait", [strip.source])]
    if strip.driver is not None:
        rows.append(_pictures("clip", strip.driver))
    for judged in strip.judged:
        rows.append(_pictures(judged.engine, [judged.heads[ns] for ns in strip.instants_ns if ns in judged.heads]))
    times = ", ".join(f"{ns / 1e9:.1f}" for ns in strip.instants_ns)
    shown = f'<div class="wide strip">{"".join(rows)}</div>'
    return f"<h2>{escape(strip.case)}</h2><p>After {times} seconds:</p>{shown}"


def _pictures(who: str, heads: Sequence[UInt8[np.ndarray, "256 256 3"]]) -> str:
    shown = "".join(_picture(head, f"{who}, {i + 1}") for i, head in enumerate(heads))
    return f"<h3>{escape(who)}</h3>{shown}"


def _picture(head: UInt8[np.ndarray, "256 256 3"], what: str) -> str:
    data = io.BytesIO()
    Image.fromarray(head).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).save(data, "JPEG", quality=_QUALITY)
    return f'<img alt="{escape(what)}" src="data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}">'
