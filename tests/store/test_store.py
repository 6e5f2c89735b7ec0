"""Does the store keep every promise of its methods?"""

import itertools
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.errors import DataError, RequestError, WorkError
from seedwise.store.store import Store
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.rows import Predictions, Targets
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState
from store.toys import RECIPE, TASK, interval, tracking, trials

# Trials ---------------------------------------------------------------------------------------------------------------


def test_added_trials_come_back_equal_and_in_order(store):
    given = trials(3)[::-1]
    assert store.add_trials(given) == 3
    records = store.records()
    assert [record.trial for record in records] == given
    assert [(r.id, r.position) for r in records] == [(t.id, i) for i, t in enumerate(given)]


def test_adding_again_adds_only_what_is_missing_at_the_end(store):
    first = trials(2)
    store.add_trials(first)
    more = [*trials(3), *first, Trial(TASK, Recipe(model="other"), Seeds(1, 1))]
    assert store.add_trials(more) == 2
    assert [record.trial for record in store.records()] == [*first, trials(3)[2], more[-1]]
    assert store.add_trials(more) == 0


def test_trial_given_twice_is_one_trial(store):
    assert store.add_trials([*trials(1), *trials(1)]) == 1


def test_new_trial_waits_and_knows_nothing(store, trial):
    record = store.record(trial)
    assert (record.state, record.evaluations, record.fingerprint, record.environment) == (
        TrialState.WAITING,
        (),
        {},
        Environment(),
    )
    assert (record.seconds, record.attempts, record.error) == (0.0, 0, None)
    assert (record.best, record.best_step, record.test_metrics, record.last_step) == (None, None, None, 0)
    assert store.losses(trial).tolist() == []
    assert store.predictions(trial) is None
    assert store.tracked(trial) == {}


def test_seed_larger_than_an_integer_of_sqlite_comes_back(store):
    large = Trial(TASK, RECIPE, Seeds(2**100, 1, 2**64))
    store.add_trials([large])
    assert store.records()[0].trial == large


def test_task_whose_files_have_moved_is_read_from_their_new_place(store, trial):
    moved = replace(TASK, train="elsewhere")
    assert moved.id == TASK.id
    assert store.add_trials([Trial(moved, RECIPE, Seeds(1, 1))]) == 0
    assert store.record(trial).trial.task.train == "elsewhere"


# Rule and facts -------------------------------------------------------------------------------------------------------


def test_trials_that_never_started_can_be_taken_back_with_what_only_they_had(store):
    first, other = trials(2), Trial(TASK, Recipe(model="other"), Seeds(1, 1))
    store.add_trials([*first, other])
    store.set_facts(TASK.id, other.recipe.id, TaskFacts(digest="d"))
    store.start(first[0].id, {}, Environment())
    store.add_event("state", "it would not start", other.id)

    assert store.remove_trials([trial.id for trial in (*first, other)]) == 2

    assert [record.trial for record in store.records()] == first[:1]
    assert store.facts(TASK.id, other.recipe.id) is None
    assert "it would not start" in [event.detail for event in store.events()]
    assert store.add_trials([other]) == 1


def test_rule_is_kept_and_the_old_one_is_in_the_diary(store):
    assert store.rule() is None
    store.set_rule(StoppingRule(t=20, f=0.25, p=5))
    store.set_rule(StoppingRule(t=20, f=0.1, p=2))
    assert store.rule() == StoppingRule(t=20, f=0.1, p=2)
    assert [event.detail for event in store.events() if event.kind == "rule"] == [
        '{"f":0.25,"p":5,"t":20} replaces none',
        '{"f":0.1,"p":2,"t":20} replaces {"f":0.25,"p":5,"t":20}',
    ]
    store.set_rule(None)
    assert store.rule() is None


def test_setting_the_same_rule_again_is_no_event(store):
    store.set_rule(StoppingRule(t=2, f=0.5, p=1))
    store.set_rule(StoppingRule(t=2, f=0.5, p=1))
    assert len(store.events()) == 1


def test_design_is_kept_as_given_and_the_old_one_is_in_the_diary(store):
    assert store.design() is None
    first = {
        "title": "Long\ntraining",
        "arms": [{"name": "b", "search": {"steps": [1, 2]}}, {"name": "a"}],
        "stage": None,
    }
    store.set_design(first)
    assert store.design() == first
    assert list(store.design()) == list(first)
    store.set_design({"title": "b"})
    assert store.design() == {"title": "b"}
    details = [event.detail for event in store.events() if event.kind == "design"]
    assert [detail.endswith(" replaces none") for detail in details] == [True, False]
    assert details[1].startswith('{"title": "b"} replaces {"title": "Long')


def test_setting_the_same_design_again_is_no_event(store):
    store.set_design({"seeds": (1, 2)})
    store.set_design({"seeds": [1, 2]})
    assert len(store.events()) == 1


@pytest.mark.usefixtures("trial")
def test_facts_come_back_equal(store):
    facts = TaskFacts(digest="a", rows={"train": 9}, label_names=("no", "yes"), baselines={"loss": math.inf})
    assert store.facts(TASK.id, RECIPE.id) is None
    store.set_facts(TASK.id, RECIPE.id, facts)
    assert store.facts(TASK.id, RECIPE.id) == facts


@pytest.mark.usefixtures("trial")
def test_facts_of_the_same_rows_may_be_renewed(store):
    store.set_facts(TASK.id, RECIPE.id, TaskFacts(digest="a"))
    store.set_facts(TASK.id, RECIPE.id, TaskFacts(digest="a", steps=7))
    assert store.facts(TASK.id, RECIPE.id) == TaskFacts(digest="a", steps=7)


@pytest.mark.usefixtures("trial")
def test_changed_rows_are_refused_and_the_first_facts_stay(store):
    store.set_facts(TASK.id, RECIPE.id, TaskFacts(digest="a"))
    with pytest.raises(DataError, match=r"must have the digest 'a'.*not 'b'; restore the rows, or start a new study"):
        store.set_facts(TASK.id, RECIPE.id, TaskFacts(digest="b"))
    assert store.facts(TASK.id, RECIPE.id) == TaskFacts(digest="a")


# A running trial ------------------------------------------------------------------------------------------------------


def test_start_marks_the_trial_and_counts_attempts(store, trial):
    store.start(trial, {"init": "aa"}, Environment.from_json({"device": "cpu"}))
    store.set_state(trial, TrialState.FAILED, "out of memory")
    store.start(trial, {"init": "aa"}, Environment.from_json({"device": "cuda", "threads": 2}))
    record = store.record(trial)
    assert (record.state, record.attempts, record.error) == (TrialState.RUNNING, 2, None)
    assert (record.fingerprint, record.environment) == ({"init": "aa"}, Environment(device="cuda", threads=2))
    starts = [event.detail for event in store.events() if event.kind == "start"]
    assert starts == ['attempt 1: {"device": "cpu"}', 'attempt 2: {"device": "cuda", "threads": 2}']


def test_attempt_that_draws_something_else_is_noticed(store, trial):
    store.start(trial, {"init": "aa"}, Environment())
    store.start(trial, {"init": "bb"}, Environment())
    (event,) = [event for event in store.events() if event.kind == "fingerprint differs"]
    assert event.detail == 'it was {"init": "aa"} and is {"init": "bb"}'


def test_appended_curve_comes_back(store, trial):
    store.append(trial, interval(1, 4, 0.5), 2.0)
    store.append(trial, interval(5, 6, 0.75), 1.5)
    record = store.record(trial)
    assert record.evaluations == (interval(1, 4, 0.5)[-1], interval(5, 6, 0.75)[-1])
    assert (record.best, record.last_step, record.seconds) == ((6, 0.75), 6, 3.5)
    assert store.losses(trial).dtype == np.float32
    assert store.losses(trial).tolist() == [step / 8 for step in range(1, 7)]
    assert store.records() == (record,)


def test_one_append_may_hold_several_evaluations(store, trial):
    store.append(trial, [*interval(1, 3), *interval(4, 4), *interval(5, 8)], 1.0)
    assert [evaluation.step for evaluation in store.record(trial).evaluations] == [3, 4, 8]
    assert len(store.losses(trial)) == 8


def test_evaluation_without_the_task_metric_scores_nan(store, trial):
    store.append(trial, [Measurement(1, 0.5, {})], 1.0)
    ((step, score),) = store.record(trial).scores
    assert (step, math.isnan(score)) == (1, True)
    assert store.record(trial).best is None


@pytest.mark.parametrize(
    ("measurements", "sentence"),
    [
        ([], "must hold at least one evaluation"),
        (interval(1, 3)[:-1], "must be an evaluation, but 2 has no metrics"),
        ([*interval(1, 2), *interval(4, 5)], "must be consecutive, not 4 after 2"),
        ([*interval(1, 2), *interval(2, 3)], "must be consecutive, not 2 after 2"),
    ],
    ids=["none", "no evaluation at the end", "a hole", "a step twice"],
)
def test_measurements_that_are_no_piece_of_a_curve_are_refused(store, trial, measurements, sentence):
    with pytest.raises(RequestError, match=sentence):
        store.append(trial, measurements, 1.0)
    assert store.record(trial).seconds == 0


def test_steps_that_would_leave_a_hole_are_refused_and_nothing_is_kept(store, trial):
    store.append(trial, interval(1, 4), 1.0)
    with pytest.raises(WorkError, match="stored up to step 4, so its next step must be 5 or before, not 6"):
        store.append(trial, interval(6, 8), 1.0)
    assert (store.record(trial).last_step, store.record(trial).seconds) == (4, 1.0)


def test_tracked_values_come_back_a_row_a_step(store, trial):
    store.append(trial, tracking(1, 4), 1.0)
    store.append(trial, [*tracking(5, 6), *tracking(7, 7)], 1.0)
    found = store.tracked(trial)
    assert {name: (table.dtype, table.shape) for name, table in found.items()} == {
        "distance": (np.float32, (7, 3)),
        "gradient_norm": (np.float32, (7, 1)),
    }
    assert found["distance"].tolist() == [[step / 8, step / 4, step / 2] for step in range(1, 8)]
    assert found["gradient_norm"].tolist() == [[float(step)] for step in range(1, 8)]


def test_step_that_tracked_nothing_is_nan(store, trial):
    store.append(trial, interval(1, 2), 1.0)
    first, last = tracking(3, 4)
    store.append(trial, [replace(first, tracked={"distance": (1.0, 2.0, 3.0)}), last], 1.0)
    store.append(trial, interval(5, 6), 1.0)
    found = store.tracked(trial)
    known = {name: np.isfinite(table).all(axis=1).tolist() for name, table in found.items()}
    assert known == {
        "distance": [False, False, True, True, False, False],
        "gradient_norm": [False, False, False, True, False, False],
    }


@pytest.mark.parametrize("first", [1, 2], ids=["within an interval", "from interval to interval"])
def test_tracked_name_that_changes_its_number_of_values_is_refused_and_nothing_is_kept(store, trial, first):
    steps = tracking(1, 3)
    steps[-1] = replace(steps[-1], tracked={"distance": (1.0, 2.0)})
    if first > 1:
        steps[0] = replace(steps[0], metrics={})  # ends an interval
    with pytest.raises(
        RequestError, match="tracked 'distance' must have 3 values at every step, as at the first, not 2"
    ):
        store.append(trial, steps, 1.0)
    assert (store.record(trial).last_step, store.tracked(trial)) == (0, {})


def test_state_and_error_are_kept_with_an_event(store, trial):
    store.set_state(trial, TrialState.FAILED, "the loss is not finite")
    assert (store.record(trial).state, store.record(trial).error) == (TrialState.FAILED, "the loss is not finite")
    event = store.events()[-1]
    assert (event.trial_id, event.kind, event.detail) == (trial, "state", "failed: the loss is not finite")
    store.set_state(trial, TrialState.WAITING)
    assert store.record(trial).error is None


def test_later_best_replaces_the_earlier_one(store, trial):
    outputs = np.arange(6, dtype=np.float32).reshape(3, 2)
    store.set_best(trial, 4, {"accuracy": 0.1}, Predictions(4, outputs, outputs[:1] + 1), 0.25)
    kept = store.predictions(trial)
    assert (kept.step, kept.validation.tolist(), kept.test.tolist()) == (4, outputs.tolist(), [[1.0, 2.0]])
    assert kept.validation.dtype == kept.test.dtype == np.float32
    store.set_best(trial, 8, {"accuracy": 0.2}, Predictions(8, outputs + 1, None))
    kept, record = store.predictions(trial), store.record(trial)
    assert (kept.step, kept.validation.tolist(), kept.test) == (8, (outputs + 1).tolist(), None)
    assert (record.best_step, record.test_metrics, record.seconds) == (8, {"accuracy": 0.2}, 0.25)
    store.set_best(trial, 9, None, None)
    assert (store.predictions(trial), store.record(trial).test_metrics) == (None, None)


@pytest.mark.parametrize(
    "predictions",
    [Predictions(3, np.zeros((2, 2), np.float32)), Predictions(4, np.zeros(2, np.float32))],
    ids=["another step", "another shape"],
)
def test_predictions_that_do_not_fit_are_refused(store, trial, predictions):
    with pytest.raises(RequestError, match="predictions must be of step 4"):
        store.set_best(trial, 4, None, predictions)


LABELS = Targets(np.array([1, 0, 2], np.float32), np.array([2, 2], np.float32))


def test_labels_are_kept_once_a_task(store):
    store.add_trials(trials(1))
    assert store.targets(TASK.id) is None
    for _ in range(2):
        store.set_targets(TASK.id, LABELS)
    assert [of.tolist() for of in store.targets(TASK.id)] == [[1, 0, 2], [2, 2]]
    assert store.targets(TASK.id).validation.dtype == np.float32


def test_labels_without_test_rows(store):
    store.add_trials(trials(1))
    store.set_targets(TASK.id, Targets(np.array([0.25], np.float32)))
    assert (store.targets(TASK.id).validation.tolist(), store.targets(TASK.id).test) == ([0.25], None)


@pytest.mark.parametrize(
    "other",
    [Targets(LABELS.validation, LABELS.test[::-1] - 1), Targets(LABELS.validation), Targets(LABELS.test, LABELS.test)],
    ids=["another label", "no test rows", "fewer rows"],
)
def test_labels_that_have_changed_are_refused_and_the_stored_ones_stay(store, other):
    store.add_trials(trials(1))
    store.set_targets(TASK.id, LABELS)
    with pytest.raises(DataError, match="must be those with which the study began"):
        store.set_targets(TASK.id, other)
    assert store.targets(TASK.id).test.tolist() == [2, 2]


def test_labels_of_a_task_that_the_study_does_not_hold_are_refused(store):
    with pytest.raises(RequestError, match="the study has no task"):
        store.set_targets(TASK.id, LABELS)


def test_labels_go_with_the_last_trial_of_their_task(store):
    store.add_trials(trials(1))
    store.set_targets(TASK.id, LABELS)
    store.remove_trials([trials(1)[0].id])
    assert store.targets(TASK.id) is None


def test_running_trials_wait_again_after_a_crash(store):
    store.add_trials(trials(3))
    first, second, third = (trial.id for trial in trials(3))
    store.start(first, {}, Environment())
    store.start(second, {}, Environment())
    store.set_state(second, TrialState.PAUSED)
    assert store.reset_running() == 1
    assert [r.state for r in store.records()] == [TrialState.WAITING, TrialState.PAUSED, TrialState.WAITING]
    assert store.events()[-1][1:] == (first, "state", "waiting: the process that ran it has ended")
    assert store.record(third).attempts == 0


# Replays --------------------------------------------------------------------------------------------------------------


def differences(store):
    return [event.detail for event in store.events() if event.kind == "replay differs"]


def test_equal_replay_changes_nothing_but_the_seconds(store, trial):
    store.append(trial, interval(1, 4), 1.0)
    store.append(trial, interval(5, 8), 1.0)
    before = store.record(trial)
    store.append(trial, interval(1, 4), 1.0)
    store.append(trial, [*interval(5, 8), *interval(9, 10)], 1.0)
    after = store.record(trial)
    assert after.evaluations[:2] == before.evaluations
    assert (after.last_step, len(store.losses(trial)), after.seconds) == (10, 10, 4.0)
    assert differences(store) == []


def test_replay_with_another_loss_is_noticed_and_the_stored_one_stays(store, trial):
    store.append(trial, interval(1, 4), 1.0)
    replay = interval(1, 4)
    replay[1] = Measurement(2, float(np.nextafter(np.float32(0.25), np.float32(1))))
    replay[2] = Measurement(3, 9.0)
    store.append(trial, replay, 1.0)
    assert differences(store) == ["step 2: the loss was 0.25 and is 0.2500000298023224 in a replay"]
    assert store.losses(trial).tolist() == [step / 8 for step in range(1, 5)]


def test_replay_with_another_metric_is_noticed_and_the_stored_one_stays(store, trial):
    store.append(trial, interval(1, 4, 0.5), 1.0)
    other = math.nextafter(0.5, 1)
    store.append(trial, interval(1, 4, other), 1.0)
    assert differences(store) == [f"step 4: accuracy was 0.5 and is {other!r} in a replay"]
    assert store.record(trial).best == (4, 0.5)


def test_equal_replay_of_tracked_values_changes_nothing(store, trial):
    store.append(trial, tracking(1, 4), 1.0)
    store.append(trial, [*tracking(1, 4), *tracking(5, 6)], 1.0)
    assert len(store.tracked(trial)["distance"]) == 6
    assert differences(store) == []


@pytest.mark.parametrize(
    ("tracked", "sentence"),
    [
        ({"distance": (0.25, 0.75, 1.0), "gradient_norm": (2.0,)}, "distance 2 was 0.5 and is 0.75 in a replay"),
        ({"distance": (0.25, 0.5, 1.0), "gradient_norm": (9.0,)}, "gradient_norm was 2.0 and is 9.0 in a replay"),
        ({"distance": (0.25, 0.5, 1.0)}, "gradient_norm was 2.0 and is nan in a replay"),
        ({"distance": (1.0,), "gradient_norm": (2.0,)}, "distance had 3 values and has 1 in a replay"),
        (None, "distance 1 was 0.25 and is nan in a replay"),
    ],
)
def test_replay_with_another_tracked_value_is_noticed_and_the_stored_one_stays(store, trial, tracked, sentence):
    store.append(trial, tracking(1, 4), 1.0)
    replay = tracking(1, 4)
    replay[1] = replace(replay[1], tracked=tracked)
    store.append(trial, replay, 1.0)
    assert differences(store) == [f"step 2: {sentence}"]
    assert store.tracked(trial)["distance"][1].tolist() == [0.25, 0.5, 1.0]
    assert store.tracked(trial)["gradient_norm"][1].tolist() == [2.0]


def test_replay_that_tracks_what_was_not_is_noticed(store, trial):
    store.append(trial, interval(1, 2), 1.0)
    store.append(trial, tracking(1, 2), 1.0)
    assert differences(store) == ["step 1: distance had 0 values and has 3 in a replay"]
    assert store.tracked(trial) == {}


def test_replay_evaluated_elsewhere_is_noticed(store, trial):
    store.append(trial, interval(1, 4), 1.0)
    store.append(trial, interval(1, 3), 1.0)
    assert differences(store) == ["step 3: it was evaluated in only one of the stored run and a replay"]
    assert [evaluation.step for evaluation in store.record(trial).evaluations] == [4]


def test_difference_beyond_float32_is_none(store, trial):
    store.append(trial, [Measurement(1, 0.1, {})], 1.0)
    store.append(trial, [Measurement(1, float(np.float32(0.1)), {})], 1.0)
    assert differences(store) == []


def test_replayed_nan_equals_the_stored_nan(store, trial):
    diverged = [Measurement(1, math.nan, {"accuracy": math.nan})]
    store.append(trial, diverged, 1.0)
    store.append(trial, diverged, 1.0)
    assert differences(store) == []


# Numbers --------------------------------------------------------------------------------------------------------------

any_float = st.floats(allow_nan=True, allow_infinity=True)
any_float32 = st.floats(width=32, allow_nan=True, allow_infinity=True)


@pytest.fixture(scope="module")
def new_trial(tmp_path_factory):
    """A function that adds another trial to one store that all examples share, and returns both."""
    numbers = itertools.count()
    with Store.create_or_open(tmp_path_factory.mktemp("study") / "study.db", write=True) as store:

        def add():
            trial = Trial(TASK, RECIPE, Seeds(next(numbers), 0))
            store.add_trials([trial])
            return store, trial.id

        yield add


@given(pieces=st.lists(st.lists(any_float32, min_size=1, max_size=6), min_size=1, max_size=4))
def test_losses_come_back_bit_for_bit(new_trial, pieces):
    store, trial = new_trial()
    for i, piece in enumerate(pieces):
        first = sum(map(len, pieces[:i])) + 1
        measured = [Measurement(step, loss) for step, loss in enumerate(piece, start=first)]
        store.append(trial, [*measured[:-1], replace(measured[-1], metrics={})], 0.0)
    assert bits(store.losses(trial)) == bits([loss for piece in pieces for loss in piece])


def bits(numbers):
    """The bits of float32 numbers; which of the many nans it is means nothing."""
    array = np.asarray(numbers, dtype=np.float32)
    return np.where(np.isnan(array), np.float32("nan"), array).view(np.uint32).tolist()


@given(rows=st.lists(st.tuples(any_float32, any_float32), min_size=1, max_size=6))
def test_tracked_values_come_back_bit_for_bit(new_trial, rows):
    store, trial = new_trial()
    steps = [Measurement(step, 1.0, None, {"distance": row}) for step, row in enumerate(rows, start=1)]
    steps[-1] = replace(steps[-1], metrics={})
    store.append(trial, steps, 0.0)
    assert bits(store.tracked(trial)["distance"]) == bits(rows)
    store.append(trial, steps, 0.0)
    assert differences(store) == []


@given(metrics=st.dictionaries(st.text(min_size=1, max_size=8), any_float, max_size=4), loss=any_float)
def test_metrics_come_back_bit_for_bit(new_trial, metrics, loss):
    store, trial = new_trial()
    store.append(trial, [Measurement(1, loss, metrics)], 0.0)
    store.set_best(trial, 1, metrics, None)
    record = store.record(trial)
    for got in (record.evaluations[0].metrics, record.test_metrics):
        assert list(got) == list(metrics)
        assert list(map(repr, got.values())) == list(map(repr, metrics.values()))
    assert repr(record.evaluations[0].loss) == repr(loss)


def test_loss_too_large_for_float32_is_infinite(store, trial):
    store.append(trial, [Measurement(1, 1e39, {})], 1.0)
    assert store.losses(trial).tolist() == [math.inf]
    assert store.record(trial).evaluations[0].loss == 1e39


# Diary and refusals ---------------------------------------------------------------------------------------------------


def test_diary_keeps_order_and_utc_time(store, trial):
    store.add_event("note", "about the study")
    store.add_event("note", "about a trial", trial)
    *_, first, second = store.events()
    assert (first[1:], second[1:]) == ((None, "note", "about the study"), (trial, "note", "about a trial"))
    age = datetime.now(UTC) - datetime.fromisoformat(second.time)
    assert timedelta(0) <= age < timedelta(minutes=1)


@pytest.mark.usefixtures("trial")
@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.record("x"),
        lambda s: s.losses("x"),
        lambda s: s.tracked("x"),
        lambda s: s.predictions("x"),
        lambda s: s.start("x", {}, Environment()),
        lambda s: s.append("x", interval(1, 2), 1.0),
        lambda s: s.set_state("x", TrialState.PAUSED),
        lambda s: s.set_best("x", 1, None, None),
        lambda s: s.add_event("note", "detail", "x"),
    ],
    ids=["record", "losses", "tracked", "predictions", "start", "append", "set_state", "set_best", "add_event"],
)
def test_unknown_trial_is_refused(store, call):
    before = store.events()
    with pytest.raises(RequestError, match="the study has no trial 'x'; add it first"):
        call(store)
    assert store.events() == before


@pytest.mark.usefixtures("trial")
def test_facts_of_an_unknown_task_are_refused(store):
    with pytest.raises(RequestError, match="the study has no task 'x'"):
        store.set_facts("x", RECIPE.id, TaskFacts())


def test_closing_twice_is_allowed_and_nothing_works_after(store):
    store.close()
    store.close()
    with pytest.raises(RequestError, match="is closed; open it again"):
        store.records()
