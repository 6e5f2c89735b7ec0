"""Do facts come back as they were stored, also those that an older version stored?"""

import json

from seedwise.values.facts import ImportSource, TaskFacts

# As 684e371 stored them, of a task prepared for a recipe and of imported runs.
OWN = {
    "digest": "5f0c2a1b9d8e7f60",
    "kind": "classification",
    "rows": {"train": 96, "validation": 40, "test": 40},
    "label_names": ["no", "yes"],
    "class_counts": {"train": [40, 56], "validation": [20, 20], "test": [19, 21]},
    "truncated": {"train": 1, "validation": 0, "test": 0},
    "repeated": {"validation": 0, "test": 2},
    "dropped": 0,
    "max_length": 64,
    "max_tokens": 64,
    "baselines": {"accuracy": 0.5, "loss": 0.6931471805599453},
    "blocks": 2,
    "steps": 18,
    "evaluation_steps": [9, 18],
}
REGRESSION = {**OWN, "kind": "regression", "label_names": None, "class_counts": None, "blocks": None}
IMPORTED = {
    "steps": 30,
    "imported": {
        "files": ["runs.csv", "beside.csv"],
        "mapping": {"task": ":RTE", "init": "seed"},
        "options": {"pattern": None, "baseline": {"RTE": 0.53}, "lower_is_better": None, "all_complete": True},
    },
    "evaluation_steps": [10, 20, 30],
    "epochs": 3.0,
    "baselines": {"acc": 0.53},
}


def test_what_is_stored_is_what_684e371_stored():
    assert [TaskFacts.from_json(content).to_json() for content in (OWN, REGRESSION, IMPORTED)] == [
        OWN,
        REGRESSION,
        IMPORTED,
    ]
    assert json.dumps(TaskFacts.from_json(OWN).to_json()) == json.dumps(OWN)


def test_facts_are_equal_after_a_journey_through_json():
    for content in (OWN, REGRESSION, IMPORTED, {}):
        facts = TaskFacts.from_json(content)
        assert TaskFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_keys_that_an_older_version_did_not_store_are_empty():
    older = {name: OWN[name] for name in ("digest", "rows", "steps")}
    facts = TaskFacts.from_json(older)
    assert (facts.baselines, facts.evaluation_steps, facts.blocks, facts.dropped) == ({}, (), None, 0)
    assert ImportSource.from_json({"files": ["a.csv"], "mapping": {}}) == ImportSource(("a.csv",))


def test_keys_that_only_a_newer_version_knows_are_passed_over():
    assert TaskFacts.from_json({**OWN, "languages": ["en"]}) == TaskFacts.from_json(OWN)


def test_only_imported_runs_have_a_source():
    assert not TaskFacts.from_json(OWN).is_imported
    assert TaskFacts.from_json(IMPORTED).is_imported
