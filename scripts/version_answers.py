"""What does the version of seedwise that a Python has installed answer to commands, in one process?

`Version` is the side that asks; run by that Python, this file is the side that answers: it reads one command a line, a JSON
list of words, and writes one answer a line, a JSON object of exit code, output and errors. One process answers many commands,
because loading the libraries takes longer than most of them.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Self

from version_studies import spelt

__all__ = ["Version", "main"]


class Version:
    """A version of seedwise: the one that a Python has installed.

    Args:
        python: Its Python.
        cache: Folder for what it keeps of all studies.
    """

    def __init__(self, python: Path, cache: Path) -> None:
        self.python, self.environment = python, _environment(python, cache)
        self._process = subprocess.Popen(
            [python, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment
        )
        self._manual = ""
        self._manual = self.ask("run", "--help")["out"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()

    def spelt(self, command: Sequence[str]) -> list[str]:
        """Return a command in this version's words."""
        return spelt(command, self._manual)

    def ask(self, *command: str) -> dict[str, Any]:
        """Return code, out and errors of a command."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(self.spelt(command)), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.python} died of: seedwise {' '.join(command)}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _environment(python: Path, cache: Path) -> dict[str, str]:
    """Return an environment without network and other tests' caches, and for another Python without ours."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" or str(python) == sys.executable}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {**own, **offline, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "SEEDWISE_CACHE": str(cache)}


def main() -> None:
    """Answer until there are no more commands."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what a library prints beside Python is no answer
        for line in sys.stdin:
            print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


def _answer(command: Sequence[str]) -> dict[str, Any]:
    from seedwise.cli import main as seedwise

    out, errors, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["seedwise", *command]
    with redirect_stdout(out), redirect_stderr(errors):
        try:
            seedwise()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return {"code": code, "out": out.getvalue(), "errors": errors.getvalue()}


if __name__ == "__main__":
    main()
