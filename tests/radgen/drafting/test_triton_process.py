"""What one server process is given, and what is cleaned up after an owner that died."""

import fcntl
import os
import tempfile
import time

from radgen.drafting.triton_process import remove_stale_run_folders


def make_run_folder(parent, name, age_s):
    folder = parent / f"radgen-triton-{name}"
    folder.mkdir()
    (folder / "lock").touch()
    os.utime(folder, (time.time() - age_s, time.time() - age_s))
    return folder


def test_only_run_folders_whose_owner_died_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = make_run_folder(tmp_path, "dead", age_s=600)
    young = make_run_folder(tmp_path, "young", age_s=0)
    live = make_run_folder(tmp_path, "live", age_s=600)
    stranger = tmp_path / "radgen-triton-without-lock"
    stranger.mkdir()
    os.utime(stranger, (0, 0))
    with (live / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_stale_run_folders()
    assert not dead.exists()
    assert young.exists()
    assert live.exists()
    assert stranger.exists()
