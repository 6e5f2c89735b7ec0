"""Draw the README's picture from a study: python scripts/draw_readme.py STUDY TASK docs/images/demo.svg."""

import sys

from seedwise import Analysis, Study
from seedwise.charts.curves import curves_data, draw_curves
from seedwise.charts.style import save


def main(folder: str, task: str, output: str) -> None:
    """Draw the validation curves of one of a study's tasks as SVG.

    Args:
        folder: The study's folder.
        task: The task's name.
        output: The SVG file.
    """
    with Study.open(folder) as study:
        analysis = Analysis(study)
        cell = analysis.cell(task)
        save(draw_curves(curves_data(analysis, cell)), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
