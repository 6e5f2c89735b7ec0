"""What can be typed: ``seedwise COMMAND``. Each command says in Python's words what it was told, and prints."""

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

import seedwise
from seedwise.cli.config import StudyOptions
from seedwise.cli.errors import explained
from seedwise.cli.options import RecipeOptions, TaskOptions, TrialOptions, WorkerOptions
from seedwise.errors import RequestError

if TYPE_CHECKING:  # loaded on first use
    from seedwise.study.study import Study

__all__ = ["app", "main"]

app = App(
    name="seedwise",
    version=seedwise.__version__,
    help="Start many seeds, stop the poor ones early, continue the promising ones, and say how good the winner is.",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    help_epilogue="Errors are one sentence; --debug shows where they come from.",
)

Folder = Annotated[Path, Parameter(help="The study's folder.")]
TaskName = Annotated[str | None, Parameter(help="Only this task of the study.")]
RecipeName = Annotated[str | None, Parameter(help="Only this recipe of the study.")]
Json = Annotated[bool, Parameter(negative="", help="Print JSON for other programs.")]


@app.command
def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The study's folder.")] = Path("seedwise-demo"),
    workers: WorkerOptions = WorkerOptions(),
) -> None:
    """Do the whole job offline: three small tasks, a small encoder, real training."""
    from seedwise.cli.demo import run_demo

    run_demo(output, workers)


@app.command
def run(
    folder: Folder,
    *,
    design: Annotated[
        str | None, Parameter(help="A ready-made design (`seedwise designs`), or a file like one.")
    ] = None,
    scale: Annotated[
        Literal["full", "small"] | None, Parameter(help="Of --design: as published, or for this machine in minutes.")
    ] = None,
    config: Annotated[
        Path | None, Parameter(help="A study file: TOML that says what flags would; flags override it.")
    ] = None,
    task: TaskOptions = TaskOptions(),
    recipe: RecipeOptions = RecipeOptions(),
    trials: TrialOptions = TrialOptions(),
    workers: WorkerOptions = WorkerOptions(),
    extend: Annotated[bool, Parameter(negative="", help="Add to the study that the folder holds.")] = False,
) -> None:
    """Run a study, or continue the one that the folder holds."""
    from seedwise.cli.run import run_from_design, run_options

    options = StudyOptions(task, recipe, trials, workers)
    if design is not None:
        if config is not None or extend:
            flag = "--config" if config is not None else "--extend"
            raise RequestError(f"--design says what is run, so {flag} must be left out; give one of the two.")
        run_from_design(folder, design, scale or "full", options)
        return
    if scale is not None:
        raise RequestError(f"--scale {scale} goes with --design, which is missing; name a design.")
    run_options(folder, options.over_file(config) if config else options, extend=extend)


@app.command
def designs(
    name: Annotated[str | None, Parameter(help="Print this design's file, to be copied and changed.")] = None,
) -> None:
    """List the ready-made designs that ``seedwise run DIR --design NAME`` runs, with their cost in trainings."""
    from seedwise.cli.designs import print_designs

    print_designs(name)


@app.command
def status(folder: Folder) -> None:
    """Show how many trials wait, run, are paused, stopped, complete or failed, and the best so far."""
    from seedwise.cli.tables import print_status

    with seedwise.Study.open(folder) as study:
        print_status(study)


@app.command
def trials(folder: Folder, *, format: Literal["table", "csv", "json"] = "table") -> None:  # noqa: A002 - the flag's name
    """List every trial with its seeds, state, best score, the step it came at, and the last step that was scored."""
    from seedwise.cli.tables import print_trials

    with seedwise.Study.open(folder) as study:
        print_trials(study, format)


@app.command
def predict(
    folder: Folder,
    file: Annotated[Path, Parameter(help="Rows with the task's text columns: CSV, TSV, JSON Lines or Parquet.")],
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="A CSV file; else it is printed.")] = None,
    task: Annotated[str | None, Parameter(help="Whose winner, where best/ holds several: a folder or a task.")] = None,
) -> None:
    """Label new rows with the study's best model."""
    from seedwise.cli.predict import predict_file

    predict_file(folder, file, output, task)


@app.command
def export(
    folder: Folder,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="Folder for the tables.")],
    format: Literal["csv", "parquet"] = "csv",  # noqa: A002 - the flag's name
) -> None:
    """Write tidy tables of trials, evaluations, losses and predictions."""
    with seedwise.Study.open(folder) as study:
        for path in study.export(output, format):
            print(path)


@app.command(name="import")
def import_(
    file: Annotated[Path, Parameter(help="CSV, TSV, JSON Lines, JSON, Parquet, or a folder of trainer_state.json.")],
    folder: Folder,
    *,
    map: Annotated[tuple[str, ...], Parameter(negative="", help="FIELD=COLUMN, once for each field.")] = (),  # noqa: A002
    beside: Annotated[Path | None, Parameter(name="--with", help="A second file, with one row for each run.")] = None,
    pattern: Annotated[
        str | None, Parameter(help="Named groups to find in a run's path: 'seed(?P<init>[0-9]+)'.")
    ] = None,
    baseline: Annotated[
        tuple[str, ...], Parameter(negative="", help="The best constant guess: VALUE or TASK=VALUE.")
    ] = (),
    lower_is_better: Annotated[bool | None, Parameter(help="Of the metric; otherwise told by its name.")] = None,
    all_complete: Annotated[
        bool, Parameter(negative="", help="Runs that end early are complete, not stopped.")
    ] = False,
    preview: Annotated[bool, Parameter(negative="", help="Show what would be imported, and write nothing.")] = False,
) -> None:
    """Import runs that were made elsewhere, for everything but training.

    FIELD is task, recipe, init, order, dropout, step, epoch, score, train_loss,
    validation_loss or test_score; score:NAME and test_score:NAME name a metric,
    and the first score decides. A column with a field's name needs no --map.

    COLUMN may also be :VALUE (the same for every row), A,B (of each task the
    first column with a value), a.b (what is nested; a list is a curve) or acc_*
    (one column for each evaluation; the star is the step).
    """
    from seedwise.cli.import_ import ImportOptions, import_file

    options = ImportOptions(map, beside, pattern, baseline, lower_is_better, all_complete)
    import_file(file, folder, options, preview=preview)


@app.command
def plan(
    folder: Folder,
    *,
    budget: Annotated[str, Parameter(help="Full trainings: 10, 1..30 or 5,10,20.")] = "1..30",
    task: TaskName = None,
    recipe: RecipeName = None,
    interval: Annotated[
        bool, Parameter(negative="", help="Also what other trials than those that chose gain.")
    ] = False,
    others: Annotated[bool, Parameter(negative="", help="Also halving, and rules that drop whole seeds.")] = False,
    json: Json = False,
) -> None:
    """Find the best stopping rule (t, f, p) for each budget, exactly, from the stored curves."""
    from seedwise.cli.analyze import budgets_of, print_plan

    with _with_trials(folder) as study:
        analysis = seedwise.Analysis(study)
        print_plan(analysis, budgets_of(budget), task, recipe, interval=interval, others=others, as_json=json)


@app.command
def analyze(folder: Folder, *, json: Json = False) -> None:
    """Say how good the winner is and how much of it was luck; every statistic that the design allows with --json."""
    from seedwise.cli.analyze import print_analysis

    with _with_trials(folder) as study:
        print_analysis(study, as_json=json)


@app.command
def compare(
    folder: Folder,
    a: Annotated[
        str | None,
        Parameter(help="A recipe of the study, or another study's folder; may be left out where it has two."),
    ] = None,
    b: Annotated[str | None, Parameter(help="The study's recipe to compare it with.")] = None,
    *,
    task: TaskName = None,
    split: Annotated[Literal["test", "validation"] | None, Parameter(help="Test, where all have it.")] = None,
    format: Literal["text", "markdown", "latex", "csv", "json"] = "text",  # noqa: A002 - the flag's name
) -> None:
    """Compare two recipes of a study, or two studies, by every test that their seeds allow."""
    from seedwise.cli.compare import print_comparison

    print_comparison(folder, a, b, task=task, split=split, form=format)


@app.command
def info(
    *, model: Annotated[str, Parameter(help="The encoder that is to be trained; the one in the package.")] = "embedded"
) -> None:
    """Show versions, hardware, compiled kernels, and how an encoder would be trained here and why."""
    from seedwise.cli.info import print_info

    print_info(model)


@app.command
def cite() -> None:
    """Print whom to cite, as BibTeX."""
    from seedwise.papers.citations import bibtex

    print(bibtex())


@app.command
def report(
    folder: Folder,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="The page; DIR/report.html.")] = None,
    figures: Annotated[Path | None, Parameter(help="Also write every figure there as SVG, PNG and PDF.")] = None,
    tables: Annotated[Path | None, Parameter(help="Also write every table there: Markdown, LaTeX, CSV, HTML.")] = None,
) -> None:
    """Write one self-contained HTML page about the study."""
    with _with_trials(folder) as study:
        page = seedwise.Report(seedwise.Analysis(study), title=folder.resolve().name)
        print(page.save(output or folder / "report.html"))
        for path in [*(page.save_figures(figures) if figures else []), *(page.save_tables(tables) if tables else [])]:
            print(path)


def _with_trials(folder: Path) -> "Study":
    """Open a study for what needs trials; one in stages has none in its report before all is chosen."""
    study: Study = seedwise.Study.open(folder)
    if study.design is not None and not study.trials:
        study.close()
        raise RequestError(
            f"{folder} holds a study whose choices are not all made, so its report has no trial yet; `seedwise run {folder}` "
            f"continues it, and {folder / 'tuning'} is what it knows so far."
        )
    return study


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 the work failed, 2 the request was wrong or the disk is full, 130 stopped by Ctrl-C.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # a hub that does not answer is told in our sentence
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        _end("stopped; what was done is kept, and the same command goes on.", 130)
    except Exception as error:  # noqa: BLE001 - whatever it is, one sentence says it
        if debug:
            traceback.print_exception(error)
        _end(*explained(error))


def _end(sentence: str, code: int) -> None:
    if sentence:
        print(f"seedwise: {sentence}", file=sys.stderr)
    sys.exit(code)
