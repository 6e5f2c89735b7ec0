"""``python -m seedwise`` is ``seedwise``."""

from seedwise.cli import main

main()
