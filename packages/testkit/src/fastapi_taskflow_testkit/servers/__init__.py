"""Real database servers for tests: one that is there, or a private one that may be killed."""

from .postgres import POSTGRES_STANDARD, PostgresRecipe, postgres_answers, postgres_program
from .private import PrivateServer, Recipe
from .proxy import Proxy
from .where import missing, server_url

__all__ = [
    "POSTGRES_STANDARD",
    "PostgresRecipe",
    "PrivateServer",
    "Proxy",
    "Recipe",
    "missing",
    "postgres_answers",
    "postgres_program",
    "server_url",
]
