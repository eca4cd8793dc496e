"""TLS with certificates made for the test."""

import hashlib
import ssl
import subprocess
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_listener.settings import PeerRule, TlsSettings


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory) -> Path:
    """ca.pem, and server and client certificates that it signed; stranger is signed by itself."""
    folder = tmp_path_factory.mktemp("pki")
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl(folder, *new, "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem")
    openssl(folder, *new, "-subj", "/CN=x", "-keyout", "stranger.key", "-out", "stranger.pem")
    for name in ("server", "client"):
        request = ("-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", *request)
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-days", "2", *signed)
    return folder


def client(pki: Path, name: str | None) -> tuple[ssl.SSLContext, None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pki / "ca.pem")
    if name:
        context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
    return context, None


@pytest.fixture
def secure(start, pki):
    def begin(**changes):
        tls = TlsSettings(
            pki / "server.pem", pki / "server.key", pki / "ca.pem", changes.pop("required", True)
        )
        return start(tls=tls, **changes)

    return begin


def test_an_instance_comes_through_tls(secure, pki, kit):
    running = secure()
    ds = kit.make_ct(512, 512)
    assoc = kit.scu(running.port, ds, tls_args=client(pki, "client"))
    assert assoc.send_c_store(ds).Status == 0
    assoc.release()
    assert dcmread(running.store.path_of(running.records()[0])) == ds


def test_dcmtk_sends_through_tls(secure, pki, kit, tmp_path):
    running = secure()
    ds = kit.make_ct()
    ds.save_as(tmp_path / "ct.dcm", enforce_file_format=True)
    subprocess.run(
        [
            "/usr/bin/storescu",
            "+tls",
            "client.key",
            "client.pem",
            "+cf",
            "ca.pem",
            "-aec",
            "RADGEN",
            "127.0.0.1",
            str(running.port),
            str(tmp_path / "ct.dcm"),
        ],
        cwd=pki,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert running.kinds()[0] == "instance"


@pytest.mark.parametrize("name", [None, "stranger"])
def test_a_peer_without_our_certificate_is_not_heard(secure, pki, connect, name):
    running = secure()
    raw = connect(running.port)
    context, _ = client(pki, name)
    with pytest.raises((ssl.SSLError, ConnectionError)):  # noqa: PT012  TLS 1.3 refuses at read
        raw.socket = context.wrap_socket(raw.socket)
        raw.request()
        assert raw.socket.recv(1)


def test_a_client_certificate_can_be_optional(secure, pki, kit):
    running = secure(required=False)
    ds = kit.make_ct()
    assoc = kit.scu(running.port, ds, tls_args=client(pki, None))
    assert assoc.send_c_store(ds).Status == 0
    assoc.release()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(secure, pki, connect):
    running = secure()
    context, _ = client(pki, "client")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    raw = connect(running.port)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw.socket)


def test_plain_bytes_to_a_tls_port_end_the_connection_alone(secure, pki, connect, kit):
    running = secure()
    raw = connect(running.port)
    raw.send(bytes(100))
    assert raw.receive()[0] != 2
    ds = kit.make_ct()
    assoc = kit.scu(running.port, ds, tls_args=client(pki, "client"))
    assert assoc.is_established
    assoc.release()


def test_a_title_can_be_bound_to_a_certificate(secure, pki, kit):
    der = ssl.PEM_cert_to_DER_cert((pki / "client.pem").read_text())
    digest = hashlib.sha256(der).hexdigest()
    running = secure(peers=(PeerRule("MODALITY", (), digest), PeerRule("OTHER", (), "00" * 32)))
    ds = kit.make_ct()
    assoc = kit.scu(running.port, ds, tls_args=client(pki, "client"))
    assert assoc.is_established
    assoc.release()
    assert kit.scu(running.port, ds, calling="OTHER", tls_args=client(pki, "client")).is_rejected
