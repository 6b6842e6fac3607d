"""Disks that are full and files that cannot grow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastapi_taskflow_testkit.faults import can_mount, small_disk, write_errors
from fastapi_taskflow_testkit.servers import missing


@pytest.fixture
def mount() -> None:
    if not can_mount():
        missing("mount", "only root may mount a small disk")


@pytest.mark.usefixtures("mount")
def test_a_full_disk_takes_nothing_until_it_is_freed(tmp_path: Path) -> None:
    with small_disk(tmp_path, 100_000) as disk:
        assert 0 < disk.fill() <= 110_000
        with pytest.raises(OSError, match="No space"):
            (tmp_path / "more").write_bytes(b"x" * 5_000)
        disk.free()
        disk.free()
        (tmp_path / "more").write_bytes(b"x" * 5_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("mount")
def test_a_disk_that_cannot_be_mounted_says_where(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"), small_disk(tmp_path / "nowhere"):
        raise AssertionError


def test_writes_fail_behind_the_limit_in_a_process_that_runs(tmp_path: Path) -> None:
    program = "import sys\nfor line in sys.stdin: print(open('f', 'ab', 0).write(b'x' * 10))"
    with subprocess.Popen(
        [sys.executable, "-uc", program],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"10\n"
        with write_errors(process.pid, beyond=10):
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert b"File too large" in process.stderr.read()
    assert (tmp_path / "f").stat().st_size == 10


def test_the_limit_is_lifted_again(tmp_path: Path) -> None:
    with write_errors(os.getpid()), pytest.raises(OSError, match="too large"):
        (tmp_path / "file").write_bytes(b"x")
    assert (tmp_path / "file").write_bytes(b"x") == 1
