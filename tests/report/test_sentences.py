"""Do the sentences say what the numbers say, and nothing where there are none?"""

from dataclasses import replace

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.report.sentences.caveats import caveats
from seedwise.report.sentences.cell import cell_sentences
from seedwise.report.sentences.recipes import recipe_sentences
from seedwise.values.facts import ImportSource
from table_studies import grid_seeds, table_study


def sentences(study, task=None):
    analysis = Analysis(study)
    return cell_sentences(analysis, analysis.cell(task))


def crossed(**given):
    generator = np.random.default_rng(0)
    scores = 0.7 + 0.05 * generator.standard_normal((6, 1)) + 0.01 * generator.standard_normal((6, 6))
    return table_study(scores.reshape(-1, 1), **grid_seeds(6, 6), **given), scores


def test_the_winner_comes_first():
    study, scores = crossed()
    best = np.argmax(scores)
    assert sentences(study)[0] == (
        f"The best of 36 trials reached a validation accuracy of {scores.max():.3f} "
        f"(init {best // 6 + 1}, order {best % 6 + 1})."
    )


def test_the_test_score_of_the_choice_and_its_optimism_are_told():
    _, scores = crossed()
    study, _ = crossed(test=scores.ravel() - 0.02)
    text = " ".join(sentences(study))
    assert "On test rows, which did not choose it, it scores" in text
    found = Analysis(study).gap()
    assert (
        f"Whoever picks the best of 18 such trials by validation should expect {found.test:.3f} on new rows and "
        f"{found.validation:.3f} on the validation rows. Validation looks better: +0.020 [+0.020, +0.020] (95%, over seeds), "
        "of which 0.000 [0.000, 0.000] is from choosing among trials and +0.020 [+0.020, +0.020] from the two sets of rows"
    ) in text


def test_a_choice_of_noise_is_all_due_to_choosing():
    _, scores = crossed()
    test = np.random.default_rng(1).permutation(scores.ravel())
    study, _ = crossed(test=test)
    found = Analysis(study).gap()
    assert found.among_trials.lower > 0
    assert f"of which {found.among_trials.estimate:+.3f} [" in " ".join(sentences(study))
    assert "from the two sets of rows not being equally hard." in " ".join(sentences(study))


def test_easier_test_rows_make_validation_look_worse():
    _, scores = crossed()
    study, _ = crossed(test=scores.ravel() + 0.03)
    assert "Validation looks worse: -0.030 [-0.030, -0.030]" in " ".join(sentences(study))


def test_crashed_trials_are_told_beside_the_winner_and_left_out_of_test_scores():
    scores = np.random.default_rng(0).normal(0.7, 0.02, (30, 3))
    scores[20:] = np.nan
    test = np.where(np.arange(30) < 20, scores[:, 0], np.nan)
    told = sentences(table_study(scores, states=["complete"] * 20 + ["failed"] * 10, test=test))
    assert told[0].startswith("The best of 30 trials (10 of them crashed or diverged) reached")
    assert "Whoever picks the best of 10 such trials" in told[1]
    assert told[1].endswith("(Test scores are those of 20 of 30 trials; 10 failed without a test score.)")


def test_a_seed_that_is_not_known_is_not_told():
    study = table_study(np.random.default_rng(0).random((6, 2)))
    for mapping, words in (
        ({"init": "seed"}, "(seed "),
        ({"score": "x"}, "(run "),
        ({"init": "a", "order": "b"}, "(init "),
    ):
        facts = {key: replace(one, imported=ImportSource(mapping=mapping)) for key, one in study.facts_of.items()}
        assert words in sentences(replace(study, facts_of=facts))[0]


def test_how_bad_one_run_can_be_is_told_with_an_interval():
    scores = np.random.default_rng(0).normal(0.7, 0.05, (60, 1))
    found = Analysis(table_study(scores)).low_quantile()
    assert found.lower < found.score < found.upper < 0.7
    words = f"One run in 10 scores {found.score:.3f} or less [{found.lower:.3f}, {found.upper:.3f}]."
    assert words in sentences(table_study(scores))
    assert "or less; 20 trials leave open how much less]." in " ".join(sentences(table_study(scores[:20])))


def test_failures_of_a_loss_are_at_or_above_the_guess():
    scores = np.where(np.arange(20) < 5, 0.7, 0.3)[:, None]
    text = " ".join(sentences(table_study(scores, metric="loss", baseline=0.69)))
    assert "5 of 20 trials failed (at or above 0.69, where guessing is)" in text


def test_without_a_guess_nobody_knows_who_failed():
    scores = np.random.default_rng(0).random((20, 1))
    text = " ".join(sentences(table_study(scores, baseline=None)))
    assert "How many only guess is not known" in text
    assert " failed (" not in text


def test_trials_that_fell_back_are_told():
    scores = np.column_stack([np.full(20, 0.8), np.where(np.arange(20) < 6, 0.5, 0.8)])
    text = " ".join(sentences(table_study(scores)))
    assert "0 of 20 trials failed" in text
    assert "At the last evaluation it was 6 of 20." in text


def test_when_trials_can_be_ranked_is_told():
    quality = np.random.default_rng(0).normal(0.7, 0.05, 30)
    scores = quality[:, None] - np.linspace(0.1, 0, 5) + np.random.default_rng(1).normal(0, 0.002, (30, 5))
    assert "Trials can be ranked after 20 % of a run" in " ".join(sentences(table_study(scores)))


def test_the_best_rule_is_told_with_who_chose_it():
    quality = np.random.default_rng(0).normal(0.7, 0.05, 60)
    scores = quality[:, None] - np.linspace(0.1, 0, 10) + np.random.default_rng(1).normal(0, 0.002, (60, 10))
    study = table_study(scores)
    rules = Analysis(study).best_rules().rules
    i = rules.budget.tolist().index(10)
    assert (
        f"On these trials a budget of 10 full trainings is best spent by starting {rules.t[i]}, judging after "
        f"{100 * rules.f[i]:.0f} % and keeping {rules.p[i]}: expect {rules.mean[i]:.3f} instead of"
    ) in " ".join(sentences(study))


def test_equal_curves_under_different_seeds_are_told():
    scores = np.random.default_rng(0).random((6, 5))
    scores[3] = scores[0]
    analysis = Analysis(table_study(scores))
    assert any(note.startswith("2 of 6 seeds gave the same curve") for note in caveats(analysis.cell()))


def test_nothing_is_claimed_of_trials_that_are_one_run():
    told = sentences(table_study([[0.51, 0.62, 0.65]] * 7 + [[0.52, 0.60, 0.61]]))
    assert len(told) == 2
    assert "7 of 8 seeds gave the same curve: the seed had no effect, or a file was copied." in told[1]


def test_trials_of_a_grid_are_not_taken_for_independent():
    study, _ = crossed()
    assert any("share a seed are not independent" in note for note in caveats(Analysis(study).cell()))


def test_the_seed_that_makes_the_variance_is_named_with_its_interval():
    study, _ = crossed()
    found = Analysis(study).variance()
    share, lower, upper = (f"{100 * column[0]:.0f}" for column in (found.share, found.share_lower, found.share_upper))
    text = " ".join(sentences(study))
    assert (
        f"The init seed explains {share} % [{lower}, {upper}], the order seed (which dropout follows) explains" in text
    )
    assert "95% intervals" in text


def test_failed_trials_are_counted_with_an_interval():
    scores = np.where(np.arange(20) < 5, 0.51, 0.8)[:, None]
    assert (
        "5 of 20 trials failed (at or below 0.52, where guessing is, with a margin of 0.02): 25 % [11, 47]. The other 15 score "
        "0.800 [0.800, 0.800] on average."
    ) in sentences(table_study(scores))


def test_a_margin_smaller_than_chance_is_told():
    scores = np.where(np.arange(20) < 5, 0.51, 0.8)[:, None]
    study = table_study(scores)
    for rows, is_told in ((100, True), (1000, False)):  # sd of 0.05 and of 0.016
        facts = {key: replace(one, rows={"validation": rows}) for key, one in study.facts_of.items()}
        text = " ".join(sentences(replace(study, facts_of=facts)))
        assert ("have a standard deviation of 0.05, more than the margin" in text) == is_told


def test_paired_seeds_say_nothing_of_variance():
    text = " ".join(sentences(table_study(crossed()[1].reshape(-1, 1))))
    assert "explains" not in text


def test_a_few_trials_say_who_won_and_why_no_more():
    first, second = sentences(table_study([[0.6], [0.7]]))
    assert first.startswith("The best of 2 trials")
    assert (
        second == "How scores spread cannot be told: this needs at least 5 trials at their end, not 2 of 2; run more."
    )


def test_what_stopping_saved_is_told():
    states = ["complete", "complete", "stopped", "stopped"]
    study = table_study([[0.6, 0.7], [0.6, 0.8], [0.5, np.nan], [0.4, np.nan]], states=states)
    assert "It cost 3.0 full trainings instead of 4." in sentences(study)[0]


def test_a_study_that_has_not_run_says_so():
    study = table_study([[np.nan]], states=["waiting"])
    assert sentences(study) == ["No trial of toy is complete yet."]


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({}, "there are no test rows"),
        ({"states": ["complete", "running"]}, "1 of 2 trials are not finished yet."),
        ({"baseline": 0.9}, "no better than the best constant guess"),
    ],
)
def test_what_to_know_before_believing_is_told(given, note):
    analysis = Analysis(table_study([[0.6], [0.7]], **given))
    assert any(note in sentence for sentence in caveats(analysis.cell()))


def test_percentages_are_told():
    scores = 100 * np.random.default_rng(0).random((8, 3))
    notes = caveats(Analysis(table_study(scores, baseline=None)).cell())
    assert any("divide percentages by 100" in note for note in notes)


def test_a_score_on_the_line_has_failed():
    scores = np.where(np.arange(20) < 4, 0.52, 0.8)[:, None]
    assert "4 of 20 trials failed (at or below 0.52" in " ".join(sentences(table_study(scores)))


def test_which_recipe_is_best_is_told():
    generator = np.random.default_rng(0)
    study = table_study(generator.normal(0.8, 0.01, (20, 1)), recipe="good") + table_study(
        generator.normal(0.7, 0.01, (20, 1)), recipe="bad"
    )
    (sentence,) = recipe_sentences(Analysis(study))
    assert sentence.startswith("toy: good has the best mean validation accuracy, 0.798")
    assert "worse: bad (paired t-test, p = " in sentence


def test_a_recipe_of_too_few_trials_is_no_other_recipe_that_is_worse():
    scores = np.random.default_rng(0).normal(0.7, 0.01, (20, 1))
    good, bad, few = (("good", scores), ("bad", scores - 0.1), ("few", scores[:2] + 0.1))
    study = (
        table_study(good[1], recipe=good[0]) + table_study(bad[1], recipe=bad[0]) + table_study(few[1], recipe=few[0])
    )
    (sentence,) = recipe_sentences(Analysis(study))
    assert sentence.startswith("toy: good has the best mean")
    assert "; worse: bad (" in sentence
    assert sentence.endswith(
        "few is left out: two recipes are compared on at least 3 trials each, not 2; run more seeds."
    )


def test_no_level_is_claimed_of_recipes_that_are_not_told_apart_or_not_comparable():
    scores = np.random.default_rng(0).normal(0.7, 0.01, (12, 1))
    same = table_study(scores, recipe="a") + table_study(scores, recipe="b")
    assert recipe_sentences(Analysis(same))[0].endswith("not told apart from it: b (their scores are equal).")
    three = recipe_sentences(Analysis(same + table_study(scores[::-1], recipe="c")))[0]
    assert "p < " not in three
    assert three.endswith("at the 5 % level after Holm's correction for 3 comparisons).")
    alone = [table_study(scores, recipe=name, init=[seed] * 12) for name, seed in (("a", 1), ("b", 2))]
    assert recipe_sentences(Analysis(alone[0] + alone[1]))[0].endswith("or with the same one.")


def test_one_row_on_which_trials_differ_is_not_labelled_alike():
    right = np.array([1, 1, 1, 0, 1, 0])
    outputs = {"test": [[[1 - x, x]] for x in right], "validation": [[[1 - x, x]] for x in right]}
    given = {"test": right, "outputs": outputs, "targets": {"test": [1], "validation": [1]}}
    one = table_study(right[:, None], recipe="a", **given)
    assert "label every test row alike" not in " ".join(sentences(one))
    turned = table_study(right[::-1, None], recipe="b", **{**given, "test": right[::-1]})
    assert Analysis(one + turned).compare("a", "b").new_rows is None


def test_a_gap_of_nothing_looks_neither_better_nor_worse():
    scores = np.random.default_rng(0).normal(0.7, 0.01, (12, 1))
    assert "Validation and test look alike: 0.000" in " ".join(sentences(table_study(scores, test=scores[:, 0])))


def test_why_no_recipe_is_best_is_told_task_by_task():
    short = table_study([[0.6, 0.7], [0.6, np.nan]], recipe="a", states=["complete", "stopped"], task="x")
    fine = [table_study([[0.6], [0.7]], recipe=name, task="y") for name in ("a", "b")]
    study = short + table_study([[0.6, 0.7], [0.5, 0.6]], recipe="b", task="x") + fine[0] + fine[1]
    first, second = recipe_sentences(Analysis(study))
    assert first.startswith("x: it cannot be said which recipe is best")
    assert second.startswith("y: ")


def test_dropout_that_follows_the_order_seed_is_told():
    assert "the order seed (which dropout follows) explains" in " ".join(sentences(crossed()[0]))


def stopped_early(trials=20, kept=4):
    scores = np.random.default_rng(0).normal(0.7, 0.05, (trials, 8))
    scores[kept:, 2:] = np.nan
    states = ["complete"] * kept + ["stopped"] * (trials - kept)
    return table_study(scores, states=states, test=[0.68] * kept + [np.nan] * (trials - kept))


def test_of_trials_that_were_stopped_the_early_scores_are_told():
    study = stopped_early()
    told = sentences(study)
    found = Analysis(study).stopped_early()
    assert told[1].startswith(
        f"The 4 trials that went on ended at {found.validation.mean:.3f} ± {found.validation.sd:.3f}"
    )
    assert "and at 0.680 ± 0.000 (between 0.680 and 0.680) on test rows" in told[1]
    assert f"The winner was number {found.place_of_winner} of 20 when they were judged" in told[1]
    assert told[2].startswith("After 25 % of a run, when they were judged, 20 trials have a score.")
    assert all(sentence.startswith("After 25 % of a run: ") for sentence in told[3:])
    assert any("the validation score of a single trial is" in sentence for sentence in told[3:])
    assert not any("cannot be told" in sentence for sentence in told)


def test_few_trials_that_were_stopped_have_no_distribution():
    assert len(sentences(stopped_early(trials=4, kept=2))) == 3


def test_the_one_trial_that_went_on_has_no_spread():
    assert sentences(stopped_early(kept=1))[1].startswith("The trial that went on ended at 0.")


def test_what_is_said_of_a_single_trial_holds_for_the_seed_that_all_trials_have():
    scores = np.random.default_rng(0).normal(0.7, 0.02, (12, 1))
    one = Analysis(table_study(scores, init=[1] * 12, order=range(12)))
    said = " ".join(cell_sentences(one, one.cell()))
    assert "All have init seed 1; what is said of a single trial holds for that alone." in said
    many = Analysis(table_study(scores))
    assert "holds for that alone" not in " ".join(cell_sentences(many, many.cell()))
