"""Is the public interface one sorted list, and does every name on it exist?"""

import seedwise


def test_public_names_are_sorted():
    assert list(seedwise.__all__) == sorted(seedwise.__all__)


def test_public_names_are_unique():
    assert len(seedwise.__all__) == len(set(seedwise.__all__))


def test_every_public_name_can_be_imported():
    missing = [name for name in seedwise.__all__ if not hasattr(seedwise, name)]
    assert missing == []


def test_every_public_name_is_listed_by_dir():
    assert set(seedwise.__all__) - set(dir(seedwise)) == set()


def test_every_public_object_has_a_docstring():
    public = {name: getattr(seedwise, name) for name in seedwise.__all__ if not name.startswith("_")}
    undocumented = [name for name, value in public.items() if not (getattr(value, "__doc__", None) or "").strip()]
    assert undocumented == []
