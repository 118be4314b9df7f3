"""Names that are fetched later are not those of the modules they come from."""

import importlib
import pkgutil

import pytest


@pytest.mark.parametrize("part", ["data", "evaluation", "features", "workflow"])
def test_no_name_of_a_part_is_also_the_name_of_a_module_in_it(part):
    """Whoever imports the module first would be given it in place of the function."""
    package = importlib.import_module(f"kekule.{part}")
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    later = getattr(package, "_LATER", None) or package._HOMES

    assert modules.isdisjoint(later)
