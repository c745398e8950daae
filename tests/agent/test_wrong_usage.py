"""Command lines that cannot be understood: one line that names the cause and where help is, exit code 2."""

import pytest

from agent.cli import main


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("run --portrait x.png --mode vidio", "invalid choice 'vidio' for argument '--mode'"),
        ("run --portrait x.png --fps abc", "--fps"),
        ("run --portrat x.png", "--portrat"),
        ("run", "--portrait"),
        ("rnu", "rnu"),
    ],
)
def test_a_command_line_that_cannot_be_understood_costs_one_line(line, cause, capsys):
    assert main(line.split()) == 2
    told = capsys.readouterr()
    assert not told.out
    (only,) = told.err.splitlines()
    assert only.startswith("agent: ") and cause in only and "--help" in only


def test_help_is_no_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "--help"])
    assert not stop.value.code
    assert "--portrait" in capsys.readouterr().out
