"""A pack is used as published or not at all."""

import hashlib
import shutil
from pathlib import Path

import pytest

from models.pack import MANIFEST, PACKS, Pack, PackFaultError, list_packs, load_pack


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKS / "cxr-adult", tmp_path / "cxr-adult"))


def test_every_shipped_pack_is_listed_and_verifies():
    folders = list_packs()
    assert PACKS / "cxr-adult" in folders
    for folder in folders:
        assert load_pack(folder).name == folder.name


def test_the_digest_is_the_hash_of_the_manifest(pack: Pack):
    manifest = (pack.folder / MANIFEST).read_bytes()
    assert pack.digest == hashlib.sha256(manifest).hexdigest()


def test_one_changed_byte_refuses_the_pack_and_names_the_file(copy: Path):
    path = copy / "vision_encoder.onnx"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(PackFaultError, match=r"cxr-adult/vision_encoder\.onnx"):
        load_pack(copy)


def test_a_missing_file_refuses_the_pack_and_names_it(copy: Path):
    (copy / "tokenizer.json").unlink()
    with pytest.raises(PackFaultError, match=r"tokenizer\.json"):
        load_pack(copy)


def test_a_file_outside_the_folder_is_refused(copy: Path):
    outside = copy.parent / "weights.onnx"
    outside.write_bytes(b"x")
    with (copy / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write(f'"../weights.onnx" = "{hashlib.sha256(b"x").hexdigest()}"\n')
    with pytest.raises(PackFaultError, match="outside the pack"):
        load_pack(copy)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "cxr-adult"', "name ="),
        ('accepted = "frontal"', 'accepted = "sideways"'),
        ("slope = ", "slope = -"),
        ("[input]", "[other]"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(copy: Path, before: str, after: str):
    path = copy / MANIFEST
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(PackFaultError, match=r"pack\.toml"):
        load_pack(copy)


def test_a_file_that_the_manifest_does_not_name_is_not_handed_out(pack: Pack):
    with pytest.raises(PackFaultError, match="not in the manifest"):
        pack.file(MANIFEST)


def test_no_file_of_a_pack_is_larger_than_40_megabytes():
    for folder in list_packs():
        for name in load_pack(folder).files:
            assert (folder / name).stat().st_size <= 40_000_000
