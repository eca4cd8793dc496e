"""Nodes that are killed, on both kinds of database: their names are free, their work goes on."""

import psycopg
import pytest

from radgen.domain.errors import ConfigurationError, StoreError
from radgen.workflow.lanes import Lanes
from radgen.workflow.lease import Lease
from radgen.workflow.takeover import take_over_dead


def test_the_work_of_a_killed_node_goes_on_at_another(
    url, tmp_path, recorder, fast, wait_for, killed_node
):
    killed_node("sqlite:///x", url, str(tmp_path), "dead")
    steps = recorder()
    with Lanes(url, steps, fast) as lanes:
        assert lanes.nodes_with_work() == {"dead"}
        assert take_over_dead(lanes, "sqlite:///x", tmp_path, fast.node) == 1
        assert wait_for(lambda: steps.calls == [("draft", "CT-1", 1)])
        assert take_over_dead(lanes, "sqlite:///x", tmp_path, fast.node) == 0


def test_the_work_of_a_living_node_is_left_alone(url, tmp_path, recorder, fast, killed_node):
    killed_node("sqlite:///x", url, str(tmp_path), "other")
    steps = recorder()
    with (
        Lease("sqlite:///x", tmp_path, "other"),  # it was started again
        Lanes(url, steps, fast) as lanes,
    ):
        assert take_over_dead(lanes, "sqlite:///x", tmp_path, fast.node) == 0
        assert lanes.nodes_with_work() == {"other"}
    assert steps.names == []


@pytest.mark.postgres
def test_with_postgresql_a_killed_node_loses_its_name_and_its_work(
    postgres, recorder, fast, wait_for, killed_node
):
    killed_node(postgres, postgres, "", "dead")
    steps = recorder()
    with Lease(postgres, None, fast.node), Lanes(postgres, steps, fast) as lanes:
        assert wait_for(lambda: take_over_dead(lanes, postgres, None, fast.node) == 1)
        assert wait_for(lambda: steps.calls == [("draft", "CT-1", 1)])


@pytest.mark.postgres
def test_with_postgresql_a_name_is_held_once(postgres):
    with (
        Lease(postgres, None, "one") as lease,
        Lease(postgres, None, "two"),
        pytest.raises(ConfigurationError, match="'one' runs already"),
        Lease(postgres, None, "one"),
    ):
        pass
    with Lease(postgres, None, "one") as lease:
        lease.keep()


@pytest.mark.postgres
def test_a_lease_whose_session_was_ended_is_lost(postgres):
    with Lease(postgres, None, "one") as lease, psycopg.connect(postgres) as other:
        lease.keep()
        other.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
        with pytest.raises(StoreError, match="lost its lease"):
            lease.keep()


def test_a_database_that_is_not_there_gives_no_lease(free_port):
    lease = Lease(f"postgresql://nobody@127.0.0.1:{free_port}/none?connect_timeout=2", None, "one")
    with pytest.raises(StoreError, match="no lease"), lease:
        pass
