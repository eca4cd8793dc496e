"""`radgen packs`: what is installed, and whether it is what it says."""

import json
import shutil

import pytest

from models.pack import PACKS
from radgen.domain.errors import PackError


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(PACKS, tmp_path / "packs")


def test_installed_packs_are_listed(call):
    found = {each["name"]: each for each in json.loads(call("packs", "list", "--json").stdout)}
    assert {"cxr-adult", "ct-chest-quant"} <= set(found)
    assert all(len(each["digest"]) == 64 and each["licence"] for each in found.values())
    plain = call("packs", "list").stdout
    assert all(name in plain and each["digest"][:12] in plain for name, each in found.items())


def test_untouched_packs_are_verified(call, copied):
    done = call("packs", "verify", "--folder", copied)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == ["ct-chest-quant: verified", "cxr-adult: verified"]


def test_one_changed_byte_is_found(call, copied):
    file = copied / "cxr-adult" / "vision_encoder.onnx"
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)
    done = call("packs", "verify", "--folder", copied, "--json")
    assert done.exit_code == 1
    faults = json.loads(done.stdout)
    assert faults["ct-chest-quant"] == ""
    assert "vision_encoder.onnx" in faults["cxr-adult"]


def test_a_missing_file_is_found(call, copied):
    (copied / "ct-chest-quant" / "card.md").unlink()
    done = call("packs", "verify", "--folder", copied)
    assert done.exit_code == 1
    assert "card.md" in done.stdout


def test_no_pack_at_all_is_not_verified(call, tmp_path):
    assert call("packs", "verify", "--folder", tmp_path).exit_code == 1


def test_listing_a_damaged_pack_is_an_error_of_ours(call, copied):
    (copied / "cxr-adult" / "tokenizer.json").write_text("{}")
    done = call("packs", "list", "--folder", copied)
    assert isinstance(done.exception, PackError)
    assert "tokenizer.json" in str(done.exception)
