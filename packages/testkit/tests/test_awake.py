"""Time in which a process could run."""

import os
import signal
import subprocess
import sys
import time

from fastapi_taskflow_testkit.awake import AwakeClock

PROGRAM = """
import os, signal, time
from fastapi_taskflow_testkit.awake import AwakeClock

with AwakeClock() as clock:
    began = time.monotonic()
    os.kill(os.getpid(), signal.SIGSTOP)
    while clock.seconds == 0:
        time.sleep(0.01)
    print(time.monotonic() - began, clock.seconds)
"""


def test_what_only_this_thread_waits_for_counts() -> None:
    with AwakeClock() as clock:
        while clock.seconds < 0.1:
            time.sleep(0.05)


def test_the_time_in_which_the_process_stood_still_does_not_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True
    ) as process:
        os.waitpid(process.pid, os.WUNTRACED)
        time.sleep(1)  # it stands still
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate()
    passed, awake = map(float, said.split())
    assert passed >= 1
    assert awake < 0.5
