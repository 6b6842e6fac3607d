"""``hatch run matrix sqlite|all [pytest options]``: the tests of one backend, or of all."""

import sys

import pytest

BACKENDS = {
    "memory": ["packages/core/tests/test_memory_conformance.py"],
    "mysql": ["packages/sql", "packages/mysql"],
    "postgres": ["packages/sql", "packages/postgres"],
    "redis": ["packages/redis"],
    "sqlite": ["packages/sql", "packages/sqlite", "tests-integration"],
}


def main(arguments: list[str]) -> int:
    """Run the tests of the backend named first; what follows is pytest's."""
    names = sorted(BACKENDS) if arguments[:1] == ["all"] else arguments[:1]
    if not names or not set(names) <= BACKENDS.keys():
        print(f"usage: hatch run matrix {'|'.join([*sorted(BACKENDS), 'all'])}", file=sys.stderr)
        return 2
    return pytest.main([*(path for name in names for path in BACKENDS[name]), *arguments[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
