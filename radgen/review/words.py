"""Words of the page, and text from the network made fit to be seen."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from radgen.domain.errors import RadgenError
from radgen.domain.finding import Measurement
from radgen.knowledge import findings, quantities, reasons
from radgen.review.settings import PageLanguage


@cache
def words(language: PageLanguage) -> Mapping[str, str]:
    """Every word of the page in one language."""
    text = files("radgen.review").joinpath("words.toml").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, str]] = tomllib.loads(text)
    return table[language]


def visible(value: object) -> object:
    """What a template prints: text without control, bidi and other invisible characters.

    Those could turn or hide what stands beside them. Markup that a template made is left alone, and
    everything else is escaped afterwards by Jinja.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    kept = (" " if each in "\t\r\n" else each for each in value)
    return "".join(each for each in kept if unicodedata.category(each) not in _INVISIBLE)


# Private and unassigned characters stay: rare names are written with them.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def person_name(value: str, language: PageLanguage) -> str:
    """A DICOM person name (alphabetic=ideographic=phonetic) as one reads it."""
    groups = [group.replace("^", " ").strip() for group in value.split("=")]
    order = (1, 0, 2) if language == "zh" else (0, 1, 2)
    found = [groups[i] for i in order if i < len(groups) and groups[i]]
    return found[0] if found else ""


def reason_text(id_: str, language: PageLanguage) -> str:
    """A row of reasons.toml in words; an id that is not there is shown as it is."""
    try:
        row = reasons.entry(id_)
    except RadgenError:
        return id_
    return row.zh if language == "zh" else row.en


_COMPLETE_ZH = (
    (r"count agrees: (\d+) of (\d+) images", r"数目一致：\1/\2 幅"),
    (r"quiet for (\d+) s after the sender released", r"发送结束后静默 \1 秒"),
    (r"quiet for (\d+) s", r"静默 \1 秒"),
    (r"longest wait of (\d+) s is over", r"已到最长等待 \1 秒"),
    (r"; the archive gave no count", "；存档未给出数目"),
    (r": (\d+) of (\d+) images missing", r"：缺 \1/\2 幅"),
)


def complete_text(reason: str, language: PageLanguage) -> str:
    """Why a version became complete; `radgen.completeness` says it in English."""
    if language == "zh":
        for pattern, text in _COMPLETE_ZH:
            reason = re.sub(pattern, text, reason)
    return reason


def finding_name(id_: str, language: PageLanguage) -> str:
    """A row of findings.toml in words; an id that is not there is shown as it is."""
    try:
        row = findings.entry(id_)
    except RadgenError:
        return id_
    return row.zh if language == "zh" else row.en


def measured_text(measurement: Measurement, language: PageLanguage) -> str:
    """Name, value and unit of a measurement."""
    try:
        row = quantities.entry(measurement.quantity)
        value = quantities.value_and_unit(measurement)
    except RadgenError:
        return f"{measurement.quantity} {measurement.value} {measurement.unit}"
    return f"{row.zh if language == 'zh' else row.en} {value}"
