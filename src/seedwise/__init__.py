"""How good is this recipe, and how much of it is the seed? Many seeds, stopped early, studied honestly."""

__all__ = ["__version__"]

__version__ = "0.1.0"
