"""Sentences written to mislead: the figures of the set are held here."""

from collections import Counter

import pytest

from radgen.extract.extract import extract
from radgen.knowledge import findings


def counts(items, adversarial, words):
    tally = Counter()
    for item in items:
        wanted = {" ".join(adversarial.without_site(each).split()[:words]) for each in item.says}
        read = {" ".join(adversarial.spell(each).split()[:words]) for each in extract(item.text)}
        tally.update(tp=len(wanted & read), wrong=len(wanted ^ read))
    return 2 * tally["tp"] / (2 * tally["tp"] + tally["wrong"])


def test_the_set_is_large_has_both_languages_and_repeats_nothing(adversarial):
    items = adversarial.items()
    languages = Counter(item.language for item in items)
    assert languages["zh"] >= 150
    assert languages["en"] >= 150
    assert len({item.text for item in items}) == len(items)


def test_the_set_speaks_of_known_findings_in_known_words(adversarial):
    for item in adversarial.items():
        for says in item.says:
            finding, presence, *rest = adversarial.without_site(says).split()
            assert finding in findings.entries()
            assert presence in adversarial.KNOWN
            for word in rest:
                assert word in adversarial.KNOWN or word.endswith("mm") or word[0] == "x", item


@pytest.mark.parametrize("language", ["zh", "en"])
def test_whole_statements_read_right(adversarial, language):
    items = [item for item in adversarial.items() if item.language == language]
    assert counts(items, adversarial, None) >= 0.97  # measured: docs/extractor.md


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nearly_no_presence_is_wrong(adversarial, language):
    items = [item for item in adversarial.items() if item.language == language]
    assert counts(items, adversarial, 2) >= 0.99


def test_places_are_read_where_the_set_names_them(adversarial):
    named = 0
    for item in adversarial.items():
        sites = {word[1:] for says in item.says for word in says.split() if word[0] == "@"}
        named += len(sites)
        assert sites <= {each.site for each in extract(item.text)}, item.text
    assert named > 20
