"""What the line of a live run says."""

import time

import pytest

from agent.terminal import status_line


@pytest.mark.parametrize(
    ("since_s", "told"), [(0.1, "latency 113 ms (p95 126), 7 dropped"), (9.8, "no new picture for 10 s, 7 dropped")]
)
def test_a_picture_that_stands_still_has_no_healthy_latency(
    since_s: float, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.terminal._PRINTED_EVERY_S", 0.01)
    now = {"latency_ms": {"p50": 113, "p95": 126}, "silent": [], "fps_rendered": 0.0, "dropped": 7}
    seen = ""
    with status_line(lambda: now | {"since_picture_s": since_s}):
        until_s = time.monotonic() + 30
        while not seen and time.monotonic() < until_s:
            seen = capsys.readouterr().err
    assert told in seen
