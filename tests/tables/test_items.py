"""Tables of items and ensembles: the analysis's values, and a reason where there are none."""

import numpy as np

from seedwise.analysis.analysis import Analysis
from seedwise.tables.items import ensemble_table, items_table
from seedwise.tables.results import study_tables
from seedwise.tables.table import to_texts
from table_studies import table_study


def study(metric="accuracy", *, alike=False):
    generator = np.random.default_rng(0)
    targets = generator.integers(0, 2, 100)
    outputs = generator.normal(size=(1, 100, 2)) + (not alike) * generator.normal(size=(6, 100, 2))
    outputs[:, np.arange(100), targets] += 1
    both = dict.fromkeys(("validation", "test"), outputs)
    return table_study(
        generator.normal(0.7, 0.01, (6, 1)), metric=metric, outputs=both, targets=dict.fromkeys(both, targets)
    )


def test_values_are_those_of_the_analysis():
    analysis = Analysis(study())
    found, joined = analysis.items(), analysis.ensemble()
    (row,) = items_table(analysis).rows
    assert row[:6] == ("toy", "test", 6, 100, found.spread.sd, found.spread.flips)
    assert row[7:] == (found.spread.p, found.agreement.churn, found.agreement.never, found.agreement.always)
    (row,) = ensemble_table(analysis).rows
    assert row[:4] == ("toy", "accuracy", "test", 6)
    assert row[4] == joined.interval[:3]
    assert row[5:7] == (joined.winner, joined.single)


def test_a_difference_that_no_row_tells_stands_without_interval():
    (texts,) = to_texts(ensemble_table(Analysis(study("f1", alike=True))))
    assert texts[-2:] == ["0.000", "0.000"]


def test_a_study_without_outputs_says_why():
    table = items_table(Analysis(table_study(np.full((3, 1), 0.5))))
    assert table.rows[0][1:] == (None,) * 10
    assert "imported runs come without predictions for single rows" in table.notes[0]


def test_a_study_has_both_tables():
    made, _ = study_tables(Analysis(study()))
    assert {"items", "ensemble"} <= {table.name for table in made}
