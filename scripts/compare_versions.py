"""Does this version of seedwise still give what another one gave: the same trial ids, curves, statistics and tables?

    python scripts/compare_versions.py make ../base ../reference   let the checkout ../base make one study of each kind
    python scripts/compare_versions.py check ../reference          compare the version that runs this script with it
    python scripts/compare_versions.py check ../reference lora     the same for one kind of study
    python scripts/compare_versions.py --quick                     imported runs against themselves, without a reference

`make` keeps every study as it was left (some are killed or stopped halfway) and as it ended, with what the reference says
of both: status, analyze, compare, plan, report, and every table of export, which holds every loss and evaluation. `check` lets
the version under test do four things, compares each with the reference, and exits with 1 where anything differs:

    opened     the study as it was left is opened, analysed, reported and exported
    continued  the same study is trained to its end, if it was not there yet
    ended      the reference's own end of it is opened, analysed, reported and exported
    anew       the study is made once more from nothing

Which kinds there are is in version_studies.py; what is not compared, and why, in version_differences.py. Curves are equal
bit for bit on one kind of processor alone, so `make` and `check` belong on the same machine; the folder must not be moved,
since the studies know where their rows are.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from signal import SIGINT
from subprocess import DEVNULL, Popen, run
from typing import Any, NamedTuple

from version_answers import Version
from version_differences import Differences, differences
from version_studies import KINDS, QUICK, Kind, Stop, write_rows

__all__ = ["main"]

QUESTIONS = {
    "status": ("status", "{study}"),
    "analyze": ("analyze", "{study}", "--json"),
    "plan": ("plan", "{study}", "--budget=1..4", "--json"),
    "report": ("report", "{study}"),
    "export": ("export", "{study}", "--output={tables}"),
}
"""What is asked of every study."""

SHOWN = 5
"""Differences that are printed of each comparison."""

PATIENCE = 300.0
"""Seconds in which a run must come to where it is to be stopped."""

LANES = 2
"""Studies that are worked on at once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the reference's studies, or compare with them; return 1 where something differs."""
    parser = argparse.ArgumentParser(description="Compare what two versions of seedwise give for the same studies.")
    parser.add_argument("--quick", action="store_true", help="compare the version that runs this with itself, in small")
    commands = parser.add_subparsers(dest="command")
    make = commands.add_parser("make", help="let a checkout of the reference version make the studies")
    make.add_argument("reference", type=Path, help="a checkout with its own .venv")
    check = commands.add_parser("check", help="compare the version that runs this script with the reference")
    for command in (make, check):
        command.add_argument("folder", type=Path, help="where the reference's studies and answers are")
        names = [kind.name for kind in KINDS]
        command.add_argument("kinds", nargs="*", metavar="kind", help=f"of {', '.join(names)}; all by default")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        with tempfile.TemporaryDirectory() as folder:
            _make(Path(sys.executable), Path(folder) / "reference", QUICK)
            return _check(Path(folder) / "reference", QUICK)
    if chosen.command is None:
        parser.error("say make, check or --quick")
    kinds = [kind for kind in KINDS if not chosen.kinds or kind.name in chosen.kinds]
    folder = chosen.folder.resolve()
    if chosen.command == "check":
        return _check(folder, kinds)
    _make(chosen.reference.absolute() / ".venv" / "bin" / "python", folder, kinds)
    return 0


# One study ------------------------------------------------------------------------------------------------------------


class WrongError(Exception):
    """A version did not do what it was told."""


class Bench(NamedTuple):
    """Where one kind of study is worked on, and by which version.

    Studies are always worked on in the same place, because where an intermediate task's model lies is part of the recipes,
    and so of the trial ids, that start from it.
    """

    folder: Path
    kind: Kind
    version: Version

    @property
    def study(self) -> Path:
        """The study that is worked on."""
        return self.folder / "work" / self.kind.name

    def kept(self, state: str) -> Path:
        """Return where the study is kept as it was ``left`` or as it ``ended``."""
        return self.folder / state / self.kind.name

    def keep(self, state: str) -> None:
        """Keep the study, and what the version answers of it."""
        shutil.copytree(self.study, self.kept(state))
        self.ask(self.folder / "answers" / f"{self.kind.name}-{state}")

    def restore(self, state: str | None) -> None:
        """Put a copy of what was kept into place, or nothing."""
        shutil.rmtree(self.study, ignore_errors=True)
        self.study.parent.mkdir(exist_ok=True)
        if state is not None:
            shutil.copytree(self.kept(state), self.study)

    def begin(self) -> list[str]:
        """Return the command that makes the study."""
        name, *words = (word.format(rows=self.folder / "rows") for word in self.kind.command)
        before = [] if self.kind.is_trained else [words.pop(0)]  # the file that is imported
        return [name, *before, str(self.study), *words]

    def train(self, *, anew: bool) -> None:
        """Make the study from nothing, or continue the one that is there."""
        if anew:
            self.restore(None)
        command = self.begin() if anew else ["run", str(self.study)]
        answer = self.version.ask(*command, *self.kind.engine)
        if answer["code"]:
            raise WrongError(f"seedwise {' '.join(command)} failed: {answer['errors'].strip()}")

    def ask(self, answers: Path) -> None:
        """Write what the version says of every part of the study: answers.json, and tables/ with what it exports."""
        found: dict[str, Any] = {}
        for place in self.kind.places:
            study, tables = self.study / place, answers / "tables" / place
            for name, question in self._questions().items():
                answer = self.version.ask(*(word.format(study=study, tables=tables) for word in question))
                found[(Path(place) / name).as_posix()] = _without_words(answer)
            found[(Path(place) / "page").as_posix()] = (study / "report.html").exists()
        answers.mkdir(parents=True, exist_ok=True)
        (answers / "answers.json").write_text(json.dumps(found, indent=1), encoding="utf-8")

    def _questions(self) -> dict[str, tuple[str, ...]]:
        compare = ("compare", "{study}", *self.kind.compared, "--format=json")
        return QUESTIONS | ({"compare": compare} if self.kind.compared else {})


def _without_words(answer: dict[str, Any]) -> dict[str, Any]:
    """Return exit code, JSON where a command has printed some, and what it complained of where it failed."""
    found = {"code": answer["code"], **({"errors": answer["errors"]} if answer["code"] else {})}
    with suppress(ValueError):
        found["json"] = json.loads(answer["out"])
    return found


# What the reference gives ---------------------------------------------------------------------------------------------


def _make(python: Path, folder: Path, kinds: Sequence[Kind]) -> None:
    started = time.perf_counter()
    if folder.exists():
        raise SystemExit(f"{folder} is there already; name a new folder")
    write_rows(folder / "rows")
    _each(python, folder, kinds, _make_one)
    commit = ["git", "-C", str(python.parent), "rev-parse", "HEAD"]
    about = {
        "commit": run(commit, capture_output=True, text=True, check=False).stdout.strip(),
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    (folder / "reference.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    print(f"made {len(kinds)} studies in {time.perf_counter() - started:.0f} s", flush=True)


def _make_one(bench: Bench) -> bool:
    """Make one study, and continue a copy of it where it was stopped."""
    if bench.kind.stop is None:
        bench.train(anew=True)
        bench.keep("left")
    else:
        _stopped_run(bench, bench.kind.stop)
        bench.keep("left")
        bench.restore("left")
        bench.train(anew=False)
        bench.keep("ended")
    print(f"{bench.kind.name:9} made", flush=True)
    return True


def _stopped_run(bench: Bench, stop: Stop) -> None:
    """Begin a study and end it on its way."""
    bench.restore(None)
    words = bench.version.spelt([*bench.begin(), *bench.kind.engine])
    command = [str(bench.version.python), "-m", "seedwise", *words]
    environment = bench.version.environment
    process = Popen(command, env=environment, start_new_session=True, stdout=DEVNULL, stderr=DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while not stop.states <= (states := _states(bench.study / stop.study)):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise WrongError(f"{bench.kind.name} never had trials {stop.states} at once; it has {states}")
        time.sleep(0.01)
    if stop.signal == SIGINT:
        process.send_signal(stop.signal)
    else:
        os.killpg(process.pid, stop.signal)
    process.wait(PATIENCE)


def _states(study: Path) -> set[str]:
    """Return in which states trials are."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{study / 'study.db'}?mode=ro", uri=True)) as opened:
        return {state for (state,) in opened.execute("SELECT DISTINCT state FROM trials")}
    return set()


# What this version gives ----------------------------------------------------------------------------------------------


def _check(folder: Path, kinds: Sequence[Kind]) -> int:
    started = time.perf_counter()
    equal = all(_each(Path(sys.executable), folder, kinds, _check_one))
    print(f"{'all equal' if equal else 'NOT all equal'}, in {time.perf_counter() - started:.0f} s", flush=True)
    return 0 if equal else 1


def _check_one(bench: Bench) -> bool:
    """Open, continue and make anew one study; say how each compares with the reference."""
    last = "left" if bench.kind.stop is None else "ended"
    equal = [_compared(bench, "opened", "left")]
    if bench.kind.stop is not None:
        equal += [_compared(bench, "continued", "ended"), _compared(bench, "ended", "ended")]
    return all([*equal, _compared(bench, "anew", last)])


def _compared(bench: Bench, check: str, state: str) -> bool:
    """Bring the study to a state, and print where this version says something else of it than the reference."""
    head, trained = f"{bench.kind.name:9} {check:10}", check in ("continued", "anew")
    try:
        if check == "anew":
            bench.train(anew=True)
        else:
            bench.restore("left" if check == "continued" else state)
        if check == "continued":
            bench.train(anew=False)
    except WrongError as error:
        print(f"{head} {error}", flush=True)
        return False
    with tempfile.TemporaryDirectory() as answers:
        bench.ask(Path(answers))
        reference = bench.folder / "answers" / f"{bench.kind.name}-{state}"
        found = differences(reference, Path(answers), trained=trained and bench.kind.is_trained)
    print("\n".join(_lines(head, found)), flush=True)
    return not found.found


def _lines(head: str, found: Differences) -> list[str]:
    more = f"; new tables: {', '.join(found.new_tables)}" if found.new_tables else ""
    if not found.found:
        return [f"{head} equal: {found.compared:,} figures{more}"]
    shown = [f"    {sentence}" for sentence in found.found[:SHOWN]]
    return [f"{head} {len(found.found):,} of {found.compared:,} figures DIFFER{more}", *shown]


def _each(python: Path, folder: Path, kinds: Sequence[Kind], work: Callable[[Bench], bool]) -> list[bool]:
    """Do the work for every kind, alone in the folder and on several lanes, each with a process of the version."""
    with (folder / "lock").open("w") as lock, tempfile.TemporaryDirectory() as cache:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = list(reversed(kinds))

        def lane(_: int) -> list[bool]:
            done = []
            with Version(python, Path(cache)) as version:
                while waiting:
                    done.append(work(Bench(folder, waiting.pop(), version)))
            return done

        with ThreadPoolExecutor(LANES) as lanes:
            return [one for done in lanes.map(lane, range(LANES)) for one in done]


if __name__ == "__main__":
    sys.exit(main())
