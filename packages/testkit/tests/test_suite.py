"""The suite is handed over in whole."""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator

from fastapi_taskflow_testkit import conformance


def _tests_by_module() -> Iterator[tuple[str, list[str]]]:
    for info in pkgutil.iter_modules(conformance.__path__):
        module = importlib.import_module(f"{conformance.__name__}.{info.name}")
        yield info.name, [name for name in vars(module) if name.startswith("test_")]


def test_every_test_of_every_module_is_exported_under_a_name_of_its_own() -> None:
    names = Counter(name for _, names in _tests_by_module() for name in names)
    assert names.keys() <= set(conformance.__all__)
    assert [name for name, times in names.items() if times > 1] == []


def test_nothing_but_tests_and_the_fixture_is_exported() -> None:
    assert [name for name in conformance.__all__ if not name.startswith("test_")] == ["second"]
