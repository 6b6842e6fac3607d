"""``python -m fastapi_taskflow_admin hash-password``: a hash for ``TaskAdmin(auth=...)``."""

from __future__ import annotations

import argparse
import getpass
import sys

from .auth.passwords import hash_password


def main() -> int:
    """Ask for a password, or read a line of standard input, and print its hash."""
    parser = argparse.ArgumentParser("python -m fastapi_taskflow_admin")
    parser.add_argument("command", choices=["hash-password"])
    parser.parse_args()
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            sys.stderr.write("These are two different passwords.\n")
            return 1
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        sys.stdout.write(hash_password(password) + "\n")
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
