"""Locked files: whose process is gone is known, and nobody else is taken for dead."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from fastapi_taskflow_core.backends import presence
from fastapi_taskflow_core.backends.lockfiles import LockFiles
from fastapi_taskflow_core.backends.presence import BeatsOnly, presence_on_host
from fastapi_taskflow_testkit.processes import running

HOLD = """
import os, subprocess, sys
from pathlib import Path
from fastapi_taskflow_core.backends.lockfiles import LockFiles
files = LockFiles(Path(sys.argv[1]))
files.hold("a")
"""
STAYS = "\nprint('ready', flush=True)\nimport time\ntime.sleep(600)"
ECHO = "for line in sys.stdin: print(line.strip(), flush=True)"
CHILDREN = {
    "started": f"{HOLD}\nsubprocess.Popen(['cat'])",
    "forked": f"{HOLD}\nif not os.fork():\n    {ECHO}\n    os._exit(0)",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are to be; it is not there yet."""
    return tmp_path / "locks"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_who_was_never_seen_here_is_not_known_to_be_gone(folder: Path) -> None:
    files = LockFiles(folder)
    assert not files.gone("a")
    files.forget("a")
    files.release("a")
    assert not folder.exists()
    files.hold("a")
    assert not files.gone("b")
    assert files.all_gone() == []


@pytest.mark.parametrize("instance", ["a", "../../etc", "ü/\0", "", "\udcff"])
def test_an_instance_may_have_any_name(folder: Path, instance: str) -> None:
    files, others = LockFiles(folder), LockFiles(folder)
    files.hold(instance)
    assert not others.gone(instance)
    assert others.all_gone() == []
    files.release_all()
    assert others.gone(instance)
    assert others.all_gone() == [instance]
    others.forget(instance)
    assert names(folder) == set()


def test_an_instance_holds_its_file_once_however_often_it_says_so(folder: Path) -> None:
    files, others = LockFiles(folder), LockFiles(folder)
    files.hold("a")
    first = (folder / "a.lock").stat().st_ino
    files.hold("a")
    assert (folder / "a.lock").stat().st_ino == first
    files.release("a")
    assert names(folder) == set()
    files.release("a")
    assert not others.gone("a")


def test_an_own_instance_is_neither_gone_nor_forgotten(folder: Path) -> None:
    files = LockFiles(folder)
    files.hold("a")
    files.forget("a")
    assert names(folder) == {"a.lock"}
    assert not files.gone("a")
    assert files.all_gone() == []


def test_two_instances_of_one_process_are_held_apart(folder: Path) -> None:
    one, two, others = (LockFiles(folder) for _ in range(3))
    one.hold("a")
    two.hold("b")
    one.release_all()
    assert others.all_gone() == ["a"]
    assert two.gone("a")
    assert not one.gone("b")


def test_an_instance_that_comes_again_takes_the_file_of_the_dead_one(folder: Path) -> None:
    dead, again, others = (LockFiles(folder) for _ in range(3))
    dead.hold("a")
    dead.release_all()
    again.hold("a")
    assert not others.gone("a")
    again.release_all()
    assert others.gone("a")


@pytest.mark.parametrize("whole", [False, True])
def test_what_somebody_removed_is_there_again_after_the_next_beat(
    folder: Path, whole: bool
) -> None:
    files, others = LockFiles(folder), LockFiles(folder)
    files.hold("a")
    (folder / "a.lock").unlink()
    if whole:
        folder.rmdir()
    assert not others.gone("a")
    files.hold("a")
    assert not others.gone("a")
    files.release_all()
    assert others.gone("a")


def test_a_file_is_never_seen_without_its_lock(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, others = LockFiles(folder), LockFiles(folder)
    lock, seen = fcntl.flock, []

    def look_first(fd: int, kind: int) -> None:
        if kind == fcntl.LOCK_EX:
            seen.append(others.gone("a"))
        lock(fd, kind)

    monkeypatch.setattr(fcntl, "flock", look_first)
    files.hold("a")
    (folder / "a.lock").unlink()
    files.hold("a")
    assert seen == [False, False]


def test_a_killed_process_is_gone_and_one_that_is_frozen_is_not(folder: Path) -> None:
    files = LockFiles(folder)
    with running(HOLD + STAYS, folder) as process:
        assert not files.gone("a")
        process.send_signal(signal.SIGSTOP)
        assert not files.gone("a")
        process.kill()
        process.wait()
        assert files.gone("a")


@pytest.mark.parametrize("program", CHILDREN.values(), ids=CHILDREN.keys())
def test_children_do_not_keep_the_file_of_a_process_that_is_gone(
    folder: Path, program: str
) -> None:
    files = LockFiles(folder)
    with running(program + STAYS, folder) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert not files.gone("a")
        process.kill()
        process.wait()
        process.stdin.write("are you there?\n")
        process.stdin.flush()
        assert process.stdout.readline() == "are you there?\n"
        assert files.gone("a")


def test_a_fork_does_not_unlock_the_file_of_its_parent(folder: Path) -> None:
    files = LockFiles(folder)
    program = f"{HOLD}\nif not (pid := os.fork()): os._exit(0)\nos.waitpid(pid, 0)"
    with running(program + STAYS, folder):
        assert not files.gone("a")


def test_each_family_sees_its_own_alone(folder: Path) -> None:
    shop, mill = LockFiles(folder, "shop-"), LockFiles(folder, "mill-")
    for files in (shop, mill):
        files.hold("a")
    shop.release_all()
    assert LockFiles(folder, "shop-").all_gone() == ["a"]
    assert LockFiles(folder, "mill-").all_gone() == []
    assert not LockFiles(folder, "mill-").gone("a")


def test_what_nobody_buried_is_removed_after_a_day(folder: Path) -> None:
    dead, living, files = (LockFiles(folder) for _ in range(3))
    for instance in ("old", "young"):
        dead.hold(instance)
    living.hold("living")
    dead.release_all()
    (folder / "half.new").touch()
    (folder / "another's").touch()
    long_ago = time.time() - 2 * 86_400
    for name in ("old.lock", "living.lock", "half.new", "another's"):
        os.utime(folder / name, (long_ago, long_ago))
    files.hold("new")
    assert names(folder) == {"young.lock", "living.lock", "new.lock", "another's"}


def test_no_link_is_followed_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    files = LockFiles(folder)
    (tmp_path / "other").write_text("dear")
    folder.mkdir()
    (folder / "a.lock").symlink_to(tmp_path / "other")
    assert not files.gone("a")
    assert files.all_gone() == []
    files.hold("a")
    assert not (folder / "a.lock").is_symlink()
    assert (tmp_path / "other").read_text() == "dear"


def planted_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def dangling_link(folder: Path) -> None:
    folder.symlink_to(folder.parent / "nowhere")


def open_to_others(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o750)


def no_folder(folder: Path) -> None:
    folder.touch()


@pytest.mark.parametrize("plant", [planted_link, dangling_link, open_to_others, no_folder])
def test_a_folder_that_others_may_have_planted_is_not_used(
    folder: Path, plant: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(plant)
    plant(folder)
    files = LockFiles(folder, private=True)
    with caplog.at_level(logging.DEBUG):
        files.hold("a")
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert sorted(path.name for path in folder.parent.rglob("*.*")) == []
    files.release("a")


def test_what_stands_in_such_a_folder_proves_nothing(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.lock").touch()
    folder.chmod(0o755)
    files = LockFiles(folder, private=True)
    assert not files.gone("a")
    assert list(files.all_gone()) == []
    files.forget("a")
    assert names(folder) == {"a.lock"}
    assert LockFiles(folder).gone("a")


def test_a_folder_of_another_user_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LockFiles(folder, private=True).hold("a")
    assert names(folder) == {"a.lock"}
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    files = LockFiles(folder, private=True)
    files.hold("b")
    assert names(folder) == {"a.lock"}
    assert not files.gone("a")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of the test's own."""
    monkeypatch.setattr(presence, "gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_processes_of_one_host_see_each_other_where_they_name_a_place_alike(
    temporary: Path,
) -> None:
    one, two = (presence_on_host("mysql://host/shop") for _ in range(2))
    stranger = presence_on_host("mysql://host/mill")
    one.hold("a")
    (folder,) = temporary.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert not two.gone("a")
    one.release_all()
    assert two.gone("a")
    assert not stranger.gone("a")


@pytest.mark.parametrize("boot_id", [None, "another"])
def test_machines_that_share_a_temporary_directory_do_not_judge_each_other(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, boot_id: str | None
) -> None:
    here = presence_on_host("redis://host")
    here.hold("a")
    here.release_all()
    monkeypatch.setattr(presence, "boot_id", lambda: boot_id)
    monkeypatch.setattr(socket, "gethostname", lambda: "far/away")
    there = presence_on_host("redis://host")
    assert not there.gone("a")
    there.hold("b")
    assert len(list(temporary.iterdir())) == 2


def test_without_a_temporary_directory_there_are_only_the_beats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_is_usable() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(presence, "gettempdir", none_is_usable)
    assert isinstance(presence_on_host("redis://host"), BeatsOnly)


def test_without_such_locks_there_are_only_the_beats(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    for files in (presence_on_host("redis://host"), presence.presence_in(tmp_path / "locks")):
        files.hold("a")
        files.release_all()
        assert not files.gone("a")
        assert list(files.all_gone()) == []
    assert list(tmp_path.iterdir()) == []
