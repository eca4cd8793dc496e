"""Keeps one embedded Triton alive and right.

The bundled server never restarts a dead stub and goes on saying READY (decision 0003). So one
thread starts it, asks it a question with a known answer from time to time, reloads its models when
a stub is gone and starts it again when that does not help.
"""

import itertools
import json
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format, text_format  # type: ignore[import-untyped]
from tritonclient.grpc import model_config_pb2

from models.contract import REPORT_DECODER, VISION_ENCODER
from radgen.domain.errors import InferenceUnavailableError
from radgen.drafting.self_test import LOCAL_TOLERANCE, SelfTest, run_self_test
from radgen.drafting.triton_client import TritonClient
from radgen.drafting.triton_process import Launch, TritonProcess
from radgen.drafting.triton_wire import TritonWire

log = logging.getLogger(__name__)

STUB_DEAD = (
    "is not healthy"  # the server's words: "Stub process 'vision_encoder_0' is not healthy."
)
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Watch:
    """How patient the keeper is.

    start_timeout_s: from the start of the process to a passed self-test.
    every_s: between self-tests while all is well.
    answer_s: deadline of one self-test.
    chances: failed self-tests in a row before a live server is repaired; it may only be busy. A
        dead stub or a wrong value gets none.
    """

    start_timeout_s: float = 30.0
    every_s: float = 10.0
    answer_s: float = 10.0
    chances: int = 3


class TritonServer:
    """The embedded server and the thread that keeps it."""

    def __init__(self, launch: Launch, test: SelfTest, watch: Watch) -> None:
        """Starts the server and waits for its first passed self-test.

        Raises: InferenceUnavailableError if it does not pass in time; nothing is left running.
        """
        self._launch, self._test, self._watch = launch, test, watch
        self._client: TritonClient | None = None
        self._process: TritonProcess | None = None
        self._generations = itertools.count(1)
        self._closing, self._wake = threading.Event(), threading.Event()
        self._started = threading.Event()
        self._start_error: InferenceUnavailableError | None = None
        self._healthy = False
        self._thread = threading.Thread(target=self._keep, name="triton-keeper", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._start_error is not None:
            self._thread.join()
            raise self._start_error

    @property
    def client(self) -> TritonClient:
        """The way to the running server. Raises: InferenceUnavailableError while there is none."""
        client = self._client
        if client is None:
            raise InferenceUnavailableError("the embedded triton is starting again")
        return client

    @property
    def pid(self) -> int | None:
        """Process id of the running server's guard."""
        process = self._process
        return None if process is None else process.pid

    def healthy(self) -> bool:
        """True while the last self-test passed and the process lives."""
        process = self._process
        return self._healthy and process is not None and process.is_alive()

    def suspect(self) -> None:
        """Asks for a self-test now, because a call has failed."""
        self._wake.set()

    def reload(self) -> None:
        """Loads every model afresh while the old ones serve on.

        A changed parameter makes the server do it: the same configuration would be a no-op.
        Raises: InferenceUnavailableError.
        """
        generation = next(self._generations)
        names = [VISION_ENCODER.name]
        if self._launch.with_decoder:
            names.append(REPORT_DECODER.name)
        for name in names:
            config = changed_config(self._launch.repository, name, generation)
            self.client.wire.load(name, config, self._watch.start_timeout_s)

    def close(self) -> None:
        """Stops the server and removes what it left; a second call does nothing."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def _keep(self) -> None:
        try:
            self._start()
            self._started.set()
            while not self._closing.is_set():
                self._watch_until_trouble()
                if not self._closing.is_set():
                    self._healthy = False
                    self._repair()
        except InferenceUnavailableError as error:  # of the first start; later ones are repaired
            self._start_error = error
        finally:
            self._stop()
            self._started.set()

    def _start(self) -> None:
        until = time.monotonic() + self._watch.start_timeout_s
        try:
            process = self._process = TritonProcess(self._launch)
        except OSError as error:
            raise InferenceUnavailableError(f"triton cannot be started: {error}") from error
        process.wait_ready(self._watch.start_timeout_s)
        client = TritonClient(TritonWire(process.endpoint), self._launch.with_decoder)
        self._client = client
        left = max(until - time.monotonic(), 1.0)
        fault = run_self_test(client, self._test, LOCAL_TOLERANCE, left)
        if fault:
            raise InferenceUnavailableError(f"the embedded triton computes wrong values: {fault}")
        self._healthy = True
        log.info("triton serves", extra={"pid": process.pid})

    def _stop(self) -> None:
        self._healthy = False
        client, self._client = self._client, None
        if client is not None:
            client.wire.close()  # an open client makes the server wait for its whole exit timeout
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def _watch_until_trouble(self) -> None:
        """Returns when the server needs repair, or when we close."""
        failures, next_test = 0, time.monotonic() + self._watch.every_s
        while failures < self._watch.chances and not self._closing.is_set():
            asked = self._wake.wait(0.2)
            self._wake.clear()
            if self._process is None or not self._process.is_alive():
                log.warning("triton has ended")
                return
            if asked or time.monotonic() >= next_test:
                failures = self._failures_after_test(failures)
                next_test = time.monotonic() + self._watch.every_s

    def _failures_after_test(self, failures: int) -> int:
        """Runs a self-test; returns how many have failed in a row, all chances for a sure fault."""
        if self._closing.is_set():
            return failures
        try:
            fault = run_self_test(self.client, self._test, LOCAL_TOLERANCE, self._watch.answer_s)
        except InferenceUnavailableError as error:
            sure = STUB_DEAD in str(error)
            log.warning("triton self-test failed", extra={"stub_dead": sure})
            return self._watch.chances if sure else failures + 1
        if fault:
            log.error("triton computes wrong values", extra={"fault": fault})
            return self._watch.chances
        self._healthy = True
        return 0

    def _repair(self) -> None:
        """Reloads the models, else starts the server again until it serves or we close."""
        if self._process is not None and self._process.is_alive() and self._mended_by_reload():
            return
        pause = 1.0
        while not self._closing.is_set():
            self._stop()
            try:
                self._start()
            except InferenceUnavailableError:
                log.exception("triton did not start again")
                self._closing.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                return

    def _mended_by_reload(self) -> bool:
        try:
            self.reload()
        except InferenceUnavailableError:
            log.warning("triton did not reload its models")
            return False
        return self._failures_after_test(0) == 0


def changed_config(repository: Path, model: str, generation: int) -> str:
    """The model's configuration as JSON with one parameter that was never there before."""
    text = (repository / model / "config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    config.parameters["generation"].string_value = str(generation)
    return json.dumps(json_format.MessageToDict(config, preserving_proto_field_name=True))
