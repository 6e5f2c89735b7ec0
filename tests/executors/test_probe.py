"""Does a probe tell the time of the steps that a long study is made of?"""

import pytest

from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.executors import lanes, probe


class Told:
    """A stack in which a step takes a second, and two more where its number is new, as where it has to be recorded."""

    def __init__(self):
        self.now, self.members, self.steps = 0.0, [], []

    def join(self, training):
        self.members.append(training)

    def step(self):
        for member in self.members:
            member.step += 1
        number = self.members[0].step
        self.now += 1.0 if number in self.steps else 3.0
        self.steps.append(number)


class Member:
    step = 0


@pytest.fixture
def stack(monkeypatch):
    told = Told()
    monkeypatch.setattr(lanes, "lane", lambda *_: told)
    monkeypatch.setattr(lanes, "begin", lambda *_: Member())
    monkeypatch.setattr(probe, "compute_with", lambda *_: None)
    monkeypatch.setattr(probe.time, "monotonic", lambda: told.now)
    return told


@pytest.fixture
def asked(task, recipe):
    data = tokenize(task, recipe.model, recipe.max_length).folder
    trial = Trial(task, recipe, Seeds(1, 1)).to_json()
    return {"trial": trial, "data": str(data), "seconds": 20.0, "threads": 1, "width": 2, "path": "fused"}


def test_on_a_gpu_what_is_recorded_first_is_not_counted(stack, asked):
    assert probe._seconds_per_step(asked, "cuda:0") == 1.0
    assert stack.steps == [*range(1, 8), *range(1, 8)]
    assert len(stack.members) == 2


@pytest.mark.parametrize(("path", "device"), [("fused", "cpu"), ("packed", "cuda:0")])
def test_where_nothing_is_recorded_steps_are_taken_once(stack, asked, path, device):
    assert probe._seconds_per_step({**asked, "path": path}, device) == 3.0
    assert stack.steps == [*range(1, 8)]
