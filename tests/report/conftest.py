"""One study whose design allows everything, with names that try to be scripts, and its report."""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.report.report import Report
from table_studies import grid_seeds, table_study

EVIL = r'<script>alert(1)</script> id="\9" url(#a) &amp;'


def crossed_scores(seed):
    generator = np.random.default_rng(seed)
    effects = generator.normal(0, 0.03, (6, 1)) + generator.normal(0, 0.02, (1, 6))
    final = (0.7 + effects + generator.normal(0, 0.01, (6, 6))).ravel()
    rise = 1 - np.exp(-np.arange(1, 13) / 4)
    scores = 0.5 + (final - 0.5)[:, None] * rise + generator.normal(0, 0.01, (36, 12))
    scores[::9] = 0.5  # some never learn
    return np.clip(scores, 0, 1).round(3)


@pytest.fixture(scope="session")
def study():
    """Two tasks and two recipes of one of them, crossed 6 x 6, with test scores, losses and epochs."""
    parts = []
    for number, (task, recipe) in enumerate([(EVIL, "plain"), ("entailment", "plain"), (EVIL, f"other {EVIL}")]):
        scores = crossed_scores(number)
        test = scores.max(axis=1) - 0.01 - 0.01 * np.random.default_rng(number).random(36)
        losses = np.linspace(0.7, 0.1, 120) + np.random.default_rng(number).normal(0, 0.05, (36, 120))
        parts.append(
            table_study(
                scores,
                task=task,
                recipe=recipe,
                test=test,
                losses=losses,
                epochs=3,
                steps=range(10, 121, 10),
                **grid_seeds(6, 6),
            )
        )
    return parts[0] + parts[1] + parts[2]


@pytest.fixture(scope="session")
def analysis(study):
    return Analysis(study)


@pytest.fixture(scope="session")
def report(analysis):
    return Report(analysis, title=f"A study of {EVIL}")


@pytest.fixture(scope="session")
def page_file(report, tmp_path_factory):
    return report.save(tmp_path_factory.mktemp("report") / "report.html")
