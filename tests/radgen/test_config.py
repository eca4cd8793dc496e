"""One file, many sections: what it says, what it leaves out, what the environment overrides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from radgen.config import SECTIONS, load_section, read_file
from radgen.domain.errors import ConfigurationError
from radgen.pacs.peer import Peer


@dataclass(frozen=True, slots=True)
class Settings:
    folder: Path = Path("var")
    name: str = "radgen"
    pause_s: float = 0.5
    careful: bool = True
    words: tuple[str, ...] = ("a",)
    limits: Mapping[str, int] = field(default_factory=lambda: {"CT": 1})


@pytest.fixture
def write(tmp_path):
    """Writes a configuration file; returns its path."""

    def to_file(text):
        path = tmp_path / "radgen.toml"
        path.write_text(text, "utf-8")
        return path

    return to_file


def test_without_a_file_everything_has_its_default():
    assert load_section(None, "store", Settings) == Settings()


def test_a_section_fills_what_it_names_and_leaves_the_rest(write):
    file = write('[store]\nname = "东院"\npause_s = 2\nwords = ["x", "y"]\n[review]\nname = "z"')
    found = load_section(file, "store", Settings)
    assert found == Settings(name="东院", pause_s=2.0, words=("x", "y"))


def test_what_a_site_knows_of_itself_stands_behind_the_file(write):
    file = write('[store]\nname = "file"')
    known = {"name": "site", "pause_s": 9.0}
    assert load_section(file, "store", Settings, known) == Settings(name="file", pause_s=9.0)
    assert load_section(None, "store", Settings, known).name == "site"


@pytest.mark.parametrize(
    ("variable", "value", "key", "found"),
    [
        ("NAME", "new", "name", "new"),
        ("NAME", "42", "name", "42"),
        ("NAME", "true", "name", "true"),
        ("FOLDER", "/data", "folder", Path("/data")),
        ("FOLDER", "7", "folder", Path("7")),
        ("PAUSE_S", "3", "pause_s", 3.0),
        ("CAREFUL", "false", "careful", False),
        ("WORDS", '["b"]', "words", ("b",)),
        ("LIMITS", '{"DX": 3}', "limits", {"DX": 3}),
    ],
)
def test_the_environment_overrides_the_file(write, monkeypatch, variable, value, key, found):
    monkeypatch.setenv(f"RADGEN_STORE__{variable}", value)
    file = write('[store]\nname = "file"\npause_s = 1\ncareful = true')
    assert getattr(load_section(file, "store", Settings), key) == found


def test_a_variable_of_another_section_changes_nothing(monkeypatch):
    monkeypatch.setenv("RADGEN_REVIEW__NAME", "new")
    assert load_section(None, "store", Settings) == Settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[stores]", ["unknown section [stores]", "store"]),
        ("[store]\nnamed = 1", ["[store]", "unknown key named"]),
        ('[store]\npause_s = "long"', ["[store]", "store.pause_s", "number"]),
        ("[store]\nname = 7", ["store.name", "string"]),
        ('[store]\nlimits = {CT = "x"}', ["store.limits.CT", "integer"]),
        ("store = 3", ["store must be a section"]),
        ("[store", ["is not TOML"]),
    ],
)
def test_a_fault_is_named_with_its_place(write, text, words):
    with pytest.raises(ConfigurationError) as caught:
        load_section(write(text), "store", Settings)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_of_the_environment_is_named_too(monkeypatch):
    monkeypatch.setenv("RADGEN_STORE__NAMED", "x")
    with pytest.raises(ConfigurationError, match="unknown key named"):
        load_section(None, "store", Settings)


def test_a_key_that_is_needed_is_named():
    with pytest.raises(ConfigurationError, match=r"\[pacs\]: pacs.aet: Field required"):
        load_section(None, "pacs", Peer, {"name": "pacs"})


def test_what_a_section_itself_refuses_is_a_fault_of_the_configuration(write):
    file = write('[pacs]\naet = "A\\\\B"\nhost = "h"\nport = 104')
    with pytest.raises(ConfigurationError, match="no AE title"):
        load_section(file, "pacs", Peer, {"name": "pacs"})


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_file(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        read_file(binary)


def test_no_file_is_no_table_and_a_file_may_be_empty(write):
    assert read_file(None) == {}
    assert read_file(write("")) == {}


def test_every_known_section_may_stand_in_a_file(write):
    text = "\n".join(f"[{name}]" for name in SECTIONS)
    assert set(read_file(write(text))) == set(SECTIONS)
