"""The embedded server for real: start, values, stream, cancel, swap, death, clean-up."""

import dataclasses
import os
import queue
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import venv
from pathlib import Path

import numpy as np
import pytest

from models.contract import DRAFT_REPORT, REPORT_DECODER
from radgen.domain.errors import InferenceUnavailableError
from radgen.drafting.local import LocalEngine
from radgen.drafting.self_test import LOCAL_TOLERANCE, run_self_test
from radgen.drafting.triton_guard import REGIONS_FILE, SHARED_MEMORY, leaked_regions
from radgen.drafting.triton_server import TritonServer, Watch
from radgen.drafting.triton_wire import Endpoint, TritonWire

pytestmark = pytest.mark.triton

LONG = 4000
ROWS = 8  # max_batch of report_decoder


def wait_until(condition, timeout_s: float) -> float:
    """Seconds until `condition()` held; fails the test if it never did."""
    start = time.monotonic()
    while time.monotonic() - start < timeout_s:
        if condition():
            return time.monotonic() - start
        time.sleep(0.05)
    pytest.fail(f"did not happen within {timeout_s} s")


def is_right(server: TritonServer, test) -> bool:
    try:
        return run_self_test(server.client, test, LOCAL_TOLERANCE, 5.0) == ""
    except InferenceUnavailableError:
        return False


def start_endless(server: TritonServer, logits: np.ndarray, count: int) -> list:
    """Streams of the longest text, each at its first piece."""
    streams = [server.client.write(logits, LONG, f"endless-{n}", 60.0) for n in range(count)]
    for stream in streams:
        next(stream)
    return streams


def shared_memory_of(server: TritonServer) -> list[str]:
    folder = Path(server.client.wire.endpoint.target.removeprefix("unix:")).parent
    return (folder / REGIONS_FILE).read_text(encoding="ascii").split()


def test_the_embedded_server_says_what_the_networks_say(server, pack, images):
    local = LocalEngine(pack)
    texts = set()
    for image in images:
        here, there = local.read(image, 40, 10.0), server.client.read(image, 40, 10.0)
        for name in ("logits", "evidence", "gate"):
            assert np.array_equal(getattr(here, name), getattr(there, name)), name
        assert here.text == there.text
        texts.add(here.text)
    local.close()
    assert len(texts) > 1


def test_many_callers_at_once_get_their_own_answers(server, pack, images):
    local = LocalEngine(pack)
    expected = [local.read(image, 30, 10.0) for image in images]
    local.close()
    answers: queue.Queue = queue.Queue()

    def ask(number: int) -> None:
        which = number % len(images)
        answers.put((which, server.client.read(images[which], 30, 20.0)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.qsize() == 16
    while not answers.empty():
        which, reading = answers.get()
        # Images batched together round differently in the last bits.
        np.testing.assert_allclose(reading.logits, expected[which].logits, atol=1e-4)
        assert reading.text == expected[which].text


def test_the_text_arrives_in_pieces(server):
    logits = np.zeros((1, 4), np.float32)
    pieces = list(server.client.write(logits, 12, "pieces", 10.0))
    assert len(pieces) == 12
    assert all(pieces)


def test_the_ensemble_streams_the_same_text(server, images):
    inputs = {"IMAGE": images[0], "MAX_TOKENS": np.array([20], np.int32)}
    answers = list(server.client.wire.stream(DRAFT_REPORT.name, inputs, "ensemble", 10.0))
    text = b"".join(answer["TEXT"][0] for answer in answers).decode()
    assert text == server.client.read(images[0], 20, 10.0).text


def test_a_cancelled_stream_frees_its_row(server):
    logits = np.zeros((1, 4), np.float32)
    streams = start_endless(server, logits, ROWS)
    with pytest.raises(InferenceUnavailableError):  # all rows are taken
        list(server.client.write(logits, 3, "waits", 0.3))
    for stream in streams:
        stream.close()
    start = time.monotonic()
    assert len(list(server.client.write(logits, 3, "served", 10.0))) == 3
    assert time.monotonic() - start < 2.0


def test_a_client_that_disconnects_frees_its_rows(server):
    logits = np.zeros((1, 4), np.float32)
    other = dataclasses.replace(server.client, wire=TritonWire(server.client.wire.endpoint))
    streams = [other.write(logits, LONG, f"gone-{n}", 60.0) for n in range(ROWS)]
    for stream in streams:
        next(stream)
    other.wire.close()
    start = time.monotonic()
    assert len(list(server.client.write(logits, 3, "served", 10.0))) == 3
    assert time.monotonic() - start < 2.0


def test_a_deadline_ends_a_long_text(server, images):
    start = time.monotonic()
    with pytest.raises(InferenceUnavailableError, match="DEADLINE_EXCEEDED"):
        server.client.read(images[0], LONG, 0.3)
    assert time.monotonic() - start < 2.0


def test_scores_of_another_pack_are_refused_for_that_request_alone(server, self_test):
    with pytest.raises(InferenceUnavailableError, match=r"report_decoder: .*LOGITS is \(9,\)"):
        list(server.client.write(np.zeros((1, 9), np.float32), 5, "wrong", 10.0))
    assert is_right(server, self_test)


def test_an_image_of_another_size_is_refused_before_it_is_sent(server):
    with pytest.raises(ValueError, match=r"IMAGE is float32 \(1, 1, 2, 2\)"):
        server.client.read(np.zeros((1, 1, 2, 2), np.float32), 5, 5.0)


def test_administration_needs_the_key(server):
    endpoint = dataclasses.replace(server.client.wire.endpoint, admin_key="0" * 32)
    with TritonWire(endpoint) as wire, pytest.raises(InferenceUnavailableError, match="restricted"):
        wire.load(REPORT_DECODER.name, "{}", 5.0)


def test_the_socket_lies_in_a_folder_of_our_own(server):
    folder = Path(server.client.wire.endpoint.target.removeprefix("unix:")).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == os.getuid()


def test_reloading_under_load_drops_nothing(server, images):
    stop, failures, done = threading.Event(), [], []

    def ask(number: int) -> None:
        while not stop.is_set():
            try:
                done.append(server.client.read(images[number], 10, 20.0).text)
            except InferenceUnavailableError as error:
                failures.append(error)

    live = start_endless(server, np.zeros((1, 4), np.float32), 1)[0]
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    server.reload()
    before = len(done)
    wait_until(lambda: len(done) > before + 3, 10.0)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(list(live)) == LONG - 1  # what streamed before the swap streamed to its end
    assert len(done) > 3


def test_a_broken_new_version_leaves_the_old_one_serving(server, self_test):
    with pytest.raises(InferenceUnavailableError, match="load vision_encoder"):
        server.client.wire.load("vision_encoder", '{"backend": "no-such-backend"}', 20.0)
    assert is_right(server, self_test)


@pytest.mark.parametrize("victim", ["encoder", "decoder"])
def test_a_dead_stub_is_noticed_and_replaced(
    server, self_test, stubs, server_pid, is_alive, victim
):
    wait_until(server.healthy, 5.0)
    pid = server_pid(server.pid)
    named = {stub: Path(f"/proc/{stub}/cmdline").read_bytes() for stub in stubs(server.pid)}
    # After a reload the stub before may still be on its way out.
    victims = [stub for stub, line in named.items() if victim.encode() in line]
    for stub in victims:
        os.kill(stub, signal.SIGKILL)
    wait_until(lambda: not [stub for stub in victims if is_alive(stub)], 2.0)
    assert not is_right(server, self_test)
    wait_until(lambda: is_right(server, self_test) and server.healthy(), 20.0)
    assert server_pid(server.pid) == pid  # mended by a reload: the other model was never away


@pytest.mark.parametrize("victim", ["server", "guard"])
def test_a_dead_server_is_started_again(server, self_test, stubs, server_pid, is_alive, victim):
    wait_until(server.healthy, 10.0)
    before = shared_memory_of(server)
    assert before
    guard = server.pid
    family = [guard, server_pid(guard), *stubs(guard)]
    os.kill(family[1] if victim == "server" else guard, signal.SIGKILL)
    wait_until(lambda: server.pid not in (None, guard) and server.healthy(), 20.0)
    assert is_right(server, self_test)
    assert not [pid for pid in family if is_alive(pid)]
    assert not [name for name in before if (SHARED_MEMORY / name).exists()]


def test_closing_leaves_no_process_no_folder_and_no_shared_memory(
    launch, self_test, stubs, server_pid, is_alive
):
    begun = time.time()
    server = TritonServer(launch, self_test, Watch())
    folder = Path(server.client.wire.endpoint.target.removeprefix("unix:")).parent
    pids = [*stubs(server.pid), server_pid(server.pid), server.pid]
    assert len(pids) == 4
    os.kill(pids[0], signal.SIGKILL)  # the case in which the server itself leaks
    server.close()
    server.close()
    assert not [pid for pid in pids if is_alive(pid)]
    assert not folder.exists()
    # Others on this machine may run servers of their own: only what nobody uses was left behind.
    wait_until(lambda: not leaked_regions(begun), 5.0)


def test_wrong_values_are_not_served(launch, self_test):
    wrong = dataclasses.replace(self_test.expected, logits=self_test.expected.logits + 1)
    with pytest.raises(InferenceUnavailableError, match="wrong values: logits differs by 1"):
        TritonServer(launch, dataclasses.replace(self_test, expected=wrong), Watch())


def test_a_server_that_cannot_load_its_pack_says_why(launch, self_test, tmp_path):
    broken = dataclasses.replace(launch, pack_folder=tmp_path)
    with pytest.raises(InferenceUnavailableError, match=r"pack\.toml"):
        TritonServer(broken, self_test, Watch())


@pytest.fixture(autouse=True)
def nothing_leaks():
    """No test leaves a region of shared memory that no process uses."""
    since = time.time()
    yield
    assert leaked_regions(since) == set()


@pytest.fixture
def environment_with_numpy_2(tmp_path, launch):
    """An environment whose numpy says it is 2.4.6; its other packages are ours."""
    venv.create(tmp_path / "venv", with_pip=False)
    packages = next((tmp_path / "venv").glob("lib/python3*/site-packages"))
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (packages / "two.pth").write_text("import numpy; numpy.__version__ = '2.4.6'\n", "utf-8")
    wheel = dataclasses.replace(launch.wheel, bin_folder=tmp_path / "venv" / "bin")
    return dataclasses.replace(launch, wheel=wheel)


def test_a_stub_with_numpy_2_refuses_to_serve(environment_with_numpy_2, self_test):
    with pytest.raises(InferenceUnavailableError, match=r"numpy 1\.x needed, found 2\.4\.6"):
        TritonServer(environment_with_numpy_2, self_test, Watch())


def test_a_start_that_takes_too_long_is_given_up(launch, self_test):
    with pytest.raises(InferenceUnavailableError, match="not ready after"):
        TritonServer(launch, self_test, Watch(start_timeout_s=0.1))


PARENT = """
import sys, time
from pathlib import Path
from models.pack import load_pack
from radgen.drafting.open_engine import EngineSettings, open_engine

if __name__ == "__main__":
    engine = open_engine(EngineSettings(pack_folder=Path(sys.argv[1]), mode="embedded"))
    print(engine._server.pid, flush=True)
    time.sleep(600)
"""


def test_the_server_dies_with_its_parent(launch, stubs, server_pid, is_alive):
    root = Path(__file__).resolve().parents[3]
    begun = time.time()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(launch.pack_folder)],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        pid = int(parent.stdout.readline())
        pids = [*stubs(pid), server_pid(pid), pid]
        parent.kill()
    wait_until(lambda: not [pid for pid in pids if is_alive(pid)], 12.0)
    # Others on this machine may run servers of their own: only what nobody uses was left behind.
    wait_until(lambda: not leaked_regions(begun), 5.0)


def test_a_stream_to_nobody_is_unavailable(free_port):
    with TritonWire(Endpoint(f"127.0.0.1:{free_port}")) as wire:
        inputs = {"LOGITS": np.zeros((1, 4), np.float32), "MAX_TOKENS": np.array([1], np.int32)}
        with pytest.raises(InferenceUnavailableError, match="UNAVAILABLE"):
            list(wire.stream(REPORT_DECODER.name, inputs, "nobody", 3.0))
