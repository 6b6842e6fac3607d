"""``hatch run matrix sqlite|all``: conformance and integration tests of one backend."""

import sys

import pytest

BACKENDS = {
    "memory": ["packages/core/tests/test_memory_conformance.py"],
    "sqlite": ["packages/sql", "packages/sqlite", "tests-integration"],
}


def main(arguments: list[str]) -> int:
    """Run the tests of the backends named; ``all`` is every one."""
    names = sorted(BACKENDS) if arguments == ["all"] else arguments
    if not names or not set(names) <= BACKENDS.keys():
        print(f"usage: hatch run matrix {'|'.join([*sorted(BACKENDS), 'all'])}", file=sys.stderr)
        return 2
    return pytest.main([path for name in names for path in BACKENDS[name]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
