"""How Python code would name an argument that was passed by position."""

from __future__ import annotations

import inspect

from .lookup import Function


def argument_paths(function: Function, count: int) -> list[str]:
    """A path for each of *count* positional arguments: ``address``, ``items[0]``, ``args[2]``."""
    paths: list[str] = []
    for parameter in _positional(function):
        if parameter.kind is parameter.VAR_POSITIONAL:
            paths += [f"{parameter.name}[{n}]" for n in range(count - len(paths))]
        else:
            paths.append(parameter.name)
    paths += [f"args[{n}]" for n in range(len(paths), count)]
    return paths[:count]


def _positional(function: Function) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each for each in parameters if each.kind not in (each.KEYWORD_ONLY, each.VAR_KEYWORD)]
