"""Is the fastest layout chosen, remembered, and kept to, and is a short study spared the measurement?"""

import json
import math

import pytest

from seedwise import RequestError, Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.engines import memory
from seedwise.executors import choice
from seedwise.executors.base import Remaining
from seedwise.executors.choice import Wish, choose, stack_room, usual
from seedwise.executors.environment import device_name
from seedwise.executors.layout import Layout
from seedwise.executors.measuring import Probes, Speed
from seedwise.executors.remembered import recall, remember, remembered

FREE = Wish(None, None, None, None, ["cpu"])


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDWISE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def two_cores_with_kernels(monkeypatch):
    monkeypatch.setattr(choice, "cores", lambda: 2)
    monkeypatch.setattr(choice, "reason_against", lambda *_: None)


@pytest.fixture
def data(task, recipe):
    return tokenize(task, recipe.model, recipe.max_length).folder


@pytest.fixture
def work(task, recipe):
    """Of a study that takes hours."""
    return Remaining(Trial(task, recipe, Seeds(1, 1)), trials=1000, steps=10**8)


@pytest.fixture
def speeds(monkeypatch):
    """Replaces the measurement: seconds by path, workers, threads and width; what was measured is noted."""
    seconds = {("packed", 1, 2, 1): 0.001}
    noted = []

    def measure(layouts, *_):
        noted.append(layouts)
        return [Speed(layout, seconds.get(layout, 0.002)) for layout in layouts]

    monkeypatch.setattr(choice, "_measure", measure)
    return seconds, noted


@pytest.mark.usefixtures("speeds")
def test_the_fastest_is_chosen_and_what_it_beat_is_said(work, data):
    chosen = choose(work, data, FREE)
    assert chosen.layout == Layout("packed", 1, 2)
    assert chosen.reason == "1 ms per trial and step (compiled 2, plain 2)"


def test_each_layout_is_measured_once_the_usual_one_first_and_no_stack_on_a_cpu(work, data, speeds):
    choose(work, data, FREE)
    ((first, *others),) = speeds[1]
    assert first == Layout("compiled", 2, 1) == usual(work.trial.recipe, FREE)
    assert {*others} == {
        Layout("compiled", 1, 2),
        Layout("packed", 2, 1),
        Layout("packed", 1, 2),
        Layout("plain", 2, 1),
    }
    assert len({*others}) == len(others)


def test_it_is_remembered_for_the_same_machine_model_and_shape(work, data, speeds, task, recipe):
    chosen = choose(work, data, FREE)
    again = choose(Remaining(Trial(task, recipe, Seeds(2, 2)), trials=4, steps=10), data, FREE)
    assert again.layout == chosen.layout
    assert again.reason.startswith(f"{chosen.reason}; measured on ")
    assert len(speeds[1]) == 1


def test_a_short_study_gets_the_usual_layout_unmeasured(task, recipe, data, speeds):
    chosen = choose(Remaining(Trial(task, recipe, Seeds(1, 1)), trials=8, steps=1000), data, FREE)
    assert chosen == (Layout("compiled", 2, 1), "not measured, as the study is short")
    assert speeds[1] == []
    assert remembered() == []


@pytest.mark.usefixtures("speeds")
def test_a_study_goes_on_as_it_began(work, data):
    origin = {"path": "packed", "threads": 2, "width": 1, "device_name": device_name("cpu")}
    chosen = choose(Remaining(work.trial, 1000, 10**8, origin), data, FREE)
    assert chosen == (Layout("packed", 1, 2), "as the study began")


@pytest.mark.usefixtures("speeds")
def test_a_study_that_began_on_another_machine_is_chosen_for_anew(work, data):
    origin = {"path": "compiled", "threads": 2, "width": 1, "device_name": "another"}
    assert choose(Remaining(work.trial, 1000, 10**8, origin), data, FREE).layout == Layout("packed", 1, 2)


STACKED = {"path": "fused", "threads": 1, "width": 4, "device_name": device_name("cpu")}


def began_stacked(work, data, wish, **given):
    return choose(Remaining(work.trial, 1000, 10**8, STACKED), data, wish, **given)


@pytest.mark.usefixtures("speeds")
class TestAStudyThatBeganStacked:
    def test_goes_on_so(self, work, data):
        assert began_stacked(work, data, FREE) == (Layout("fused", 2, 1, 4), "as the study began")

    def test_is_narrower_where_memory_holds_less(self, work, data):
        assert began_stacked(work, data, FREE, fit=3).layout == Layout("fused", 2, 1, 3)

    def test_goes_on_otherwise_where_another_width_is_asked_for(self, work, data):
        alone = Wish("fused", None, None, 1, ["cpu"])
        assert began_stacked(work, data, alone) == (Layout("fused", 2, 1, 1), "as asked")
        assert began_stacked(work, data, Wish(None, None, None, 1, ["cpu"])).layout == Layout("packed", 1, 2)

    def test_takes_as_many_workers_and_threads_as_are_asked_for(self, work, data):
        assert began_stacked(work, data, Wish(None, 3, 2, None, ["cpu"])).layout == Layout("fused", 3, 2, 4)


def test_the_only_layout_is_not_measured(work, data, speeds):
    only = Wish("compiled", 1, 1, None, ["cpu"])
    assert choose(work, data, only).layout == Layout("compiled", 1, 1)
    narrow = Wish("fused", 1, 1, None, ["cpu"])
    assert choose(work, data, narrow, fit=1) == (Layout("fused", 1, 1, 1), "there is no other here")
    assert speeds[1] == []


def test_where_masks_are_hashed_the_plain_path_is_not_measured(work, data, speeds):
    choose(work, data, FREE, plain=False)
    assert "plain" not in {layout.path for layout in speeds[1][0]}


class TestOnAGpu:
    @pytest.fixture(autouse=True)
    def a_gpu(self, monkeypatch):
        monkeypatch.setattr(choice, "device_name", lambda _: "a GPU")

    WISH = Wish(None, None, None, None, ["cuda:0"])

    def test_stacks_of_one_are_measured_too(self, work, data, speeds):
        choose(work, data, self.WISH, fit=5)
        assert [layout.width for layout in speeds[1][0] if layout.path == "fused"] == [5, 1, 2, 4]

    def test_a_single_trial_is_stacked_alone(self, work):
        assert usual(work.trial.recipe, self.WISH, 1) == Layout("fused", 1, 1, 1)


class TestRoom:
    @pytest.mark.parametrize(
        ("fit", "workers", "words"),
        [
            (9, 1, "at most 9 for .*, not 10: more trials do not fit into its memory; ask for less"),
            (9, 2, "at most 4 for .*, not 10: more trials do not fit into its memory, which 2 workers share"),
            (0, 1, "at most 1 for .*, not 10: not even one trial is sure to fit into its memory"),
        ],
    )
    def test_that_lacks_is_told(self, work, data, monkeypatch, fit, workers, words):
        monkeypatch.setattr(memory, "widest", lambda *_: fit)
        with pytest.raises(RequestError, match=words):
            stack_room(work, data, Wish("fused", workers, 1, 10, ["cpu"]))

    def test_is_asked_for_no_more_trials_than_there_are(self, task, recipe, data, monkeypatch):
        monkeypatch.setattr(memory, "widest", lambda *_: 0)
        one = Remaining(Trial(task, recipe, Seeds(1, 1)), trials=1, steps=10)
        assert stack_room(one, data, Wish("fused", 1, 1, 10, ["cpu"])) == 0


@pytest.mark.parametrize(
    ("wish", "layout"),
    [
        (Wish("packed", None, None, None, ["cpu"]), Layout("packed", 2, 1)),
        (Wish("packed", None, 2, None, ["cpu"]), Layout("packed", 1, 2)),
        (Wish("compiled", 1, None, None, ["cpu"]), Layout("compiled", 1, 1)),
        (Wish("fused", None, None, 4, ["cpu"]), Layout("fused", 2, 1, 4)),
        (Wish(None, 3, 1, None, ["cpu"]), Layout("compiled", 3, 1)),
    ],
)
def test_what_is_asked_for_is_heeded(work, data, speeds, wish, layout):
    speeds[0][layout] = 0.0001
    assert choose(work, data, wish).layout == layout


def test_nothing_is_wider_than_asked_or_than_there_are_trials(task, recipe, data, speeds, monkeypatch):
    trial = Trial(task, recipe, Seeds(1, 1))
    monkeypatch.setattr(choice, "device_name", lambda _: "a GPU")
    choose(Remaining(trial, trials=1000, steps=10**8), data, Wish(None, None, None, 1, ["cuda:0"]), fit=8)
    choose(Remaining(trial, trials=1, steps=10**8), data, Wish(None, None, None, None, ["cuda:0"]), fit=8)
    assert len(speeds[1]) == 2
    assert not [layout for layouts in speeds[1] for layout in layouts if layout.width > 1]


def test_where_nothing_can_be_measured_the_usual_layout_is_taken(work, data, monkeypatch):
    monkeypatch.setattr(choice, "_measure", lambda layouts, *_: [Speed(x, math.inf, "it broke") for x in layouts])
    assert choose(work, data, FREE) == (Layout("compiled", 2, 1), "nothing could be measured (it broke)")
    assert remembered() == []


class TestMeasuring:
    USUAL, OTHER, SLOW = Layout("compiled", 2, 1), Layout("packed", 2, 1), Layout("plain", 2, 1)

    @pytest.fixture
    def measured(self, monkeypatch):
        """Replaces the processes: seconds of each layout, one after the other; what was measured is noted."""
        noted = []

        class Told:
            def __init__(self, *_):
                pass

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def measure(self, layout):
                noted.append(layout)
                return Speed(layout, self.seconds[layout].pop(0))

        monkeypatch.setattr(choice, "Probes", Told)

        def told(seconds):
            Told.seconds = {layout: list(times) for layout, times in seconds.items()}
            return noted

        return told

    def test_what_is_near_the_fastest_is_measured_again_and_the_better_time_counts(self, measured, work, data):
        noted = measured({self.USUAL: [2.0, 1.1], self.OTHER: [1.5, 1.4], self.SLOW: [4.0]})
        speeds = choice._measure([self.USUAL, self.OTHER, self.SLOW], work, data, FREE)
        assert [speed.seconds for speed in speeds] == [1.1, 1.4, 4.0]
        assert noted == [self.USUAL, self.OTHER, self.SLOW, self.USUAL, self.OTHER]

    def test_it_ends_where_the_study_is_shorter_than_it_seemed(self, measured, task, recipe, data):
        noted = measured({self.USUAL: [1e-9]})
        work = Remaining(Trial(task, recipe, Seeds(1, 1)), trials=10, steps=10)
        assert [speed.layout for speed in choice._measure([self.USUAL, self.OTHER], work, data, FREE)] == noted
        assert noted == [self.USUAL]

    @pytest.mark.parametrize(
        ("seconds", "expected"), [(0.00185, Layout("compiled", 2, 1)), (0.0017, Layout("packed", 2, 1))]
    )
    def test_the_usual_layout_is_kept_where_another_is_hardly_faster(self, work, data, speeds, seconds, expected):
        speeds[0].clear()
        speeds[0][Layout("packed", 2, 1)] = seconds
        assert choose(work, data, FREE).layout == expected


class TestMemory:
    def test_holds_several_choices(self):
        remember({"model": "a"}, Layout("packed", 1, 2), "fast")
        remember({"model": "b"}, Layout("fused", 1, 1, 8), "faster")
        assert recall({"model": "a"}).layout == Layout("packed", 1, 2)
        assert [choice.layout.width for choice in remembered()] == [1, 8]
        assert recall({"model": "c"}) is None

    @pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', json.dumps({"a": {"layout": {}}})])
    def test_that_is_broken_holds_nothing(self, tmp_path, content):
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "choices.json").write_text(content)
        assert remembered() == []

    def test_that_cannot_be_written_is_no_error(self, tmp_path):
        (tmp_path / "cache").write_text("a file")
        remember({"model": "a"}, Layout("packed", 1, 2), "fast")
        assert remembered() == []


@pytest.mark.slow
def test_probes_tell_the_time_of_a_step_and_what_a_path_dies_of(task, recipe, data, monkeypatch):
    monkeypatch.setattr("seedwise.executors.measuring.SECONDS", 0.1)
    with Probes(2, "cpu", Trial(task, recipe, Seeds(1, 1)), data) as probes:
        plain = probes.measure(Layout("plain", 2, 1))
        fused = probes.measure(Layout("fused", 1, 1, 2))
        broken = probes.measure(Layout("packed", 1, -1))
    assert plain.error is fused.error is None
    assert 0 < plain.seconds < 1
    assert 0 < fused.seconds < 1
    assert broken.seconds == math.inf
    assert "threads" in broken.error
