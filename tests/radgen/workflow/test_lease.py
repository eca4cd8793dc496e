import multiprocessing
import os
import signal

import pytest

from radgen.domain.errors import ConfigurationError
from radgen.workflow.lease import Lease


def hold(folder, ready):
    with Lease("sqlite:///x", folder, "one"):
        ready.set()
        signal.pause()


def test_a_second_process_of_the_same_name_is_refused(tmp_path):
    with (
        Lease("sqlite:///x", tmp_path, "one") as lease,
        pytest.raises(ConfigurationError, match="runs already"),
        Lease("sqlite:///x", tmp_path, "one"),
    ):
        pass
    lease.keep()


def test_two_names_do_not_disturb_each_other(tmp_path):
    with Lease("sqlite:///x", tmp_path, "one"), Lease("sqlite:///x", tmp_path, "two"):
        pass


def test_the_name_of_a_killed_process_is_free_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=hold, args=(tmp_path, ready))
    child.start()
    assert ready.wait(30)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    with Lease("sqlite:///x", tmp_path, "one"):
        pass
