import pytest

from models.ct_quant.kernel import Kernel, classify_kernel


@pytest.mark.parametrize(
    "name", ["B30f", "B40f", "I30s", "Br36d\\3", "Bf39", "STANDARD", "SOFT", "std+", "FC08", "B"]
)
def test_soft_kernels_are_known(name):
    assert classify_kernel(name) is Kernel.SOFT


@pytest.mark.parametrize(
    "name", ["B50f", "B70f", "I70f", "Bl57d\\3", "LUNG", "BONEPLUS", "EDGE", "FC30", "FC52", "YC0L"]
)
def test_sharp_kernels_are_not_soft(name):
    assert classify_kernel(name) is not Kernel.SOFT


@pytest.mark.parametrize("name", ["B70f", "LUNG", "FC52", "BONE", "Bl57"])
def test_sharp_kernels_are_known(name):
    assert classify_kernel(name) is Kernel.SHARP


@pytest.mark.parametrize("name", ["", "XYZ", "C", "FC22", "B46f", "11", "1.5T"])
def test_what_is_not_known_is_not_taken_for_soft(name):
    assert classify_kernel(name) is Kernel.UNKNOWN
