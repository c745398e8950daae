"""`agent calibrate`."""

from agent.calibrate import Calibration
from agent.calibrate_speech import SpeechCalibration
from agent.config.calibrate import Calibrate
from agent.interrupt import interruptible
from agent.terminal import progress, say


def calibrate(config: Calibrate) -> None:
    """Learns a person and writes the profile."""
    with interruptible(at_once=True) as interrupt:
        calibration = SpeechCalibration(config) if config.speech else Calibration(config)
        interrupt.stop_with(calibration.stop)
        if calibration.live:
            learnt = calibration.guide(say)
        else:
            with progress(calibration.frames, "learning") as advance:
                learnt = calibration.learn(advance)
    for line in learnt:
        say(line)
    say(f"wrote {config.output}")
