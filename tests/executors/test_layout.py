"""Is what is asked for heeded, does a study go on as it began, and is the rest what is fast as a rule?"""

import pytest

from seedwise import RequestError, Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.engines import kernels, memory
from seedwise.engines.engine import COMPILED, FUSED, PACKED, PLAIN
from seedwise.executors import layout
from seedwise.executors.base import Remaining
from seedwise.executors.environment import device_name
from seedwise.executors.layout import Layout, Request, choose, stack_room, usual
from seedwise.values.facts import Environment

FREE = Request(None, None, None, None, ["cpu"])
ON_A_GPU = Request(None, None, None, None, ["cuda:0"])
ROOM = 64


@pytest.fixture(autouse=True)
def two_cores_with_kernels(monkeypatch):
    monkeypatch.setattr(layout, "cores", lambda: 2)
    monkeypatch.setattr(kernels, "reason", lambda: None)


@pytest.fixture
def data(task, recipe):
    return tokenize(task, recipe.model, recipe.max_length).folder


@pytest.fixture
def remaining(task, recipe):
    def of(trials=1000, **origin):
        return Remaining(
            Trial(task, recipe, Seeds(1, 1)), trials=trials, steps=10**8, environment=Environment.from_json(origin)
        )

    return of


class TestUsual:
    def test_on_a_cpu_is_one_compiled_trial_a_core(self, recipe):
        assert usual(recipe, FREE) == (Layout(COMPILED, 2, 1), "usually the fastest on a CPU")

    def test_on_a_gpu_is_as_many_trials_as_fit(self, recipe):
        assert usual(recipe, ON_A_GPU, 5).layout == Layout(FUSED, 1, 1, 5)
        assert usual(recipe, ON_A_GPU, 1000).layout == Layout(FUSED, 1, 1, 64)

    def test_on_a_gpu_is_a_stack_of_one_where_not_one_is_sure_to_fit(self, recipe):
        assert usual(recipe, ON_A_GPU, 0).layout == Layout(FUSED, 1, 1, 1)

    def test_without_kernels_is_packed_and_says_why(self, recipe, monkeypatch):
        monkeypatch.setattr(kernels, "reason", lambda: "there is no compiler.")
        assert usual(recipe, FREE) == (Layout(PACKED, 2, 1), "not compiled, as there is no compiler")

    def test_of_what_packed_cannot_train_is_plain_and_says_why(self, recipe):
        reason = "not packed, as LoRA puts matrices beside the weights"
        assert usual(recipe.with_changes(lora_rank=2), FREE) == (Layout(PLAIN, 2, 1), reason)


class TestAStudyGoesOnAsItBegan:
    def began_stacked(self, remaining, request, fit=ROOM):
        return choose(remaining(path="fused", threads=1, width=4, device_name=device_name("cpu")), fit, request)

    def test_with_its_engine_and_threads(self, remaining):
        began = remaining(path="packed", threads=2, width=1, device_name=device_name("cpu"))
        assert choose(began, ROOM, FREE) == (Layout(PACKED, 1, 2), "as the study began")

    def test_but_not_on_another_machine(self, remaining):
        began = remaining(path="packed", threads=2, width=1, device_name="another")
        assert choose(began, ROOM, FREE).layout == Layout(COMPILED, 2, 1)

    def test_with_its_width(self, remaining):
        assert self.began_stacked(remaining, FREE) == (Layout(FUSED, 2, 1, 4), "as the study began")

    def test_narrower_where_memory_holds_less(self, remaining):
        assert self.began_stacked(remaining, FREE, fit=3).layout == Layout(FUSED, 2, 1, 3)

    def test_but_not_where_another_width_is_asked_for(self, remaining):
        assert self.began_stacked(remaining, Request(FUSED, None, None, 1, ["cpu"])) == (Layout(FUSED, 2, 1, 1), None)
        assert self.began_stacked(remaining, Request(None, None, None, 1, ["cpu"])).layout == Layout(COMPILED, 2, 1)

    def test_with_as_many_workers_and_threads_as_are_asked_for(self, remaining):
        assert self.began_stacked(remaining, Request(None, 3, 2, None, ["cpu"])).layout == Layout(FUSED, 3, 2, 4)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(PACKED, None, None, None, ["cpu"]), Layout(PACKED, 2, 1)),
        (Request(PACKED, None, 2, None, ["cpu"]), Layout(PACKED, 1, 2)),
        (Request(COMPILED, 1, None, None, ["cpu"]), Layout(COMPILED, 1, 1)),
        (Request(FUSED, None, None, 4, ["cpu"]), Layout(FUSED, 2, 1, 4)),
        (Request(FUSED, None, None, None, ["cpu"]), Layout(FUSED, 2, 1, 2)),
        (Request(None, 3, 1, None, ["cpu"]), Layout(COMPILED, 3, 1)),
    ],
)
def test_what_is_asked_for_is_heeded(remaining, request_, expected):
    assert choose(remaining(), ROOM, request_).layout == expected


def test_nothing_is_wider_than_asked_or_than_there_are_trials(remaining):
    narrow = Request(None, None, None, 1, ["cuda:0"])
    assert choose(remaining(), 8, narrow).layout == Layout(FUSED, 1, 1, 1)
    assert choose(remaining(trials=3), 8, ON_A_GPU).layout == Layout(FUSED, 1, 1, 3)
    wide, reason = choose(remaining(trials=3), 8, Request(FUSED, 1, 1, 4, ["cpu"]))
    assert (wide, reason) == (Layout(FUSED, 1, 1, 3), "as asked, but no wider than there are trials left (3)")


@pytest.fixture(autouse=True)
def a_gpu_has_a_name(monkeypatch):
    monkeypatch.setattr(layout, "device_name", lambda device: device_name("cpu") if device == "cpu" else "a GPU")


class TestRoom:
    @pytest.mark.parametrize(
        ("fit", "workers", "words"),
        [
            (9, 1, "at most 9 for .*, not 10: more trials do not fit into its memory; ask for less"),
            (9, 2, "at most 4 for .*, not 10: more trials do not fit into its memory, which 2 workers share"),
            (0, 1, "at most 1 for .*, not 10: not even one trial is sure to fit into its memory"),
        ],
    )
    def test_that_lacks_is_told(self, remaining, data, monkeypatch, fit, workers, words):
        monkeypatch.setattr(memory, "widest", lambda *_: fit)
        with pytest.raises(RequestError, match=words):
            stack_room(remaining(), data, Request(FUSED, workers, 1, 10, ["cpu"]))

    def test_is_asked_for_no_more_trials_than_there_are(self, remaining, data, monkeypatch):
        monkeypatch.setattr(memory, "widest", lambda *_: 0)
        assert stack_room(remaining(trials=1), data, Request(FUSED, 1, 1, 10, ["cpu"])) == 0
