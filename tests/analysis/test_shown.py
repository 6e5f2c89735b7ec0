"""How do an analysis and a table look where they are printed, and in a notebook?"""

from seedwise import Analysis
from seedwise.tables.table import Table
from table_studies import table_study

HOSTILE = "<script>alert(1)</script>"


def test_an_analysis_is_short_in_print():
    text = repr(Analysis(table_study([[0.5], [0.6], [0.7]], task="RTE")))
    assert text == "<Analysis of RTE: 3 complete, 0 stopped, 0 failed, 0 open>"


def test_an_analysis_is_a_table_in_a_notebook_and_its_names_are_escaped():
    html = Analysis(table_study([[0.5], [0.6], [0.7]], task=HOSTILE))._repr_html_()
    assert "<td>0.700</td><td>0.600</td>" in html  # best and median
    assert HOSTILE not in html


def test_a_table_is_short_in_print_and_a_table_in_a_notebook():
    table = Table("scores", "Scores.", ("recipe", "n"), ("text", "count"), ((HOSTILE, 3),))
    assert repr(table) == "<Table scores: recipe, n; rows: 1>"
    assert "<table" in table._repr_html_()
    assert HOSTILE not in table._repr_html_()
