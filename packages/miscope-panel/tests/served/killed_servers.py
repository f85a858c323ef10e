"""Forks servers of one workspace, each killed at a random moment while it is asked for trainings.

Run by test_killed_servers.py; prints the numbers of the runs that a server said it had taken, and how often one that
was asked went away without an answer.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

from miscope.workspace import open_workspace
from miscope_panel import app, attendance
from miscope_panel.serving import Address, serve

NOBODY = (sys.executable, "-c", "")


def begin(root: Path) -> tuple[int, str]:
    """The number of a server's process, and its address."""
    reads, writes = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(writes, 1)
        try:
            serve(open_workspace(root), Address(port=0))
        finally:
            os._exit(1)
    os.close(writes)
    with os.fdopen(reads) as said:
        lines = [said.readline() for _ in range(2)]
    return process, lines[1].split()[1]


def ask(address: str, seed: int) -> int:
    """The number of the run that trains with that seed."""
    body = {"family": "toy.sum", "params": {"seed": seed}, "threads": 1}
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{address}api/v1/trainings", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(json.load(answer)["id"])


def main(root: Path, rounds: int) -> None:
    # Runs are asked for here, and who works on them is another test's matter.
    attendance.supervisor_process = lambda root: subprocess.Popen(NOBODY)
    # What it imports is then there, and the servers spend their lives serving.
    app.application(open_workspace(root.with_name("first")), ThreadPoolExecutor(1), hosts=frozenset())
    process, address = begin(root)
    began = time.monotonic()
    taken = {0: ask(address, 0)}
    longest = max(0.5, 3 * (time.monotonic() - began))  # a busy machine takes its time, and some have to answer first
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    unanswered = 0
    seed = 0
    for _ in range(rounds):
        process, address = begin(root)
        kill = threading.Timer(random.uniform(0.0, longest), os.kill, [process, signal.SIGKILL])
        kill.start()
        while True:
            seed += 1
            try:
                taken[seed] = ask(address, seed)
            except (OSError, HTTPException):
                unanswered += 1
                break
        kill.join()
        os.waitpid(process, 0)
    print(json.dumps({"taken": taken, "unanswered": unanswered}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
