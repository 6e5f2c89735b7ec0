"""Whom does ``seedwise cite`` name?"""

__all__ = ["cite"]


def cite() -> None:
    """Print the papers to cite, as BibTeX."""
    from seedwise.papers.citations import bibtex

    print(bibtex())
