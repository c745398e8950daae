"""A video file: a short one is written beside the one that is wanted, and read."""

import tempfile
from pathlib import Path

from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.pattern import compare_pattern, draw_pattern
from models.errors import AgentError
from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.video_file import VideoFile
from runtime.sources.media import ClipFrames

_PICTURES = 5


def try_video_file(output: str, size: tuple[int, int], fps: int) -> OutputTrial:
    """`output` as in `--output`; what is there already is left as it is."""
    wanted = Path(output)
    try:
        with tempfile.TemporaryDirectory(dir=wanted.resolve().parent, prefix=".agent-doctor-") as folder:
            path = Path(folder) / f"trial{wanted.suffix}"
            video = VideoFile(path, fps, size, live=False, sound=False)
            for number in range(_PICTURES):
                instant_ns = round(number * 1e9 / fps)
                video.send(Picture(draw_pattern(size), Motion(instant_ns), instant_ns))
            video.close()
            clip = ClipFrames(path)
            frame = next(iter(clip), None)
            clip.close()
    except AgentError as error:
        return OutputTrial(output, refusal=str(error))
    except OSError as error:
        return OutputTrial(output, refusal=f"--output {output}: {error.strerror or error}")
    difference = "it holds no picture" if frame is None else compare_pattern(frame.image)
    return OutputTrial(output, str(wanted), difference=difference)
