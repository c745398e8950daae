"""`agent eval`."""

from agent.config.eval import Eval
from agent.eval.evaluation import Evaluation
from agent.interrupt import interruptible
from agent.terminal import progress, say


def evaluate(config: Eval) -> None:
    """Prints the table and what is missing from it, and says where the page is."""
    with interruptible(at_once=True):
        evaluation = Evaluation(config, say)
        with progress(evaluation.pictures, "comparing") as advance:
            table = evaluation.run(advance)
    print(table)
    for note in table.notes:
        say(note)
    say(f"wrote {config.output / 'eval.html'}, {config.output / 'eval.json'} and the videos beside them")
