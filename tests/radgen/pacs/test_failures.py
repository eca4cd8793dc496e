"""Peers that are dead, silent, slow, hostile or simply say no: always a typed error, in time."""

import http.server
import itertools
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from radgen.domain.errors import (
    ConfigurationError,
    PeerRefusedError,
    PeerUnreachableError,
    StudyError,
    UnreadableInstanceError,
)
from radgen.pacs.commitment import InstanceReference, request_commitment
from radgen.pacs.dicomweb import count_instances_qido
from radgen.pacs.echo import echo
from radgen.pacs.find import StudyCount, count_instances, list_instances
from radgen.pacs.retrieve import move_study
from radgen.pacs.store import StoreWarning, send

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
COMMITMENT_PUSH = "1.2.840.10008.1.20.1"


@contextmanager
def within(seconds):
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


@contextmanager
def raw_server(answer):
    """A TCP peer that reads one request, sends `answer` and stays there without a word."""
    done = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            done.wait(20)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        done.set()
        thread.join()
        server.close()


@contextmanager
def scp(port, contexts, handlers=()):
    ae = AE(ae_title="RADGEN")
    for uid in contexts:
        ae.add_supported_context(uid)
    server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=list(handlers))
    try:
        yield port
    finally:
        server.shutdown()


def test_a_dead_peer_is_unreachable_at_once(peer_of, ports):
    with within(2.0), pytest.raises(PeerUnreachableError):
        echo(peer_of(ports()))


def test_an_unknown_host_is_unreachable(peer_of, ports, monkeypatch):
    def no_such_host(*_args, **_more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    with pytest.raises(PeerUnreachableError, match="host name"):
        echo(peer_of(ports()))


def test_a_peer_that_accepts_tcp_and_says_nothing_is_unreachable_in_time(peer_of):
    with raw_server(b"") as port, within(5.0), pytest.raises(PeerUnreachableError):
        echo(peer_of(port))


def test_half_a_pdu_does_not_hold_us(peer_of):
    # A-ASSOCIATE-AC that promises 4096 bytes and brings four.
    half = b"\x02\x00\x00\x00\x10\x00" + b"\x00\x01\x00\x00"
    with raw_server(half) as port, within(6.0), pytest.raises(PeerUnreachableError):
        echo(peer_of(port, total_timeout_s=1.5))


def test_bytes_that_are_no_dicom_are_a_typed_error(peer_of):
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with raw_server(answer) as port, within(8.0), pytest.raises(PeerUnreachableError):
        echo(peer_of(port))


def test_a_wrong_title_is_refused_at_once(peer_of, receiver):
    with within(2.0), pytest.raises(PeerRefusedError, match="rejected the association"):
        echo(peer_of(receiver.port, aet="SOMEBODY"))


def test_a_peer_without_the_service_is_refused(peer_of, receiver):
    with within(2.0), pytest.raises(PeerRefusedError, match="none of the services"):
        count_instances(peer_of(receiver.port), "1.2.3")


def test_a_full_archive_refuses_and_its_status_is_told(peer_of, receiver, small_study):
    receiver.store_status = 0xA700
    with pytest.raises(PeerRefusedError, match="0xA700"):
        send(peer_of(receiver.port), small_study())


def test_a_duplicate_is_a_success(peer_of, receiver, small_study):
    receiver.store_status = 0x0111
    assert send(peer_of(receiver.port), small_study(2)) == ()
    assert len(receiver.received) == 2


def test_a_warning_is_reported_with_its_place(peer_of, receiver, small_study):
    receiver.store_status = 0xB000
    warnings = send(peer_of(receiver.port), small_study(2))
    assert warnings == (StoreWarning(0, 0xB000), StoreWarning(1, 0xB000))


def test_a_sop_class_the_peer_does_not_take_is_refused(peer_of, ports, small_study):
    with (
        scp(ports(), ["1.2.840.10008.5.1.4.1.1.88.11"]) as port,
        pytest.raises(PeerRefusedError),
    ):
        send(peer_of(port), small_study())


def test_what_is_no_dicom_object_is_not_sent(peer_of, receiver):
    with pytest.raises(UnreadableInstanceError):
        send(peer_of(receiver.port), [b"no DICOM at all"])
    assert receiver.associations == 0


def test_endless_answers_are_cut_off(peer_of, ports):
    def for_ever(_event):
        for number in itertools.count():
            answer = Dataset()
            answer.StudyInstanceUID = f"1.2.{number}"
            yield 0xFF00, answer

    handlers = [(evt.EVT_C_FIND, for_ever)]
    with (
        scp(ports(), [STUDY_ROOT_FIND], handlers) as port,
        within(8.0),
        pytest.raises(PeerUnreachableError),
    ):
        count_instances(peer_of(port, total_timeout_s=1.0), "1.2.3")


def test_answers_without_sense_are_not_believed(peer_of, ports):
    def nonsense(event):
        answer = Dataset()
        answer.QueryRetrieveLevel = event.identifier.QueryRetrieveLevel
        if answer.QueryRetrieveLevel == "SERIES":
            answer.SeriesInstanceUID = ["1.2", "3.4"]  # two values where one belongs
        else:
            answer.SOPInstanceUID = ""
            answer.NumberOfStudyRelatedSeries = ["7", "8"]
        yield 0xFF00, answer

    handlers = [(evt.EVT_C_FIND, nonsense)]
    with scp(ports(), [STUDY_ROOT_FIND], handlers) as port:
        assert list_instances(peer_of(port), "1.2.3") == {"1.2": frozenset()}
        assert count_instances(peer_of(port), "1.2.3") == StudyCount(series=1, instances=0)


def test_a_failed_query_is_refused(peer_of, ports):
    def out_of_resources(_event):
        yield 0xA700, None

    handlers = [(evt.EVT_C_FIND, out_of_resources)]
    with (
        scp(ports(), [STUDY_ROOT_FIND], handlers) as port,
        pytest.raises(PeerRefusedError, match="0xA700"),
    ):
        count_instances(peer_of(port), "1.2.3")


def test_a_uid_with_wild_characters_never_reaches_the_peer(peer_of, receiver):
    for uid in ("*", "1.2\\1.3", "1.2/../3", "", "1" * 65, "1.2.3\n"):
        with pytest.raises(StudyError):
            move_study(peer_of(receiver.port), uid, "RADGEN")
    assert receiver.associations == 0


def test_a_commitment_report_on_the_same_association_is_the_answer(peer_of, ports):
    reporters = []

    def on_action(event):
        request = event.action_information
        report = Dataset()
        report.TransactionUID = request.TransactionUID
        report.ReferencedSOPSequence = request.ReferencedSOPSequence

        def tell():
            time.sleep(0.1)
            event.assoc.send_n_event_report(report, 1, COMMITMENT_PUSH, "1.2.840.10008.1.20.1.1")

        reporters.append(threading.Thread(target=tell))
        reporters[0].start()
        return 0x0000, None

    handlers = [(evt.EVT_N_ACTION, on_action)]
    with scp(ports(), [COMMITMENT_PUSH], handlers) as port:
        reference = InstanceReference("1.2.840.10008.5.1.4.1.1.88.33", "2.25.8")
        result = request_commitment(peer_of(port), "2.25.7", [reference], stay_s=2.0)
        reporters[0].join()
    assert result is not None
    assert result.transaction_uid == "2.25.7"
    assert result.committed == {"2.25.8"}
    assert result.failed == frozenset()


@contextmanager
def web_server(status, body):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            """Says nothing on the screen."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dicom-web"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>log in first</html>"),
        (200, b'{"an": "object"}'),
        (200, b"\xff\xfe"),
        (500, b"[]"),
        (302, b""),
    ],
)
def test_a_web_answer_that_is_no_dicom_json_is_refused(peer_of, ports, status, body):
    with web_server(status, body) as url, pytest.raises(PeerRefusedError):
        count_instances_qido(peer_of(ports(), dicomweb_url=url), "1.2.3")


def test_no_content_means_that_the_archive_has_not_the_study(peer_of, ports):
    with web_server(204, b"") as url:
        assert count_instances_qido(peer_of(ports(), dicomweb_url=url), "1.2.3") is None


def test_a_dead_web_root_is_unreachable_and_none_at_all_is_an_error(peer_of, ports):
    url = f"http://127.0.0.1:{ports()}/dicom-web"
    with within(3.0), pytest.raises(PeerUnreachableError):
        count_instances_qido(peer_of(ports(), dicomweb_url=url), "1.2.3")
    with pytest.raises(ConfigurationError):
        count_instances_qido(peer_of(ports()), "1.2.3")


def test_a_title_or_port_that_cannot_be_is_a_configuration_error(peer_of):
    for title in ("", "   ", "SEVENTEENLETTERS!", "BACK\\SLASH", "档案"):
        with pytest.raises(ConfigurationError):
            peer_of(104, aet=title)
    with pytest.raises(ConfigurationError):
        peer_of(0)
