"""A value that has no lossless form, on its way up to the argument it is part of."""

from __future__ import annotations


class Refusal(Exception):
    """Raised where the value is found; each container on the way up adds its ``step``."""

    def __init__(self, value: object, hint: str) -> None:
        self.value, self.hint = value, hint
        self._steps: list[str] = []
        super().__init__(hint)

    def step(self, step: str) -> None:
        """Note how the container that is being left reaches the value: ``[3]``, ``.price``."""
        self._steps.append(step)

    def path(self, root: str) -> str:
        """The way from *root* to the value, as Python would write it."""
        return root + "".join(reversed(self._steps))
