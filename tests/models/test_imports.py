"""What a Triton stub loads stays small."""

import subprocess
import sys

SERVED = "models.contract, models.vision, models.decoder, models.generate, models.calibration"


def test_serving_code_loads_neither_torch_nor_monai():
    code = (
        f"import sys, {SERVED}\n"
        "heavy = {'torch', 'monai', 'scipy', 'skimage', 'onnx'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_the_contract_needs_no_runtime():
    code = "import sys, models.contract\nsys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
