"""A process that answers: values there and back, failures in words, and its end."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.errors import AgentError, InputError
from runtime.change import Upload
from runtime.worker import Worker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 20


def nothing() -> None:
    pass


def broken() -> None:
    raise RuntimeError("no such model")


def answer(question):
    """What the process does, by the first word."""
    if isinstance(question, np.ndarray):
        return [question, question]
    match question:
        case "pid":
            return os.getpid(), os.getpriority(os.PRIO_PROCESS, 0), os.getpgid(0)
        case "print":
            print("a line on stdout", flush=True)
            os.system("echo another")
            return "printed"
        case "refuse":
            raise InputError("cat.png shows no human face")
        case "break":
            raise RuntimeError("odd picture")
        case "exit":
            os._exit(3)
        case "terminate":
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(600)
        case "lock":
            return threading.Lock()
        case "sleep":
            time.sleep(600)
        case "open":
            return {int(fd.name): str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.exists()}
    return question


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("the change", nothing, answer)
    yield worker
    worker.close()


def gone(pid: int) -> bool:
    """Whether a process has ended and left nothing, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until(condition) -> None:
    for _ in range(100 * PATIENCE_S):
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not come to pass")


def test_arrays_travel_whole_and_may_be_written_to(worker: Worker) -> None:
    numbers = np.random.default_rng(1).random((700, 300, 2), np.float32)
    for sent in (numbers, np.asfortranarray(numbers[..., 0]), numbers[::2, :, 0], np.empty((0, 3))):
        one, two = worker.ask(sent)
        assert one is two, "what is one array stays one"
        assert np.array_equal(one, sent) and one.dtype == sent.dtype
        one[:1] = 7
    assert worker.ask(("a", None, b"bytes")) == ("a", None, b"bytes")


def test_uploads_travel_beside_the_pickle(worker: Worker) -> None:
    upload = Upload("me.png", bytes(range(256)) * 1000)
    back = worker.ask(upload)
    assert (back.name, back.data) == (upload.name, upload.data)
    assert len(pickle.dumps(upload, 5, buffer_callback=lambda _: None)) < 500


def test_it_is_another_process_that_gives_way_and_ctrl_c_does_not_reach(worker: Worker) -> None:
    pid, priority, group = worker.ask("pid")
    assert pid != os.getpid() and group != os.getpgid(0)
    assert priority > os.getpriority(os.PRIO_PROCESS, 0)
    assert worker.ask("pid")[0] == pid


def test_what_libraries_print_disturbs_no_answer(worker: Worker) -> None:
    assert worker.ask("print") == "printed"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux")
def test_it_inherits_no_device_and_no_socket(worker: Worker, tmp_path: Path) -> None:
    with (tmp_path / "camera").open("w"):
        opened = worker.ask("open")
    assert not [target for target in opened.values() if "camera" in target or "socket" in target]


def test_failures_come_back_in_words_and_the_next_question_is_answered(worker: Worker) -> None:
    pid = worker.ask("pid")[0]
    with pytest.raises(InputError, match=r"^cat\.png shows no human face$"):
        worker.ask("refuse")
    with pytest.raises(AgentError, match=r"^failed: RuntimeError: odd picture$"):
        worker.ask("break")
    with pytest.raises(AgentError, match=r"^failed: TypeError: cannot pickle '_thread\.lock' object$"):
        worker.ask("lock")
    assert worker.ask("pid")[0] == pid


def test_a_process_that_ends_costs_one_answer(worker: Worker) -> None:
    pid = worker.ask("pid")[0]
    with pytest.raises(AgentError, match=r"the change failed, since its process has ended \(exit code 3"):
        worker.ask("exit")
    assert gone(pid)
    assert worker.ask("pid")[0] != pid


@pytest.mark.parametrize(("warm_up", "how"), [(broken, "exit code 1"), (nothing, "signal 15")])
def test_how_a_process_ended_by_itself_is_said(warm_up, how: str) -> None:
    worker = Worker("the change", warm_up, answer)
    for _ in range(2):
        with pytest.raises(AgentError, match=rf"its process has ended \({how}: AGENT_TRACEBACK=1 shows why\)"):
            worker.ask("terminate")
    worker.close()


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    worker = Worker("the change", nothing, answer, limit_s=0.5)
    with pytest.raises(AgentError, match=r"^the change failed, since it took longer than 0\.5 s; try again$"):
        worker.ask("sleep")
    assert worker._process is not None and gone(worker._process.pid)
    worker.close()


def test_one_that_is_killed_at_work_costs_one_answer(worker: Worker) -> None:
    pid = worker.ask("pid")[0]
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(AgentError, match=r"signal 9: too little memory\?"):
        worker.ask("sleep")
    assert gone(pid)
    assert worker.ask("hello") == "hello"


def test_one_that_is_killed_at_rest_costs_nothing(worker: Worker) -> None:
    worker.start()
    process = worker._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert worker.ask("hello") == "hello"
    assert gone(process.pid)


def test_closing_ends_it_at_work_too(worker: Worker) -> None:
    pid = worker.ask("pid")[0]
    closer = threading.Timer(0.3, worker.close)
    closer.start()
    with pytest.raises(AgentError, match="the run has ended"):
        worker.ask("sleep")
    closer.join()
    assert gone(pid)
    with pytest.raises(AgentError, match="the run has ended"):
        worker.ask("hello")


RUN = """
import sys, threading
from runtime.worker import Worker
from tests.runtime.test_worker import answer, nothing
worker = Worker("the change", nothing, answer)
print(worker.ask("pid")[0], flush=True)
threading.Thread(target=worker.ask, args=("sleep",), daemon=True).start()
print("working", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["killed", "at its end"])
def test_it_ends_with_the_run_even_at_work(how: str) -> None:
    command = [sys.executable, "-c", RUN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as run:
        assert run.stdin is not None and run.stdout is not None
        pid = int(run.stdout.readline())
        assert run.stdout.readline() == "working\n"
        assert not gone(pid)
        if how == "killed":
            run.kill()
        else:
            run.stdin.close()
        run.wait(PATIENCE_S)
    wait_until(lambda: gone(pid) or zombie(pid))


def zombie(pid: int) -> bool:
    """Whether a process has ended, and whoever adopted it has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
