import pytest

from radgen.domain.errors import ConfigurationError
from radgen.workflow.lease import Lease


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


def test_the_name_of_a_killed_process_is_free_at_once(tmp_path, url, killed_node):
    killed_node("sqlite:///x", url, str(tmp_path), "one")
    with Lease("sqlite:///x", tmp_path, "one"):
        pass
