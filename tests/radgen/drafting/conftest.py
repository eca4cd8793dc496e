"""A tiny pack with known behaviour, and one embedded server that most tests share."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.contract import GRID, IMAGE_SIZE
from models.pack import Pack, load_pack
from models.tokenizer import END, make_tokenizer, save_tokenizer
from radgen.drafting.self_test import prepare_self_test
from radgen.drafting.triton_preflight import examine_host, find_repository, refusal_of
from radgen.drafting.triton_process import Launch
from radgen.drafting.triton_server import TritonServer, Watch

FINDINGS = ("pleural-effusion", "pneumothorax", "cardiomegaly", "consolidation")
CONTEXT = 4096
MANIFEST = """
name = "tiny"
version = "0.0.1"
intended_use = "tests"
licence = "Apache-2.0"

[input]
kind = "radiograph"
modalities = ["CR", "DX"]
body_parts = ["CHEST"]
views = ["PA", "AP"]
minimum_age_years = 18

{labels}
[gate]
kinds = ["frontal", "lateral"]
accepted = "frontal"
minimum_probability = 0.9

[files]
{files}
"""


def build_encoder(path: Path, seed: int) -> None:
    """Brightness of each cell times a weight per label; LOGITS are the means of the maps."""
    rng = np.random.default_rng(seed)
    kernel = rng.normal(0, 0.1, (len(FINDINGS), 1, 32, 32)).astype(np.float32)
    gate = np.zeros((len(FINDINGS), 2), dtype=np.float32)
    constants = {"KERNEL": kernel, "TO_GATE": gate, "BIAS": np.array([4.0, 0.0], np.float32)}
    pad = 32 * GRID - IMAGE_SIZE
    nodes = [
        helper.make_node(
            "Conv", ["IMAGE", "KERNEL"], ["EVIDENCE"], strides=[32, 32], pads=[0, 0, pad, pad]
        ),
        helper.make_node("ReduceMean", ["EVIDENCE"], ["LOGITS"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["LOGITS", "TO_GATE", "BIAS"], ["GATE"]),
    ]
    inputs = {"IMAGE": (TensorProto.FLOAT, ["N", 1, IMAGE_SIZE, IMAGE_SIZE])}
    outputs = {
        "LOGITS": (TensorProto.FLOAT, ["N", len(FINDINGS)]),
        "EVIDENCE": (TensorProto.FLOAT, ["N", len(FINDINGS), GRID, GRID]),
        "GATE": (TensorProto.FLOAT, ["N", 2]),
    }
    save_graph(path, nodes, inputs, outputs, constants)


def build_decoder(path: Path, size: int, words: int, seed: int) -> None:
    """The next word depends on the last one and on everything in the cache; it never ends."""
    rng = np.random.default_rng(seed)
    by_last = rng.normal(0, 1, (size, words)).astype(np.float32)
    by_past = rng.normal(0, 1, (size, words)).astype(np.float32)
    by_last[:, : END + 2] = -1e6
    by_last[END] = 0
    constants = {
        "BY_LAST": by_last,
        "BY_PAST": by_past,
        "SIZE": np.array(size, np.int64),
        "ON_OFF": np.array([0, 1], np.float32),
        "LOW": np.array(-1.0, np.float32),
        "FRESH_SHAPE": np.array([0, 1, 1, 1, -1, size], np.int64),
        "PAST_SHAPE": np.array([0, CONTEXT, size], np.int64),
        "LAST": np.array(-1, np.int64),
        "TWO": np.array([1, 1, 2, 1, 1, 1], np.int64),
        "FIRST": np.array(0, np.int64),
    }
    make = helper.make_node
    nodes = [
        make("OneHot", ["TOKENS", "SIZE", "ON_OFF"], ["WORDS"]),  # [B, T, size]
        make("Reshape", ["WORDS", "FRESH_SHAPE"], ["ONE"]),
        make("Tile", ["ONE", "TWO"], ["FRESH"]),  # [B, 1, 2, 1, T, size]
        make("Gather", ["CACHE", "FIRST"], ["KEYS"], axis=2),
        make("Reshape", ["KEYS", "PAST_SHAPE"], ["PAST"]),
        make("Concat", ["PAST", "WORDS"], ["ALL"], axis=1),  # [B, context + T, size]
        make("Gather", ["MASK", "LAST"], ["ROW"], axis=1),  # [B, context + T]
        make("Greater", ["ROW", "LOW"], ["OPEN"]),
        make("Cast", ["OPEN"], ["SEEN"], to=TensorProto.FLOAT),
        make("Unsqueeze", ["SEEN", "ONE_AXIS"], ["SEEN_ROW"]),
        make("MatMul", ["SEEN_ROW", "ALL"], ["COUNTS"]),  # [B, 1, size]
        make("Squeeze", ["COUNTS", "ONE_AXIS"], ["BAG"]),
        make("MatMul", ["BAG", "BY_PAST"], ["FROM_PAST"]),
        make("Gather", ["TOKENS", "LAST"], ["LAST_TOKEN"], axis=1),
        make("Gather", ["BY_LAST", "LAST_TOKEN"], ["FROM_LAST"]),
        make("Cast", ["POSITIONS"], ["UNUSED"], to=TensorProto.FLOAT),
        make("Add", ["FROM_PAST", "FROM_LAST"], ["SCORES"]),
    ]
    constants["ONE_AXIS"] = np.array([1], np.int64)
    inputs = {
        "TOKENS": (TensorProto.INT64, ["B", "T"]),
        "POSITIONS": (TensorProto.INT64, ["B", "T"]),
        "MASK": (TensorProto.FLOAT, ["B", "T", "C"]),
        "CACHE": (TensorProto.FLOAT, ["B", 1, 2, 1, CONTEXT, size]),
    }
    outputs = {
        "SCORES": (TensorProto.FLOAT, ["B", words]),
        "FRESH": (TensorProto.FLOAT, ["B", 1, 2, 1, "T", size]),
    }
    save_graph(path, nodes, inputs, outputs, constants)


def save_graph(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, *spec) for name, spec in inputs.items()],
        [helper.make_tensor_value_info(name, *spec) for name, spec in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def build_pack(folder: Path, seed: int, *, with_decoder: bool = True) -> Path:
    """A pack of networks with random weights: the contract of a real one, a thousandth its size."""
    words = [f"{a}{b}" for a in "bcdfgh" for b in "aeiou"] + ["."]
    tokenizer = make_tokenizer(words, FINDINGS)
    build_encoder(folder / "vision_encoder.onnx", seed)
    if with_decoder:
        build_decoder(folder / "report_decoder.onnx", tokenizer.size, len(tokenizer.words), seed)
    save_tokenizer(tokenizer, folder / "tokenizer.json")
    (folder / "card.md").write_text("A pack for tests.\n", encoding="utf-8")
    labels = "".join(
        f'[[labels]]\nfinding = "{finding}"\nslope = 1.0\noffset = 0.0\n'
        "absent_below = 0.45\npresent_above = 0.55\n\n"
        for finding in FINDINGS
    )
    files = "".join(
        f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"\n'
        for path in sorted(folder.iterdir())
    )
    (folder / "pack.toml").write_text(MANIFEST.format(labels=labels, files=files))
    return folder


@pytest.fixture(scope="session")
def pack_folder(tmp_path_factory) -> Path:
    return build_pack(tmp_path_factory.mktemp("pack"), seed=7)


@pytest.fixture(scope="session")
def other_pack_folder(tmp_path_factory) -> Path:
    """The same shapes, other weights."""
    return build_pack(tmp_path_factory.mktemp("other-pack"), seed=8)


@pytest.fixture(scope="session")
def silent_pack_folder(tmp_path_factory) -> Path:
    """A pack without a report decoder."""
    return build_pack(tmp_path_factory.mktemp("silent-pack"), seed=7, with_decoder=False)


@pytest.fixture(scope="session")
def pack(pack_folder: Path) -> Pack:
    return load_pack(pack_folder)


@pytest.fixture(scope="session")
def self_test(pack: Pack):
    return prepare_self_test(pack)


@pytest.fixture(scope="session")
def launch(pack: Pack) -> Launch:
    """What starts the embedded server here; skips where it cannot run."""
    host = examine_host(find_repository())
    refusal = refusal_of(host)
    if refusal is not None or host.wheel is None or host.repository is None:
        pytest.skip(f"no embedded triton here: {refusal}")
    return Launch(host.wheel, host.repository, pack.folder)


@pytest.fixture(scope="session")
def server(launch: Launch, self_test) -> Iterator[TritonServer]:
    """One server for the tests that do it no lasting harm."""
    server = TritonServer(launch, self_test, Watch(every_s=0.5))
    yield server
    server.close()


@pytest.fixture
def images() -> list[np.ndarray]:
    """Four images of noise, bright in another quarter each: float32 [1, 1, 260, 260] in [0, 1]."""
    rng = np.random.default_rng(1)
    noise = [rng.random((1, 1, IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32) for _ in range(4)]
    half = IMAGE_SIZE // 2
    for number, image in enumerate(noise):
        row, column = half * (number // 2), half * (number % 2)
        image[0, 0, row : row + half, column : column + half] *= 0.1
    return noise


def children(pid: int) -> list[int]:
    """Process ids of the children of `pid`."""
    try:
        lists = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
        return [int(child) for path in lists for child in path.read_text().split()]
    except FileNotFoundError:
        return []


@pytest.fixture
def server_pid():
    """Guard's process id -> server's."""
    return lambda guard: children(guard)[0]


@pytest.fixture
def stubs():
    """Guard's process id -> those of the server's python stubs that live."""
    return lambda guard: [pid for pid in children(children(guard)[0]) if alive(pid)]


def alive(pid: int) -> bool:
    """True while `pid` runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


@pytest.fixture
def is_alive():
    return alive
