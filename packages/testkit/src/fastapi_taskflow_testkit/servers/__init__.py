"""Real database servers for tests: one that is there, or a private one that may be killed."""

from .private import PrivateServer, Recipe
from .where import missing, server_url

__all__ = ["PrivateServer", "Recipe", "missing", "server_url"]
