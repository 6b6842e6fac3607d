"""Real database servers for tests: one that is there, or a private one that may be killed."""

from .mysql import MYSQL_STANDARD, MySQLRecipe, mysql_answers, mysql_program
from .postgres import POSTGRES_STANDARD, PostgresRecipe, postgres_answers, postgres_program
from .private import PrivateServer, Recipe
from .redis import REDIS_PROGRAM, REDIS_STANDARD, RedisRecipe, redis_answers
from .where import missing, server_url

__all__ = [
    "MYSQL_STANDARD",
    "POSTGRES_STANDARD",
    "REDIS_PROGRAM",
    "REDIS_STANDARD",
    "MySQLRecipe",
    "PostgresRecipe",
    "PrivateServer",
    "Recipe",
    "RedisRecipe",
    "missing",
    "mysql_answers",
    "mysql_program",
    "postgres_answers",
    "postgres_program",
    "redis_answers",
    "server_url",
]
