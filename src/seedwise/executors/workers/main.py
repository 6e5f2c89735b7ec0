"""How does a worker process serve its session? Commands come in, one a line, and messages go out.

It is started as ``python -m seedwise.executors.workers.main CHECKPOINTS THREADS DEVICE``. When its input ends, its parent is gone
and it ends at once.
"""

import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from seedwise.engines.engine import ENGINES
from seedwise.executors.base import Job

__all__ = ["compute_with", "main", "output_alone"]


def main(checkpoints: str, threads: str, device: str) -> None:
    """Serve commands from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sends Ctrl-C to the whole job: the parent says what follows
    messages = output_alone()
    stop = threading.Event()
    commands: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(stop, commands), daemon=True).start()

    from seedwise.executors.workers.worker import Worker

    compute_with(device, int(threads))
    worker = Worker(Path(checkpoints), device, messages, stop)
    while True:
        while not worker.busy or not commands.empty():
            command = commands.get()
            if command["do"] == "train":
                job, data = Job.from_json(command["job"]), Path(command["data"])
                worker.take_up(job, data, ENGINES[command["engine"]], command["width"])
            elif command["do"] == "export":
                worker.export(command)
        worker.advance()


def compute_with(device: str, threads: int) -> None:
    """Let this process compute on a device with some threads, as all workers do: equal bits on equal devices."""
    import torch

    torch.set_num_threads(threads)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)  # recordings, and streams, are those of the current device
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        # Nothing is read before it is written, so nothing need be filled; a property of the module.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def output_alone() -> TextIO:
    """Return standard output for messages alone: what a library prints goes to standard error from now on."""
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return messages


def _listen(stop: threading.Event, commands: "queue.Queue[dict[str, Any]]") -> None:
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "stop":
            stop.set()
        else:
            commands.put(command)
    os._exit(0)  # the parent is gone: whatever is not reported is replayed from the last checkpoint


if __name__ == "__main__":
    main(*sys.argv[1:])
