"""Percentiles and rates."""

import pytest

from runtime.clock import FakeClock
from runtime.metrics import Metrics, Tempo


def test_percentiles_of_known_durations():
    metrics = Metrics()
    for ms in range(1, 101):
        metrics.add("render", ms * 1_000_000)
    p = metrics.percentiles("render")
    assert (p.p50_ms, p.p95_ms, p.p99_ms) == pytest.approx((50.5, 95.05, 99.01), abs=0.01)


def test_an_unknown_stage_is_zero_and_not_listed():
    metrics = Metrics()
    assert metrics.percentiles("render").p95_ms == 0
    assert metrics.stages() == []


def test_the_recent_median_knows_the_newest_values_only_and_not_from_too_few():
    metrics = Metrics()
    assert metrics.recent_median_ns("age", 10) is None
    for ns in (90, 90, 90, 10, 30, 20):
        metrics.add("age", ns)
    assert metrics.recent_median_ns("age", 3) == 20
    assert metrics.recent_median_ns("age", 60) == 30
    assert metrics.recent_median_ns("age", 61) is None


def test_only_the_newest_values_are_kept():
    metrics = Metrics()
    for _ in range(5000):
        metrics.add("render", 1_000_000)
    for _ in range(4096):
        metrics.add("render", 9_000_000)
    assert metrics.percentiles("render").p50_ms == 9.0


def test_a_failing_body_is_not_measured():
    metrics = Metrics()
    with pytest.raises(ZeroDivisionError), metrics.measure("render"):
        _ = 1 / 0
    assert metrics.stages() == []


def test_how_long_ago_the_newest_picture_was_done():
    clock = FakeClock()
    tempo = Tempo(clock)
    assert tempo.since_picture_s == 0
    tempo.tick()
    clock.advance(2_500_000_000)
    assert tempo.since_picture_s == 2.5
