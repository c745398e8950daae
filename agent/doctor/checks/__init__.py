"""From facts and trials to findings: pure functions."""
