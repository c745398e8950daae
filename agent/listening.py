"""Sound that is heard beside the frames of a calibration."""

import threading
from collections import deque

from calibration.mouth_heard import MouthHeard
from models.audio.speech_mouth import HOP, HOP_NS
from runtime.resample import SpeechWindows
from runtime.sound import AudioWindow, Sound
from runtime.sources import Source


class Listening:
    """A source of sound, and what the speech network hears in it."""

    def __init__(self, source: Source[Sound]) -> None:
        self._source = source
        self._windows = SpeechWindows(hop_samples=HOP)
        self._blocks: deque[Sound] = deque()  # filled by the thread
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._listen, name="calibration sound", daemon=True)
        self.heard = MouthHeard()

    def start(self) -> None:
        """Listens in a thread of its own from now on; `take` gives what came."""
        self._thread.start()

    def take(self) -> float:
        """Hears what has come since, and says how many seconds of speech that was.

        Raises AgentError when the microphone has failed.
        """
        speech_s = 0.0
        while self._blocks:
            speech_s += self._hear(self._windows.push(self._blocks.popleft()))
        if self._failure is not None:
            raise self._failure
        return speech_s

    def hear_all(self, until_ns: int) -> None:
        """Hears a file up to an instant, in this thread."""
        for sound in self._source:
            if sound.pts_ns >= until_ns:
                break
            self._hear(self._windows.push(sound))
        self._hear(self._windows.flush())

    def close(self) -> None:
        """Frees the source."""
        self._source.close()

    def _listen(self) -> None:
        try:
            self._blocks.extend(self._source)
        except BaseException as error:
            self._failure = error

    def _hear(self, windows: list[AudioWindow]) -> float:
        return sum(self.heard.add(window.samples, window.pts_ns) for window in windows) * HOP_NS / 1e9
