"""Figures with the budget that each of them has."""

from dataclasses import asdict, dataclass

from .tables import table


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured, and what it may be at most, or at least."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether it is within its budget."""
        enough = self.least is None or self.value >= self.least
        return enough and (self.most is None or self.value <= self.most)

    @property
    def budget(self) -> str:
        """The budget in words."""
        if self.least is not None:
            return f"≥ {self.least:,g}"
        return "" if self.most is None else f"≤ {self.most:,g}"


def as_table(found: list[Figure]) -> str:
    """The figures beside their budgets, as Markdown."""
    rows = [
        [each.name, f"{each.value:,.4g} {each.unit}", each.budget, "" if each.kept else "missed"]
        for each in found
    ]
    return table(["dashboard", "figure", "budget", ""], rows)


def as_json(found: list[Figure]) -> list[dict[str, object]]:
    """The same for machines."""
    return [{**asdict(each), "budget": each.budget, "kept": each.kept} for each in found]
