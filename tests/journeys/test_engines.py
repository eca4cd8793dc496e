"""Three ways to run the networks, one draft: in process, embedded Triton, Triton at a URL.

`radgen draft` reads the same folder three times; the reports are read back from the SRs it wrote.
"""

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from models.decoder import WEIGHTS as DECODER_WEIGHTS
from models.pack import PACKS, load_pack
from radgen.demo.phantom import phantom_study
from radgen.demo.real_studies import real_studies
from radgen.dicom.read_sr import open_document, read_draft
from radgen.drafting.self_test import prepare_self_test
from radgen.drafting.triton_preflight import examine_host, find_repository, refusal_of
from radgen.drafting.triton_process import Launch
from radgen.drafting.triton_server import TritonServer, Watch

pytestmark = pytest.mark.triton

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MODES = ("in-process", "embedded", "url")
GENERATED = ("chest normal", "chest effusion left", "chest large heart", "chest CT normal", "hand")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of studies: real films where the data are there, a CT, one to be refused."""
    folder = tmp_path_factory.mktemp("studies")
    studies = [phantom_study(name) for name in GENERATED]
    if DATA.is_dir():
        films = [each for each in real_studies(DATA) if each.expect.modality in {"DX", "CR"}]
        studies += films[:6]
    for study in studies:
        study.write_study(folder / study.study_uid)
    return folder


@pytest.fixture(scope="module")
def url(site_tools):
    """A Triton on a TCP port, as somebody else would run it."""
    host = examine_host(find_repository())
    refusal = refusal_of(host)
    if refusal is not None:
        pytest.skip(f"no embedded triton here: {refusal}")
    pack = load_pack(PACKS / "cxr-adult")
    port = site_tools.free_port()
    launch = Launch(
        host.wheel, host.repository, pack.folder, DECODER_WEIGHTS in pack.files, port=port
    )
    server = TritonServer(launch, prepare_self_test(pack), Watch())
    yield f"grpc://127.0.0.1:{port}"
    server.close()


@pytest.fixture(scope="module")
def radgen(site_tools, url, tmp_path_factory):
    """A function that runs a command with the engine of one mode. Returns: what it printed."""

    def run(mode, *words):
        config = tmp_path_factory.mktemp(mode) / "radgen.toml"
        config.write_text(f'[engine]\nmode = "{"auto" if mode == "url" else mode}"\n', "utf-8")
        environment = {**os.environ, "TRITON_URL": url if mode == "url" else ""}
        command = [site_tools.BIN / "radgen", *words, "--json", "--config", config]
        done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def drafts(radgen, folder, tmp_path_factory, figures):
    """Mode -> study UID -> what a program is told, and the draft as the SR on disk holds it."""
    found = {}
    for mode in MODES:
        begin = time.monotonic()
        out = tmp_path_factory.mktemp("out")
        told = radgen(mode, "draft", str(folder), "--out", str(out))
        figures(f"radgen draft, {mode}: {len(told)} studies in {time.monotonic() - begin:.1f} s")
        found[mode] = {
            each["study"]: (
                {key: value for key, value in each.items() if key != "folder"},
                read_draft(open_document((out / each["study"] / "sr-1.dcm").read_bytes())),
            )
            for each in told
        }
    return found


def test_three_engines_write_the_same_structures_and_texts(drafts, folder):
    reference = drafts["in-process"]
    assert set(reference) == {path.name for path in folder.iterdir()}
    assert {report.structure.modality for _, report in reference.values()} >= {"DX", "CT"}
    for mode in MODES[1:]:
        assert set(drafts[mode]) == set(reference)
        for uid, (told, report) in drafts[mode].items():
            expected_told, expected = reference[uid]
            assert told == expected_told
            assert report.texts == expected.texts
            assert without_probabilities(report) == without_probabilities(expected)
            assert probabilities(report) == pytest.approx(probabilities(expected), abs=1e-5)


def test_some_films_were_really_read_by_the_networks(drafts):
    """Otherwise three engines would agree on nothing at all."""
    read = [report for _, report in drafts["url"].values() if probabilities(report)]
    assert len(read) >= (4 if DATA.is_dir() else 1)


def probabilities(report):
    """Only these may differ, in the last digits that float32 holds."""
    return [each.probability for each in report.structure.findings if each.probability is not None]


def without_probabilities(report):
    return replace(
        report.structure,
        findings=tuple(replace(each, probability=None) for each in report.structure.findings),
    )


def test_a_url_in_the_environment_is_the_engine_that_reads(radgen):
    assert radgen("url", "health")["engine"] == "triton-url"
