"""Who is let in, and how many at once."""

import pytest

from dicom_listener.health import is_healthy
from dicom_listener.settings import ListenerSettings, PeerRule, TlsSettings, check_settings
from radgen.domain.errors import ConfigurationError

REJECT, ACCEPT = 3, 2


def test_a_wrong_called_title_is_refused(running, connect):
    assert connect(running.port).request(called="SOMEONE") == (REJECT, b"\0\x01\x01\x07")


def test_the_called_title_is_not_asked_for_when_told_so(start, connect):
    running = start(check_called_aet=False)
    assert connect(running.port).request(called="SOMEONE")[0] == ACCEPT


def test_a_foreign_application_context_is_refused(running, connect):
    answer = connect(running.port).request(application="1.2.3.4")
    assert answer == (REJECT, b"\0\x01\x01\x02")


@pytest.mark.parametrize(
    ("calling", "hosts", "answer"),
    [
        ("RAW", (), ACCEPT),
        ("RAW", ("127.0.0.0/8",), ACCEPT),
        ("RAW", ("10.0.0.0/8", "127.0.0.1"), ACCEPT),
        ("RAW", ("10.0.0.0/8",), REJECT),
        ("OTHER", ("127.0.0.1",), REJECT),
    ],
)
def test_title_and_address_must_both_be_allowed(start, connect, calling, hosts, answer):
    running = start(peers=(PeerRule("RAW", hosts),))
    assert connect(running.port).request(calling=calling)[0] == answer


def test_a_certificate_rule_is_not_met_without_tls(start, connect):
    running = start(peers=(PeerRule("RAW", (), "ab" * 32),))
    assert connect(running.port).request()[0] == REJECT


def test_our_own_title_from_loopback_may_verify_and_nothing_else(start, connect):
    running = start(peers=(PeerRule("RAW", ("10.0.0.0/8",)),))
    assert is_healthy("127.0.0.1", running.port, "RADGEN")
    kind, body = connect(running.port).request(calling="RADGEN")
    assert kind == ACCEPT
    assert body[body.index(b"\x21\0", 68) + 6] == 3  # storage: abstract syntax not supported


def test_more_associations_than_allowed_are_told_to_come_later(start, connect):
    running = start(max_associations=2)
    open_peers = [connect(running.port) for _ in range(2)]
    assert [peer.request()[0] for peer in open_peers] == [ACCEPT, ACCEPT]
    assert connect(running.port).request() == (REJECT, b"\0\x02\x03\x02")
    open_peers[0].socket.close()
    running_again = False
    for _ in range(100):
        running_again = connect(running.port).request()[0] == ACCEPT
        if running_again:
            break
    assert running_again


def test_one_host_may_not_take_all_seats(start, connect):
    running = start(max_associations=8, max_associations_per_host=1)
    assert connect(running.port).request()[0] == ACCEPT
    assert connect(running.port).request()[0] == REJECT


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (ListenerSettings(aet="A" * 17), "AE title"),
        (ListenerSettings(aet=" "), "AE title"),
        (ListenerSettings(port=70000), "port"),
        (ListenerSettings(bind="0.0.0.0"), "accept_any_peer"),  # noqa: S104  what is tested
        (ListenerSettings(bind="here"), "bind"),
        (ListenerSettings(max_pdu_bytes=100), "max_pdu_bytes"),
        (ListenerSettings(idle_s=0), "idle_s"),
        (ListenerSettings(peers=(PeerRule("A", ("10.0.0.0/99",)),)), "10.0.0.0/99"),
        (ListenerSettings(peers=(PeerRule("A\\B"),)), "AE title"),
    ],
)
def test_settings_that_cannot_work_are_named(settings, word):
    with pytest.raises(ConfigurationError, match=word):
        check_settings(settings)


def test_tls_files_that_are_not_there_are_named(tmp_path):
    missing = tmp_path / "none.pem"
    settings = ListenerSettings(tls=TlsSettings(missing, missing, missing))
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        check_settings(settings)
    with pytest.raises(ConfigurationError, match="ca is needed"):
        check_settings(ListenerSettings(tls=TlsSettings(missing, missing)))
