"""`agent run` and `agent demo`."""

import json
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

from agent.build import build
from agent.config.run import Demo, Run
from agent.interrupt import interruptible
from agent.metrics import served_metrics
from agent.terminal import progress, say, status_line
from models.errors import AgentError, InputError
from runtime.sinks import Sink
from runtime.sinks.codecs import EXTENSIONS
from runtime.sinks.video_file import VideoFile


def run(config: Run) -> None:
    """Runs until the files end, or somebody ends it."""
    with interruptible(at_once=True) as interrupt:
        session = None
        try:
            session = build(config, say, lambda: interrupt.asked)
            interrupt.stop_with(session.loop.stop)
            if session.plan.offline:
                with progress(session.plan.frames) as advance:
                    session.loop.run_offline(session.plan.frames, advance)
            else:
                announce(session.sinks)
                with served_metrics(config.metrics_port, session.status, say), status_line(session.status):
                    session.loop.run_live()
        finally:  # a failed run is the one whose figures are wanted most
            if session is not None:
                session.close()
            if session is not None and config.report is not None:
                write_report(config.report, session.report().as_dict())
        if interrupt.asked and session.loop.tempo.frames == 0:
            raise KeyboardInterrupt
        done, wanted = session.loop.tempo.frames, session.plan.frames
        cut = f": {done} of {wanted} pictures" if interrupt.asked and session.plan.offline and done < wanted else ""
        for path in session.written():
            say(f"wrote {path}{cut}")


def demo(config: Demo) -> None:
    """Writes a video of the bundled portrait and speech, and prints where."""
    if config.output.suffix.lower() not in EXTENSIONS:
        raise InputError(f"--output {config.output}: give a file ending in {', '.join(EXTENSIONS)}")
    try:
        config.output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {config.output}: {error.strerror or error}") from None
    example = files("agent") / "example"
    with as_file(example / "portrait.png") as portrait, as_file(example / "speech.wav") as speech:
        run(Run(portrait=portrait, microphone=str(speech), output=(str(config.output),), framing="head"))
    print(config.output.resolve())


def announce(sinks: Iterable[Sink]) -> None:
    """Says where a live run is to be seen and heard."""
    for sink in sinks:
        is_file = isinstance(sink, VideoFile)
        say(f"writing {sink.name}" if is_file else f"{sink.name}: {getattr(sink, 'url', 'on')}")


def write_report(path: Path, figures: dict[str, object]) -> None:
    """Writes `--report`. Raises AgentError."""
    try:
        path.write_text(json.dumps(figures, indent=2) + "\n")
    except OSError as error:
        raise AgentError(f"--report {path} cannot be written: {error.strerror or error}") from None
