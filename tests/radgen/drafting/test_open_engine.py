"""Which engine is opened, that all of them say the same, and why one is refused."""

import dataclasses
import logging

import numpy as np
import pytest

from models.pack import load_pack
from radgen.domain.errors import ConfigurationError, InferenceUnavailableError, PackError
from radgen.drafting import open_engine as module
from radgen.drafting.open_engine import EngineSettings, endpoint_of, open_engine
from radgen.drafting.triton_preflight import Refusal, Unfit, examine_host, find_repository
from radgen.drafting.triton_server import TritonServer, Watch


@pytest.fixture(scope="module")
def served_at_a_port(launch, self_test):
    """The embedded server on a TCP port of loopback: stands in for a server that others run."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = TritonServer(dataclasses.replace(launch, port=port), self_test, Watch())
    yield f"grpc://127.0.0.1:{port}"
    server.close()


@pytest.mark.triton
def test_the_three_engines_give_equal_drafts(pack_folder, served_at_a_port, images):
    settings = EngineSettings(pack_folder=pack_folder)
    engines = [
        open_engine(dataclasses.replace(settings, mode="in-process")),
        open_engine(settings),
        open_engine(dataclasses.replace(settings, url=served_at_a_port)),
    ]
    try:
        assert [e.name for e in engines] == ["in-process", "triton-embedded", "triton-url"]
        assert all(engine.healthy() for engine in engines)
        for image in images:
            first, *others = [engine.read(image, 25, 20.0) for engine in engines]
            for other in others:
                assert np.array_equal(first.logits, other.logits)
                assert np.array_equal(first.evidence, other.evidence)
                assert np.array_equal(first.gate, other.gate)
                assert first.text == other.text
    finally:
        for engine in engines:
            engine.close()
    for engine in engines:
        with pytest.raises(InferenceUnavailableError):
            engine.read(images[0], 5, 1.0)


@pytest.mark.triton
def test_a_pack_without_a_decoder_is_read_without_a_text(silent_pack_folder, images):
    settings = EngineSettings(silent_pack_folder, mode="in-process")
    engines = [open_engine(settings), open_engine(dataclasses.replace(settings, mode="embedded"))]
    try:
        here, there = (engine.read(images[0], 20, 10.0) for engine in engines)
        assert np.array_equal(here.logits, there.logits)
        assert here.text == there.text == ""
    finally:
        for engine in engines:
            engine.close()


@pytest.mark.triton
def test_a_server_that_serves_another_pack_is_refused(other_pack_folder, served_at_a_port):
    settings = EngineSettings(other_pack_folder, mode="url", url=served_at_a_port)
    with pytest.raises(PackError, match="does not compute what tiny computes: logits differs"):
        open_engine(settings)


def test_a_url_where_nobody_answers_is_unavailable(pack_folder, free_port):
    settings = EngineSettings(
        pack_folder, mode="url", url=f"grpc://127.0.0.1:{free_port}", start_timeout_s=2.0
    )
    with pytest.raises(InferenceUnavailableError, match="server metadata"):
        open_engine(settings)


@pytest.mark.parametrize(
    "url", ["", "triton:8001", "http://triton:8000", "grpc://triton", "grpc://h:x"]
)
def test_a_url_that_is_none_is_a_configuration_error(url):
    with pytest.raises(ConfigurationError, match="grpc://host:port"):
        endpoint_of(url)


def test_urls_are_read():
    assert endpoint_of("grpc://triton:8001").target == "triton:8001"
    assert endpoint_of("grpcs://[::1]:8001").target == "[::1]:8001"
    assert endpoint_of("grpcs://triton:8001").secure
    assert not endpoint_of("grpc://triton:8001").secure


@pytest.fixture
def unfit_host(monkeypatch):
    """This very host, but with the numpy that garbles."""
    host = dataclasses.replace(examine_host(find_repository()), numpy="2.4.6")
    monkeypatch.setattr(module, "examine_host", lambda _: host)


@pytest.mark.triton
@pytest.mark.usefixtures("unfit_host")
def test_without_a_server_auto_reads_in_process_and_says_so_once(pack_folder, images, caplog):
    with caplog.at_level(logging.WARNING):
        engine = open_engine(EngineSettings(pack_folder))
        engine.read(images[0], 5, 10.0)
        engine.close()
    assert engine.name == "in-process"
    assert [record.reason for record in caplog.records] == ["numpy"]


@pytest.mark.triton
@pytest.mark.usefixtures("unfit_host")
def test_an_embedded_engine_that_was_asked_for_by_name_is_not_replaced(pack_folder):
    with pytest.raises(InferenceUnavailableError, match=r"numpy: numpy 1\.26 is needed"):
        open_engine(EngineSettings(pack_folder, mode="embedded"))


@pytest.mark.triton
@pytest.mark.usefixtures("launch")
def test_a_failed_start_is_a_typed_refusal(pack_folder):
    settings = EngineSettings(pack_folder, start_timeout_s=0.1)
    refusal = module.start_embedded(settings, load_pack(pack_folder))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Unfit.START


def test_a_damaged_pack_is_a_pack_error(tmp_path):
    with pytest.raises(PackError, match=r"pack\.toml"):
        open_engine(EngineSettings(tmp_path))


def test_the_engine_in_process_honours_its_deadline(pack_folder, images):
    engine = open_engine(EngineSettings(pack_folder, mode="in-process"))
    try:
        with pytest.raises(InferenceUnavailableError, match="no text after"):
            engine.read(images[0], 4000, 0.05)
        assert engine.read(images[0], 3, 10.0).text
        assert engine.healthy()
    finally:
        engine.close()
    assert not engine.healthy()
