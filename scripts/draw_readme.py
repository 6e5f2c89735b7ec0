"""Draw the README's picture from a study: python scripts/draw_readme.py STUDY TASK docs/images/demo.svg."""

import sys
from pathlib import Path

import vl_convert

from seedwise import Analysis, Study
from seedwise.charts.curves import curves_data, draw_curves


def main(folder: str, task: str, output: str) -> None:
    """Draw the validation curves of one of a study's tasks as SVG.

    Args:
        folder: The study's folder.
        task: The task's name.
        output: The SVG file.
    """
    with Study.open(folder) as study:
        analysis = Analysis(study)
        cell = next(trials for trials in analysis.cells() if trials[0].trial.task.name == task)
        svg = vl_convert.vegalite_to_svg(draw_curves(curves_data(analysis, cell)).to_dict())
    Path(output).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
