"""Inside the virtual machine: `agent run` with the webcam, a process of its own."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.devices.guest.loopback import until


class Agent:
    """What it said and when."""

    def __init__(self, report: Path, side: int, fps: int) -> None:
        code = "from agent.program import program; program()"
        portrait = Path("agent/example/portrait.png")
        words = ["run", f"--portrait={portrait}", "--mode=video", "--camera=Webcam", f"--size={side}", f"--fps={fps}"]
        words.append(f"--report={report}")
        self.process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True)
        self.said: list[tuple[float, str]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append((time.monotonic(), line.rstrip()))

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def heard(self, words: str, since_s: float = 0.0) -> list[float]:
        """When it said so."""
        return [at_s for at_s, line in self.said if words in line and at_s >= since_s]

    def wait_for(self, words: str, since_s: float = 0.0, patience_s: float = 1200) -> float:
        """When it says so for the first time. Raises TimeoutError, or RuntimeError if it ends before."""
        until(lambda: bool(self.heard(words, since_s)) or self.ended, f"the agent says '{words}'", patience_s)
        if not self.heard(words, since_s):
            raise RuntimeError(f"the agent ended with {self.process.wait()}: {self.said}")
        return self.heard(words, since_s)[0]

    def end(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)
