"""BLEU and ROUGE-L over words, as the report-generation papers count them."""

from collections import Counter
from collections.abc import Sequence
from math import exp, log

ROUGE_BETA = 1.2


def corpus_bleu(written: Sequence[list[str]], references: Sequence[list[str]], order: int) -> float:
    """Corpus BLEU of one reference each, n-grams up to `order`, no smoothing."""
    logs = 0.0
    for size in range(1, order + 1):
        hits = total = 0
        for one, reference in zip(written, references, strict=True):
            counts, limits = _grams(one, size), _grams(reference, size)
            hits += sum(min(count, limits[gram]) for gram, count in counts.items())
            total += sum(counts.values())
        if hits == 0:
            return 0.0
        logs += log(hits / total) / order
    length, wanted = sum(map(len, written)), sum(map(len, references))
    return exp(logs + min(0.0, 1.0 - wanted / length))


def mean_rouge_l(written: Sequence[list[str]], references: Sequence[list[str]]) -> float:
    """Mean F-measure (beta 1.2) of the longest common subsequence."""
    values = [_rouge_l(one, other) for one, other in zip(written, references, strict=True)]
    return sum(values) / max(len(values), 1)


def _grams(words: list[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def _rouge_l(written: list[str], reference: list[str]) -> float:
    common = _longest_common(written, reference)
    if common == 0:
        return 0.0
    precision, recall = common / len(written), common / len(reference)
    return (1 + ROUGE_BETA**2) * precision * recall / (recall + ROUGE_BETA**2 * precision)


def _longest_common(first: list[str], second: list[str]) -> int:
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]
