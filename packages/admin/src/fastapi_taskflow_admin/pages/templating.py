"""Templates to HTML. Everything is escaped unless it is a template itself."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fastapi_taskflow_core.sealing import hidden

from . import formats
from .documentation import documentation

environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,  # it would look at every file with every page
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(
    count=formats.count,
    duration=formats.duration,
    clock=formats.clock,
    minute=formats.minute,
    instant=formats.instant,
    segment=formats.segment,
    hidden=hidden,
)
environment.globals["documentation"] = documentation()


def render(template: str, **context: object) -> str:
    """The HTML of a template."""
    return environment.get_template(template).render(context)
