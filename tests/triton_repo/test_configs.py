"""Every configuration of the model repository says what models/contract.py says."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from models.contract import DRAFT_REPORT, REPORT_DECODER, VISION_ENCODER, ServedModel

REPOSITORY = Path(__file__).resolve().parents[2] / "triton_repo"
MODELS = {model.name: model for model in (VISION_ENCODER, REPORT_DECODER, DRAFT_REPORT)}
CONFIGS = sorted([*REPOSITORY.glob("*/config.pbtxt"), *REPOSITORY.glob("*/configs/*.pbtxt")])
TYPES = {"float32": "TYPE_FP32", "int32": "TYPE_INT32", "object": "TYPE_STRING"}
# An ensemble cannot give outputs of an ordinary and a decoupled step: the text is all it offers.
ENSEMBLE_OUTPUTS = ("TEXT",)


def parse(path: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())


def model_of(path: Path) -> ServedModel:
    return MODELS[path.relative_to(REPOSITORY).parts[0]]


def written(tensors) -> set:
    types = model_config_pb2.DataType
    return {(tensor.name, types.Name(tensor.data_type), tuple(tensor.dims)) for tensor in tensors}


def wanted(specs) -> set:
    return {(spec.name, TYPES[spec.dtype], spec.dims) for spec in specs}


def by_name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_every_served_model_has_both_profiles():
    assert {by_name(path) for path in CONFIGS} == {
        f"{name}/{file}" for name in MODELS for file in ("config.pbtxt", "configs/gpu.pbtxt")
    }


@pytest.mark.parametrize("path", CONFIGS, ids=by_name)
def test_tensors_batching_and_transactions_are_the_contracts(path):
    config, model = parse(path), model_of(path)
    outputs = model.outputs
    if config.platform == "ensemble":
        outputs = [output for output in model.outputs if output.name in ENSEMBLE_OUTPUTS]
    assert written(config.input) == wanted(model.inputs)
    assert written(config.output) == wanted(outputs)
    assert config.max_batch_size == model.max_batch
    assert config.model_transaction_policy.decoupled == model.decoupled


@pytest.mark.parametrize("path", CONFIGS, ids=by_name)
def test_only_models_with_a_batch_dim_are_batched(path):
    assert parse(path).HasField("dynamic_batching") == (model_of(path).max_batch > 0)


def test_the_embedded_profile_needs_no_backend_but_python_and_no_gpu():
    for path in REPOSITORY.glob("*/config.pbtxt"):
        config = parse(path)
        assert config.backend == "python" or config.platform == "ensemble"
        assert {group.kind for group in config.instance_group} <= {
            model_config_pb2.ModelInstanceGroup.KIND_CPU
        }


def test_the_gpu_profile_runs_the_encoder_in_onnxruntime_on_a_gpu():
    config = parse(REPOSITORY / VISION_ENCODER.name / "configs" / "gpu.pbtxt")
    assert config.backend == "onnxruntime"
    kinds = [group.kind for group in config.instance_group]
    assert kinds == [model_config_pb2.ModelInstanceGroup.KIND_GPU]
    warmup = config.model_warmup[0].inputs["IMAGE"]
    assert tuple(warmup.dims) == VISION_ENCODER.input("IMAGE").dims


def test_the_ensemble_joins_the_two_models():
    for name in ("config.pbtxt", "configs/gpu.pbtxt"):
        steps = parse(REPOSITORY / DRAFT_REPORT.name / name).ensemble_scheduling.step
        assert [step.model_name for step in steps] == [VISION_ENCODER.name, REPORT_DECODER.name]
        given = set(steps[0].output_map.values()) | {spec.name for spec in DRAFT_REPORT.inputs}
        assert set(steps[1].input_map.values()) <= given
        assert set(steps[1].input_map) == {spec.name for spec in REPORT_DECODER.inputs}


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("*/1/model.py")), ids=by_name)
def test_a_door_is_thin_and_imports_models_alone(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60
    assert not [line for line in lines if "import" in line.split() and "radgen" in line]
    assert not [line for line in lines if "sys.path" in line or "PYTHONPATH" in line]
