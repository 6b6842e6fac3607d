"""Real database servers for tests: one that is there, or a private one that may be killed."""

from .private import PrivateServer, Recipe
from .redis import REDIS_PROGRAM, REDIS_STANDARD, RedisRecipe, redis_answers
from .where import missing, server_url

__all__ = [
    "REDIS_PROGRAM",
    "REDIS_STANDARD",
    "PrivateServer",
    "Recipe",
    "RedisRecipe",
    "missing",
    "redis_answers",
    "server_url",
]
