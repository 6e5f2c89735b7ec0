"""Does the winner's card say what happened, and nothing that only its author's machine knows?"""

from dataclasses import replace

import pytest

from replay import ReplayExecutor
from seedwise import Recipe, Seeds, StoppingRule, Study, Task
from seedwise.study.modelcard import model_card

RULE = StoppingRule(t=4, f=0.5, p=2)


def card(folder, model="google-bert/bert-base-uncased", name="rte", test=None):
    recipe = Recipe(model=model, batch_size=8, num_train_epochs=1, evaluations="every 1 steps")
    task = replace(Task.glue("rte"), name=name)
    with Study.create(folder, tasks=[task], recipes=[recipe], seeds=Seeds.paired(4), rule=RULE) as study:
        study.run(ReplayExecutor([[0.1, 0.2], [0.5, 0.6], [0.4, 0.7], [0.3, 0.9]]))
        best = replace(study.best_trial(), test_metrics=test)
        return model_card(best, study.trials, study.rule, study.facts(best.trial))


def test_the_card_tells_score_seeds_and_rule(tmp_path):
    said = card(tmp_path)
    assert "# rte: the best of 4 seeds" in said
    assert "| validation accuracy | 0.7000 (best evaluation, step 2 of 2) |" in said
    assert "| best constant guess | 0.5000 |" in said
    assert "| seeds tried | 4 started, 2 trained to the end |" in said
    assert "| stopping rule | started 4, judged after 0.5 of the run, kept 2 |" in said
    assert "| seeds of this model | init 3, order 3, dropout 3 |" in said
    assert "it is optimistic" in said


def test_test_scores_are_told_where_there_are_any(tmp_path):
    assert "test" not in card(tmp_path / "without").lower()
    said = card(tmp_path / "with", test={"accuracy": 0.625})
    assert "| test accuracy | 0.6250 |" in said
    assert "The test score was not used to choose." in said


def test_how_sure_the_test_score_is_is_told_where_it_is_known(tmp_path):
    card(tmp_path)
    with Study.open(tmp_path) as study:
        best = replace(study.best_trial(), test_metrics={"accuracy": 0.625, "f1": 0.5})
        facts = replace(study.facts(best.trial), rows={"train": 16, "validation": 10, "test": 1200})
        said = model_card(best, study.trials, study.rule, facts, (0.5, 0.75))
    assert "| test accuracy | 0.6250 (on new rows like these 1,200: 0.5000 to 0.7500, a 95% interval) |" in said
    assert "| test f1 | 0.5000 |" in said


def test_a_winner_that_learnt_nothing_and_doubtful_rows_are_told(tmp_path):
    said = card(tmp_path)
    assert "no better than the best constant guess" not in said
    with Study.open(tmp_path) as study:
        best = study.best_trial()
        facts = replace(study.facts(best.trial), baselines={"accuracy": 0.7}, repeated={"validation": 2})
        said = model_card(best, study.trials, study.rule, facts)
    assert "\n- the best accuracy, 0.700, is no better than the best constant guess, 0.700; " in said
    assert "\n- 2 of " in said


@pytest.mark.parametrize(
    ("model", "told"),
    [("google-bert/bert-base-uncased", True), ("/home/me/bert", False), ("./bert", False), ("embedded", False)],
)
def test_only_a_model_of_the_hub_is_a_base_model(tmp_path, model, told):
    assert ("\nbase_model: " in card(tmp_path, model=model)) == told


def test_names_are_no_markup(tmp_path):
    assert "<b>" not in card(tmp_path, name="<b>|x")
