"""The figures as Prometheus reads them."""

import http.client
import re
from dataclasses import asdict

import pytest

from models.errors import InputError
from runtime.metrics import Metrics
from runtime.metrics_page import MetricsPage, exposition
from runtime.report import stage_times
from runtime.trail import paths
from tests.runtime.test_trail import moved_picture

STATUS = {
    "engine": "builtin",
    "backend": "cpu",
    "mode": "video",
    "fps": 25,
    "fps_rendered": 24.5,
    "frames": 1_834_567,
    "dropped": 3,
    "lost": {"video": 7, 'a "quoted\\one"\n': 1},
    "faults": {"video driver": 4},
    "silent": ["camera 0 (Webcam)"],
    "quality": {"rung": 2, "seconds": [1.0, 2.0, 3.0], "changes": 2, "late": 0},
}
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)$')


def samples(text: str) -> dict[str, float]:
    """Every sample by name and labels; each family must be announced once, before its samples."""
    found: dict[str, float] = {}
    announced: list[str] = []
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# TYPE "):
            announced.append(line.split()[2])
        elif not line.startswith("# HELP "):
            match = SAMPLE.match(line)
            assert match is not None, line
            assert match[1] == announced[-1]
            found[line.rpartition(" ")[0]] = float(match[3])
    assert len(set(announced)) == len(announced)
    return found


def test_every_figure_of_a_run_is_there_in_seconds():
    metrics = Metrics()
    metrics.add("render", 5_000_000)
    moved_picture(metrics, "browser")
    path = {name: asdict(way) for name, way in paths(metrics).items()}
    found = samples(exposition(STATUS | {"stages": stage_times(metrics), "paths": path}))
    assert found['agent_run_info{engine="builtin",backend="cpu",mode="video"}'] == 1
    assert (found["agent_frames_total"], found["agent_dropped_total"]) == (1_834_567, 3)
    assert (found["agent_fps"], found["agent_fps_target"]) == (24.5, 25)
    assert found["agent_quality_rung"] == 2
    assert found['agent_lost_total{input="video"}'] == 7
    assert found['agent_faults_total{stage="video driver"}'] == 4
    assert found['agent_silent{device="camera 0 (Webcam)"}'] == 1
    assert found['agent_lost_total{input="a \\"quoted\\\\one\\"\\n"}'] == 1
    assert found['agent_work_seconds{stage="render",quantile="0.95"}'] == 0.005
    assert found['agent_picture_age_seconds{output="browser",quantile="0.5"}'] == 0.031
    assert found['agent_picture_step_seconds{output="browser",step="draw",quantile="0.99"}'] == 0.007


def test_what_is_not_known_yet_is_left_out():
    assert samples(exposition({"fps": 25, "mode": "audio", "faults": {}, "quality": None})) == {
        'agent_run_info{mode="audio"}': 1,
        "agent_fps_target": 25,
    }


def get(url: str, **headers: str) -> http.client.HTTPResponse:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", f"/{path}", headers=headers)
    return connection.getresponse()


def test_it_is_served_to_this_machine_alone_and_at_this_port_alone():
    page = MetricsPage(0, lambda: STATUS)
    try:
        answer = get(page.url)
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert samples(answer.read().decode())["agent_dropped_total"] == 3
        assert get(page.url, Host="evil.example").status == 403
        assert get(page.url.removesuffix("metrics")).status == 404
        port = int(page.url.split(":")[2].partition("/")[0])
        with pytest.raises(InputError, match=rf"port {port} is taken"):
            MetricsPage(port, dict)
    finally:
        page.close()
    with pytest.raises(ConnectionRefusedError):
        get(page.url)
