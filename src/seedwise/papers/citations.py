"""Whom does a study owe its methods, and how is that cited?"""

from collections.abc import Iterable
from typing import NamedTuple

from seedwise.values.checks import check_choice

__all__ = ["CITATIONS", "Citation", "bibtex"]


class Citation(NamedTuple):
    """One published work."""

    key: str  # its BibTeX key
    short: str  # how a caption names it
    owed: str  # what seedwise takes from it
    entry: str  # its BibTeX entry


def _citation(kind: str, key: str, short: str, owed: str, **fields: str) -> Citation:
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return Citation(key, short, owed, f"@{kind}{{{key},\n{lines}\n}}")


CITATIONS = {
    work.key: work
    for work in (
        _citation(
            "misc",
            "dodge2020finetuning",
            "Dodge et al. (2020)",
            "start many, stop early, continue some; expected validation performance over seeds; init against order seeds",
            title="Fine-Tuning Pretrained Language Models: Weight Initializations, Data Orders, and Early Stopping",
            author="Dodge, Jesse and Ilharco, Gabriel and Schwartz, Roy and Farhadi, Ali and Hajishirzi, Hannaneh and Smith, Noah",
            year="2020",
            eprint="2002.06305",
            archiveprefix="arXiv",
        ),
        _citation(
            "inproceedings",
            "zhang2021revisiting",
            "Zhang et al. (2021)",
            "expected test performance; comparison of recipes; bias correction, re-initialisation, longer training",
            title="Revisiting Few-sample {BERT} Fine-tuning",
            author="Zhang, Tianyi and Wu, Felix and Katiyar, Arzoo and Weinberger, Kilian Q. and Artzi, Yoav",
            booktitle="International Conference on Learning Representations",
            year="2021",
        ),
        _citation(
            "inproceedings",
            "dodge2019show",
            "Dodge et al. (2019)",
            "the formula of expected validation performance",
            title="Show Your Work: Improved Reporting of Experimental Results",
            author="Dodge, Jesse and Gururangan, Suchin and Card, Dallas and Schwartz, Roy and Smith, Noah A.",
            booktitle="Proceedings of EMNLP-IJCNLP",
            year="2019",
        ),
        _citation(
            "inproceedings",
            "lourie2024show",
            "Lourie et al. (2024)",
            "simultaneous confidence bands on the expected best",
            title="Show Your Work with Confidence: Confidence Bands for Tuning Curves",
            author="Lourie, Nicholas and Cho, Kyunghyun and He, He",
            booktitle="Proceedings of NAACL-HLT",
            year="2024",
        ),
        _citation(
            "misc",
            "jordan2023calibrated",
            "Jordan (2023)",
            "how much of the spread is test rows that flip",
            title="Calibrated Chaos: Variance Between Runs of Neural Network Training is Harmless and Inevitable",
            author="Jordan, Keller",
            year="2023",
            eprint="2304.01910",
            archiveprefix="arXiv",
        ),
        _citation(
            "inproceedings",
            "sellam2022multiberts",
            "Sellam et al. (2022)",
            "comparisons that hold for new seeds and new rows",
            title="The {MultiBERTs}: {BERT} Reproductions for Robustness Analysis",
            author="Sellam, Thibault and Yadlowsky, Steve and Wei, Jason and Saphra, Naomi and D'Amour, Alexander and Linzen, Tal "
            "and Bastings, Jasmijn and Turc, Iulia and Eisenstein, Jacob and Das, Dipanjan and Tenney, Ian and Pavlick, Ellie",
            booktitle="International Conference on Learning Representations",
            year="2022",
        ),
        _citation(
            "inproceedings",
            "mosbach2021stability",
            "Mosbach et al. (2021)",
            "the recipe mosbach2021",
            title="On the Stability of Fine-tuning {BERT}: Misconceptions, Explanations, and Strong Baselines",
            author="Mosbach, Marius and Andriushchenko, Maksym and Klakow, Dietrich",
            booktitle="International Conference on Learning Representations",
            year="2021",
        ),
    )
}
"""The works behind the methods, by BibTeX key."""


def bibtex(keys: Iterable[str] | None = None) -> str:
    """Return BibTeX entries, separated by empty lines.

    Example:
        >>> bibtex(["dodge2019show"]).splitlines()[0]
        '@inproceedings{dodge2019show,'
    """
    chosen = list(CITATIONS if keys is None else keys)
    for key in chosen:
        check_choice("the work", key, CITATIONS)
    return "\n\n".join(CITATIONS[key].entry for key in chosen)
