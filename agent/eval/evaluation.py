"""`agent eval`: every engine on every case, and what comes of it."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from agent.config.engines import ComparedName
from agent.config.eval import Eval
from agent.engines import open_engine, usable_engines
from agent.eval.cases import Case, open_cases
from agent.eval.columns import OWN_PERSON
from agent.eval.compared import LEAST_FOR_FID, fid_of, notes_of, rows_of
from agent.eval.drawing import draw
from agent.eval.held_out import learnt_ns
from agent.eval.judge import Features, Judge, Judged
from agent.eval.measures import left_out, open_measures
from agent.eval.page import Strip, page
from agent.eval.table import ALIKE, Row, Table, mean_row
from agent.eval.truth import Truth, read_truth
from models.errors import AgentError, InputError
from models.weights import with_person

_SHOWN = 5  # pictures of each engine and case on the page


class Evaluation:
    """One comparison."""

    def __init__(self, config: Eval, say: Callable[[str], None]) -> None:
        """Checks and reads what it needs. Raises InputError: settings, files, engines or networks of no use."""
        self._config, self._say = config, say
        self._engines = list(dict.fromkeys(config.engine))
        if not self._engines or not config.clip:
            raise InputError("--clip and --engine name one or more each, such as --clip me.mp4 --engine builtin still")
        _check_engines(self._engines, config)
        self._measures = open_measures(config)
        self._cases = open_cases(config)
        _make(config.output)
        self._lengths = [case.plan(config).frames for case in self._cases]

    @property
    def pictures(self) -> int:
        """How many will be drawn."""
        return len(self._engines) * sum(self._lengths)

    def run(self, progress: Callable[[int], None]) -> Table:
        """Draws, judges and writes everything; `progress` hears how many pictures are done.

        Raises:
            InputError: a clip without a face, or an engine that does not draw a portrait.
            AgentError: what came of it cannot be written.
        """
        judged: list[Judged] = []
        strips: list[Strip] = []
        rows: list[Row] = []
        real: dict[str, dict[str, Features]] = {}
        done = 0
        for case, length in zip(self._cases, self._lengths, strict=True):
            truth = read_truth(case, self._config, self._measures)
            shown_ns = _spread(list(truth.faces), _SHOWN)
            found = []
            for engine in self._engines:
                found.append(self._judge(case, engine, truth, shown_ns, partial(_further, progress, done)))
                done += length
            driver = [head for _, head in truth.heads(shown_ns)] if self._config.show_driver else None
            strips.append(Strip(case.name, case.crop.of(case.source.image), driver, shown_ns, found))
            judged += found
            rows += rows_of(found)
            real[case.name] = truth.features
        fids = fid_of(judged, real)
        means = [mean_row(engine, rows, fids.get(engine)) for engine in self._engines]
        table = Table(self._config.protocol, (*means, *rows), tuple(self._notes(rows, bool(fids))))
        _write(self._config.output / "eval.json", json.dumps(table.as_dict(), indent=2) + "\n")
        _write(self._config.output / "eval.html", page(table, strips))
        return table

    def _judge(
        self,
        case: Case,
        engine: ComparedName,
        truth: Truth,
        shown_ns: Sequence[int],
        progress: Callable[[int], None],
    ) -> Judged:
        judge = Judge(case, engine, truth, self._measures, shown_ns)
        try:
            draw(case, self._config, engine, judge.take, self._say, progress)
            return judge.judged()
        finally:
            judge.close()

    def _notes(self, rows: Sequence[Row], fid: bool) -> list[str]:
        """What the reader of the table has to know; `fid`: whether there is any."""
        notes = left_out(self._config, self._cases) + notes_of(rows)
        if self._config.inception is not None and not fid:
            what = "portraits" if self._config.protocol == "cross" else "judged pictures"
            notes.append(f"FID is not measured: it takes {LEAST_FOR_FID} different {what}; of fewer it would be chance")
        return [*notes, ALIKE] if len(self._cases) > 1 else notes


def _further(progress: Callable[[int], None], before: int, done: int) -> None:
    progress(before + done)


def _check_engines(engines: Sequence[ComparedName], config: Eval) -> None:
    """Raises InputError for the first that has no use here, or that cannot be opened, then in its own words."""
    anybody = config.protocol == "cross" or not all(learnt_ns(clip, config) for clip in config.clip)
    if OWN_PERSON in engines and config.protocol != "audio" and anybody:
        raise InputError(
            f"--protocol {config.protocol}: the engine {OWN_PERSON} draws the person whom it learnt, who speaks as the "
            "voice does; give --protocol audio, or leave the engine out, or give --protocol self with the video that "
            "--person learnt from"
        )
    if OWN_PERSON not in engines and config.person:
        raise InputError(f"--person {config.person} goes with --engine {OWN_PERSON}; leave it out")
    for engine in engines:
        named = with_person(engine, config.person if engine == OWN_PERSON else "")
        if engine != "still" and (named != engine or engine not in usable_engines()):
            open_engine(named, config.backend).close()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {folder}: {(error.strerror or str(error)).lower()}; name another folder") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AgentError(f"{path} cannot be written: {error.strerror or error}") from None


def _spread(instants_ns: Sequence[int], count: int) -> list[int]:
    """So many of them, evenly from the first to the last; all where there are fewer."""
    if len(instants_ns) <= count:
        return list(instants_ns)
    return [instants_ns[round(i * (len(instants_ns) - 1) / (count - 1))] for i in range(count)]
