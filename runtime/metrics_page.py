"""The run's figures for Prometheus: `/metrics` at 127.0.0.1, in its text format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from runtime.page_server import HEADERS, PageServer

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUANTILES = {"0.5": "p50_ms", "0.95": "p95_ms", "0.99": "p99_ms"}

Labels = Mapping[str, str]


class MetricsPage:
    """Serves `/metrics` from a thread of its own."""

    def __init__(self, port: int, status: Callable[[], Mapping[str, Any]]) -> None:
        """`status` gives the figures, as `Report.as_dict` names them; called in the server's thread.

        Raises InputError if the port is taken: a scraper knows this one and no other.
        """
        self._status = status
        self._server = PageServer("metrics", None, "", port, [web.get("/metrics", self._metrics)], no_other_port=True)
        self._server.start()

    @property
    def url(self) -> str:
        """Where the figures are."""
        return f"{self._server.url}metrics"

    def close(self) -> None:
        """Frees the port. May be called twice."""
        self._server.close()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=exposition(self._status()), headers=HEADERS | {"Content-Type": _CONTENT_TYPE})


def exposition(status: Mapping[str, Any]) -> str:
    """The figures in the text format; what is not known yet is left out. Quantiles are of the newest 4096 values."""
    return "".join(f"{line}\n" for line in _lines(status))


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    made_by = {key: str(status[key]) for key in ("engine", "backend", "mode") if key in status}
    yield from _family("run_info", "gauge", "What runs; always 1.", [(made_by, 1)])
    for name, key, kind, what in (
        ("frames_total", "frames", "counter", "Pictures rendered."),
        (
            "dropped_total",
            "dropped",
            "counter",
            "Ticks without a picture, and pictures that an output had no time for.",
        ),
        ("fps", "fps_rendered", "gauge", "Pictures per second of the last two seconds."),
        ("fps_target", "fps", "gauge", "Pictures per second that were asked for."),
    ):
        if key in status:
            yield from _family(name, kind, what, [({}, status[key])])
    if status.get("quality") is not None:
        what = "Rung of the quality ladder; 0 is the best that the run may stand on."
        yield from _family("quality_rung", "gauge", what, [({}, status["quality"]["rung"])])
    silent = [({"device": what}, 1) for what in status.get("silent", ())]
    yield from _family("silent", "gauge", "1 for what does not answer now; what does is left out.", silent)
    lost = [({"input": name}, count) for name, count in status.get("lost", {}).items()]
    yield from _family("lost_total", "counter", "What inputs gave and nobody took, and sound that was lost.", lost)
    faults = [({"stage": name}, count) for name, count in status.get("faults", {}).items()]
    yield from _family("faults_total", "counter", "Failures that the run survived.", faults)
    stages, paths = status.get("stages", {}), status.get("paths", {})
    work = [sample for name, times in stages.items() for sample in _quantiles({"stage": name}, times)]
    yield from _family("work_seconds", "gauge", "What each piece of work takes.", work)
    ages = [sample for name, path in paths.items() for sample in _quantiles({"output": name}, path)]
    yield from _family("picture_age_seconds", "gauge", "Age of the captured instant when its picture has left.", ages)
    steps = [
        sample
        for name, path in paths.items()
        for step in path["steps"]
        for sample in _quantiles({"output": name, "step": step["name"]}, step)
    ]
    yield from _family("picture_step_seconds", "gauge", "Steps of a picture's way, work and waiting.", steps)


def _family(name: str, kind: str, what: str, samples: Sequence[tuple[Labels, float]]) -> Iterator[str]:
    if samples:
        yield f"# HELP agent_{name} {what}"
        yield f"# TYPE agent_{name} {kind}"
    for labels, value in samples:
        written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"agent_{name}{f'{{{written}}}' if written else ''} {value}"


def _quantiles(labels: Labels, times: Mapping[str, Any]) -> list[tuple[Labels, float]]:
    return [({**labels, "quantile": quantile}, times[key] / 1000) for quantile, key in _QUANTILES.items()]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
