"""A second process of the agent, for work that takes Python or memory away from a running picture.

`Worker` is the side of the run; `python -m runtime.worker` is the other one.
"""

import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from models.errors import AgentError
from runtime.parcel import collect, pack, post, receive, send, unpack

Question = TypeVar("Question")
Answer = TypeVar("Answer")

_NICER, _NICEST = 10, 19  # than the run, whose picture goes first; and at most
_ENDING_S = 1.0  # that a process which has closed its pipes may still take to end by itself
_LIMIT_S = 60.0
_ROOT = Path(__file__).parent.parent


class Worker(Generic[Question, Answer]):
    """Answers questions in a process of its own, one at a time, at a lower priority.

    The process has nothing of the run but its environment: no device, socket or thread. It ends with the run, however
    that ends. One that ends before is replaced for the next question.
    """

    def __init__(
        self, task: str, warm_up: Callable[[], object], answer: Callable[[Question], Answer], limit_s: float = _LIMIT_S
    ) -> None:
        """No process yet.

        Args:
            task: what it does, as in "preparing the photo", for messages.
            warm_up: called once in the process, before the first question: imports, models.
            answer: called in the process for each question. Both are functions of modules, and questions and answers
                can be pickled.
            limit_s: how long one answer may take, warming up included.
        """
        self._task, self._calls, self._limit_s = task, (warm_up, answer), limit_s
        self._asking = threading.Lock()
        self._lock = threading.Lock()  # guards the two below
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def start(self) -> None:
        """Starts the process, if there is none, and waits for nothing: it warms up meanwhile."""
        self._running()

    def ask(self, question: Question) -> Answer:
        """What the function answers. Any thread; questions wait for one another.

        Raises:
            AgentError: as the function raises it, InputError among them; or anything else that it raised, in words; or
                the process has ended or is ended for taking too long, which costs this answer only; or `close` was
                called.
        """
        with self._asking:
            process = self._running()
            questions, answers = _pipes(process)
            late = threading.Event()
            deadline = threading.Timer(self._limit_s, _give_up, (process, late))
            deadline.start()
            try:
                send(questions, question)
                answer = receive(answers)
            except (OSError, EOFError):
                raise self._lost(process, late.is_set()) from None
            except BaseException:  # half a question or answer may be in the pipes
                _end(process)
                raise
            finally:
                deadline.cancel()
        if isinstance(answer, AgentError):
            raise answer
        return answer

    def close(self) -> None:
        """Ends the process, whatever it does, and its answer with it. May be called twice."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                _end(self._process)

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise AgentError("the run has ended")
            if self._process is None or self._process.poll() is not None:
                self._process = _begin(self._calls)
            return self._process

    def _lost(self, process: subprocess.Popen[bytes], late: bool) -> AgentError:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING_S)
        _end(process)
        if self._closed:
            return AgentError("the run has ended")
        if late:
            return AgentError(f"{self._task} failed, since it took longer than {self._limit_s:g} s; try again")
        how = _how_it_ended(process.returncode)
        return AgentError(f"{self._task} failed, since its process has ended ({how}); try again")


def _how_it_ended(code: int) -> str:
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return f"signal {-code}: too little memory?"
    return f"{f'exit code {code}' if code >= 0 else f'signal {-code}'}: AGENT_TRACEBACK=1 shows why"


def _begin(calls: object) -> subprocess.Popen[bytes]:
    """A process that answers. What this one has open stays here; Ctrl-C, which ends the run, is not for it."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "runtime.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if "AGENT_TRACEBACK" in os.environ else subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)])},
        process_group=0,  # in a session of its own, Linux might weigh it as much as all of the run
    )
    if sys.platform != "win32":  # which has no such numbers
        niceness = min(os.getpriority(os.PRIO_PROCESS, 0) + _NICER, _NICEST)
        os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
    with suppress(OSError):  # it has ended already, of which whoever asks will hear
        send(_pipes(process)[0], calls)
    return process


def _give_up(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and collects what is left of it."""
    process.kill()
    process.wait()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[BufferedWriter, BufferedReader]:
    assert isinstance(process.stdin, BufferedWriter)
    assert isinstance(process.stdout, BufferedReader)
    return process.stdin, process.stdout


def serve() -> None:
    """The process's side: answers what comes by stdin until it is closed, then ends at once."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    questions: SimpleQueue[list[memoryview]] = SimpleQueue()
    threading.Thread(target=_listen, args=(os.fdopen(0, "rb"), questions), daemon=True).start()
    warm_up, answer = unpack(questions.get())
    warm_up()
    while True:
        post(answers, _outcome(answer, questions.get()))


def _listen(stream: BufferedReader, questions: SimpleQueue[list[memoryview]]) -> None:
    try:
        while True:
            questions.put(collect(stream))
    finally:  # the run has ended; whatever is done or imported meanwhile is for nobody
        os._exit(0)


def _outcome(answer: Callable[[Any], Any], question: Sequence[memoryview]) -> list[memoryview]:
    """The answer as it travels, or the AgentError that the run raises in its place."""
    try:
        return pack(answer(unpack(question)))
    except AgentError as error:
        return pack(error)
    except Exception as error:
        traceback.print_exc()
        return pack(AgentError(f"failed: {type(error).__name__}: {error}"))


if __name__ == "__main__":
    serve()
