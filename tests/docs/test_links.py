"""Links between documents lead somewhere, and the Chinese guide keeps step with the English one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ENGLISH = ROOT / "docs" / "pacs-administrator.md"
CHINESE = ROOT / "docs" / "zh" / "pacs-administrator.md"


def anchors_of(path):
    """As the usual renderers make them: lower case, punctuation dropped, spaces to hyphens."""
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_into_the_checkout_leads_somewhere(path):
    for link in LINK.findall(path.read_text("utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def outline(path):
    return [len(marks) for marks in re.findall(r"^(#+) ", path.read_text("utf-8"), re.MULTILINE)]


def blocks(path):
    """Fenced blocks without comments, which are translated."""
    found = re.findall(r"```\w+\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    return [re.sub(r" +# .*", "", block) for block in found]


def test_the_chinese_guide_has_the_sections_tables_and_commands_of_the_english_one():
    assert outline(CHINESE) == outline(ENGLISH)
    assert blocks(CHINESE) == blocks(ENGLISH)
    rows = [path.read_text("utf-8").count("\n|") for path in (CHINESE, ENGLISH)]
    assert rows[0] == rows[1]
