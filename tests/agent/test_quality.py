"""At which level of an engine files are drawn."""

import pytest

from agent.cli import main
from runtime.engines.builtin import BuiltinEngine


@pytest.mark.parametrize(("quality", "level"), [("auto", 0), ("best", 0), ("fast", 1)])
def test_a_file_is_drawn_at_the_level_that_was_asked_for(quality, level, portrait_png, wav, tmp_path, monkeypatch):
    draw, levels = BuiltinEngine.render, set()

    def render(self, avatar, motion, level=0):
        levels.add(level)
        return draw(self, avatar, motion, level)

    monkeypatch.setattr(BuiltinEngine, "render", render)
    given = ("--portrait", portrait_png, "--microphone", wav, "--output", tmp_path / "a.mp4", "--size", "128")
    assert main(["run", *map(str, given), "--quality", quality]) == 0
    assert levels == {level}
