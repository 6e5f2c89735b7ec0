"""What does ``seedwise analyze`` say of a study?"""

import seedwise as sw
from seedwise.cli.arguments import Folder, Json, open_with_trials
from seedwise.cli.console import print_json

__all__ = ["analyze"]


def analyze(folder: Folder, *, json: Json = False) -> None:
    """Say how good the winner is and how much of that was luck; --json gives every statistic that the design allows."""
    from seedwise.report.sentences.caveats import caveats
    from seedwise.report.sentences.cell import cell_sentences
    from seedwise.report.sentences.recipes import recipe_sentences
    from seedwise.report.sentences.tasks import task_sentences

    with open_with_trials(folder) as study:
        analysis = sw.Analysis(study)
        if json:
            print_json(analysis.to_json())
            return
        for sentence in [*recipe_sentences(analysis), *task_sentences(analysis)]:
            print(f"{sentence}\n")
        for cell in analysis.cells:
            print(f"{analysis.label(cell)}\n")
            for sentence in cell_sentences(analysis, cell):
                print(f"  {sentence}")
            for note in caveats(cell):
                print(f"  Note: {note}")
            print()
        print("Every number: --json. With figures: seedwise report.")
