"""Starts three instances on ports 8000 to 8002 that share a SQLite file, without Docker.

``hatch run python examples/instances/run.py [PORT]``; Ctrl-C ends them. ``TASKS_URL`` chooses
another storage, such as ``redis://localhost``. Kill one while it works, and see who goes on.
"""

import signal
import subprocess
import sys
from pathlib import Path

NUMBER = 3


def main(first: int) -> None:
    """Run them until told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(Path(__file__).parent)]
    instances = [
        subprocess.Popen([*command, "--port", str(first + each), "--no-access-log"])
        for each in range(NUMBER)
    ]
    for each, instance in enumerate(instances):
        port = first + each
        print(f"http://127.0.0.1:{port}/tasks/dashboard is process {instance.pid}", flush=True)
    try:
        for instance in instances:
            instance.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for instance in instances:
            instance.send_signal(signal.SIGTERM)
        for instance in instances:
            instance.wait(30)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
