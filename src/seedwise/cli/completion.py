"""How does a shell complete ``seedwise`` commands and flags?"""

from typing import Annotated, Literal

from cyclopts import Parameter

__all__ = ["completion"]


def completion(shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="The shell to complete in.")]) -> None:
    """Print a completion script: `eval "$(seedwise completion bash)"` in ~/.bashrc, or likewise for zsh; fish: `| source`."""
    from seedwise.cli import app

    print(app.generate_completion(shell=shell))
