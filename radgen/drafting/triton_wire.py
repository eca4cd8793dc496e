"""Triton's gRPC protocol, as far as we speak it, with a deadline on every call.

The generated stubs are used directly: tritonclient's own client keeps one stream per client, while
here every read has a stream of its own that ends with its deadline or its caller.
"""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import grpc  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import deserialize_bytes_tensor, np_to_triton_dtype, triton_to_np_dtype

from radgen.domain.errors import InferenceUnavailableError

ADMIN_HEADER = "triton-grpc-protocol-admin"
FINAL = "triton_final_response"
MESSAGE_LIMIT = 64 * 1024 * 1024

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens.

    target: gRPC target, "unix:/folder/socket:1" or "host:port".
    admin_key: value of the header that opens the administrative protocols, "" without one.
    secure: True for TLS with the system's certificate authorities.
    """

    target: str
    admin_key: str = ""
    secure: bool = False


class TritonWire:
    """One channel to one server; safe to use from several threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Opens the channel lazily: nothing is sent before the first call."""
        self.endpoint = endpoint
        self._metadata = ((ADMIN_HEADER, endpoint.admin_key),) if endpoint.admin_key else ()
        options = [
            ("grpc.max_receive_message_length", MESSAGE_LIMIT),
            ("grpc.max_send_message_length", MESSAGE_LIMIT),
            # A process shares channels by target otherwise, and a restarted server would be met
            # with the back-off of the one that died.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_reconnect_backoff_ms", 1000),
        ]
        if endpoint.secure:
            self._channel = grpc.secure_channel(
                endpoint.target, grpc.ssl_channel_credentials(), options
            )
        else:
            self._channel = grpc.insecure_channel(endpoint.target, options)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every call in flight."""
        self._channel.close()

    def is_ready(self, timeout_s: float) -> bool:
        """True once the server says that every model is loaded; it may lie (decision 0003)."""
        try:
            answer = self._stub.ServerReady(service_pb2.ServerReadyRequest(), timeout=timeout_s)
        except grpc.RpcError:
            return False
        return bool(answer.ready)

    def server_version(self, timeout_s: float) -> str:
        """Version of the core, "2.51.0". Raises: InferenceUnavailableError."""
        with translated("server metadata"):
            request = service_pb2.ServerMetadataRequest()
            return str(self._stub.ServerMetadata(request, timeout=timeout_s).version)

    def model_metadata(self, model: str, timeout_s: float) -> Any:  # noqa: ANN401 - untyped protobuf
        """Inputs and outputs as the server sees them. Raises: InferenceUnavailableError."""
        with translated(model):
            request = service_pb2.ModelMetadataRequest(name=model)
            return self._stub.ModelMetadata(request, timeout=timeout_s)

    def infer(
        self, model: str, inputs: Tensors, request_id: str, timeout_s: float
    ) -> dict[str, NDArray[Any]]:
        """One request, one answer. Raises: InferenceUnavailableError."""
        request = _request(model, inputs, request_id)
        with translated(model):
            return _tensors(self._stub.ModelInfer(request, timeout=timeout_s))

    def stream(
        self, model: str, inputs: Tensors, request_id: str, timeout_s: float
    ) -> Generator[dict[str, NDArray[Any]], None, None]:
        """One request, many answers; closing the iterator cancels the work on the server.

        Raises: InferenceUnavailableError, also where the stream ends without its final answer.
        """
        request = _request(model, inputs, request_id)
        # Without this a model whose last answer is an empty flag would look like a broken stream.
        request.parameters["triton_enable_empty_final_response"].bool_param = True
        with translated(model):
            call = self._stub.ModelStreamInfer(iter([request]), timeout=timeout_s)
        try:
            with translated(model):
                for answer in call:
                    if answer.error_message:
                        raise InferenceUnavailableError(f"{model}: {answer.error_message}")
                    response = answer.infer_response
                    if response.outputs:
                        yield _tensors(response)
                    if response.parameters[FINAL].bool_param:
                        return
            raise InferenceUnavailableError(f"{model}: the stream ended before its last answer")
        finally:
            call.cancel()

    def load(self, model: str, config_json: str, timeout_s: float) -> None:
        """Loads `model` with this configuration in place of its file.

        The loaded one serves on until the new one is ready, also where the new one is broken.
        Raises: InferenceUnavailableError.
        """
        with translated(f"load {model}"):
            request = service_pb2.RepositoryModelLoadRequest(model_name=model)
            request.parameters["config"].string_param = config_json
            self._stub.RepositoryModelLoad(request, timeout=timeout_s, metadata=self._metadata)


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns a gRPC failure into the one error that callers know, keeping the cause."""
    try:
        yield
    except grpc.RpcError as error:
        code, details = error.code(), error.details()
        raise InferenceUnavailableError(f"{what}: {code.name} {details}") from error
    except ValueError as error:  # what grpc raises on a channel that was closed meanwhile
        raise InferenceUnavailableError(f"{what}: {error}") from error


def _request(model: str, inputs: Tensors, request_id: str) -> Any:  # noqa: ANN401 - untyped protobuf
    request = service_pb2.ModelInferRequest(model_name=model, id=request_id)
    for name, values in inputs.items():
        tensor = request.inputs.add()
        tensor.name, tensor.datatype = name, np_to_triton_dtype(values.dtype)
        tensor.shape.extend(values.shape)
        request.raw_input_contents.append(np.ascontiguousarray(values).tobytes())
    return request


def _tensors(response: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401 - untyped protobuf
    tensors: dict[str, NDArray[Any]] = {}
    for output, raw in zip(response.outputs, response.raw_output_contents, strict=True):
        if output.datatype == "BYTES":
            flat = deserialize_bytes_tensor(raw)
        else:
            flat = np.frombuffer(raw, dtype=triton_to_np_dtype(output.datatype))
        tensors[output.name] = flat.reshape(tuple(output.shape))
    return tensors
