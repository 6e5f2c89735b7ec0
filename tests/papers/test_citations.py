"""Are works cited by the titles that they have?"""

import pytest

from seedwise.papers.citations import bibtex

TITLES = {
    "dodge2020finetuning": "Fine-Tuning Pretrained Language Models: Weight Initializations, Data Orders, and Early Stopping",
    "zhang2021revisiting": "Revisiting Few-sample {BERT} Fine-tuning",
    "dodge2019show": "Show Your Work: Improved Reporting of Experimental Results",
    "lourie2024show": "Show Your Work with Confidence: Confidence Bands for Tuning Curves",
    "jordan2023calibrated": "Calibrated Chaos: Variance Between Runs of Neural Network Training is Harmless and Inevitable",
    "sellam2022multiberts": "The {MultiBERTs}: {BERT} Reproductions for Robustness Analysis",
    "mosbach2021stability": "On the Stability of Fine-tuning {BERT}: Misconceptions, Explanations, and Strong Baselines",
}


@pytest.mark.parametrize(("key", "title"), TITLES.items())
def test_a_work_has_its_title(key, title):
    assert f"  title = {{{title}}},\n" in bibtex([key])


def test_every_work_has_a_title_here():
    assert [line for line in bibtex().splitlines() if "  title = " in line] == [
        f"  title = {{{title}}}," for title in TITLES.values()
    ]
