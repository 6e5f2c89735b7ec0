"""Draw the README's picture from a study.

python scripts/draw_readme.py STUDY TASK docs/images/demo.svg
python scripts/draw_readme.py --quick                           drawn curves, in a temporary folder: does it run?
"""

import argparse
import tempfile
from pathlib import Path

from seedwise import Analysis, Study, read_runs
from seedwise.charts.curves import curves_data, draw_curves
from seedwise.charts.style import save

ROWS = "task,init,step,accuracy\nrte,1,5,0.5\nrte,1,10,0.6\nrte,2,5,0.4\nrte,2,10,0.7\n"


def main() -> None:
    """Draw the validation curves of one of a study's tasks as SVG."""
    parser = argparse.ArgumentParser(description="Draw the validation curves of one of a study's tasks as SVG.")
    parser.add_argument("study", nargs="?", help="the study's folder")
    parser.add_argument("task", nargs="?", help="the task's name")
    parser.add_argument("output", nargs="?", help="the SVG file")
    parser.add_argument("--quick", action="store_true", help="draw two made-up scores and keep nothing")
    chosen = parser.parse_args()
    if chosen.quick:
        with tempfile.TemporaryDirectory() as temporary:
            _try(Path(temporary))
    elif chosen.output is None:
        parser.error("STUDY, TASK and OUTPUT must all be given, or --quick.")
    else:
        with Study.open(chosen.study) as study:
            draw(study, chosen.task, chosen.output)


def draw(study: Study, task: str, output: str | Path) -> None:
    """Draw the curves of one task."""
    analysis = Analysis(study)
    save(draw_curves(curves_data(analysis, analysis.cell(task))), output)


def _try(folder: Path) -> None:
    """Import a run of two evaluations and draw it."""
    (folder / "runs.csv").write_text(ROWS, encoding="utf-8")
    with Study.import_runs(
        folder / "study", read_runs(folder / "runs.csv", {"score": "accuracy", "recipe": ":drawn"})
    ) as study:
        draw(study, "rte", folder / "curves.svg")
    print(f"drawn: {(folder / 'curves.svg').stat().st_size} bytes")


if __name__ == "__main__":
    main()
