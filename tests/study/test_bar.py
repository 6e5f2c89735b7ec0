"""Does the progress bar say where a study stands, and only to a person?"""

import io
import re
import sys

import pytest

from seedwise import TrialState
from seedwise.study.bar import StudyBar
from seedwise.study.progress import StudyProgress

BAR = re.compile("[━╸╺]+")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal(io.StringIO):
    """Keeps what is written to it, as a terminal would show it."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Sets the time that the bar reads."""
    now = [0.0]
    monkeypatch.setattr("seedwise.study.bar.time.monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, seconds)


@pytest.fixture
def shown(monkeypatch, clock):
    """Shows a study at some points in time, and returns the lines that stand there last."""

    def show(*points):
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}.items():
            monkeypatch.setenv(name, value)
        for name in ("TTY_COMPATIBLE", "FORCE_COLOR", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        with StudyBar() as bar:
            for seconds, study in points:
                clock(seconds)
                bar.update(study)
        drawn = BAR.split(CONTROL.sub("", screen.getvalue()))
        return [line.strip() for line in drawn[-1].splitlines() if line.strip()]

    return show


def progress(done, left, best=None, **states):
    counts = {state: states.get(state.value, 0) for state in TrialState}
    return StudyProgress(states=counts, evaluations_done=done, evaluations_left=left, best=best or {})


def test_first_look_knows_no_speed_and_no_best(shown):
    assert shown((0.0, progress(0, 40, waiting=3, running=1))) == ["0 of 40 evaluations", "3 waiting · 1 running"]


def test_speed_and_time_left_count_from_the_first_look(shown):
    (line, *_) = shown((100.0, progress(20, 180, running=1)), (110.0, progress(45, 155, running=1)))
    assert line == "45 of 200 evaluations · 2.5 per second · 1:02 left"


def test_best_of_each_task_has_a_line_of_its_own(shown):
    best = {"rte": ("accuracy", 0.75), "cola": ("matthews", 0.5)}
    lines = shown((0.0, progress(5, 5, best, paused=2, stopped=1)))
    assert lines == ["5 of 10 evaluations", "2 paused · 1 stopped", "best: rte accuracy 0.750 · cola matthews 0.500"]


def test_silent_where_nobody_looks(capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    with StudyBar() as bar:
        bar.update(progress(1, 2, running=1))
    assert capsys.readouterr() == ("", "")
