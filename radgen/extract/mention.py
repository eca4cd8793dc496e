"""One sentence while it is being read: its tokens, its clauses, its mentions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from radgen.extract.clean import is_chinese
from radgen.extract.scan import Token

CLAUSE_ENDS = frozenset({"comma", "break", "open", "close"})
JOINS = frozenset({"list", "or"})
_INSIDE_A_LIST = frozenset({"list", "or", "side", "site", "mark", "count", "subject", "elsewhere"})


@dataclass(slots=True)
class Mention:
    """What is known so far of one mention; `at` is its place among the tokens."""

    token: Token
    at: int
    denied: bool = False
    gap: bool = False
    dropped: bool = False
    hedge: str = ""
    side: str = ""
    leads: bool = False
    site: str = ""
    sizes: list[float] = field(default_factory=list)
    diameters: list[float] = field(default_factory=list)
    number: int | None = None
    change: str = ""


@dataclass(slots=True)
class Sentence:
    """Tokens whose predicates are resolved, and their mentions in order.

    clause: for every token, the number of its clause.
    before: for every token, how many mentions stand before it.
    """

    text: str
    tokens: Sequence[Token]
    mentions: list[Mention] = field(default_factory=list)
    clause: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        number = 0
        for at, token in enumerate(self.tokens):
            number += token.kind in CLAUSE_ENDS
            self.clause.append(number)
            self.before.append(len(self.mentions))
            if token.kind in ("finding", "normal"):
                self.mentions.append(Mention(token, at, denied=token.kind == "normal"))

    def is_chinese(self, at: int) -> bool:
        """True if the token is Chinese, or punctuation beside it is."""
        start = self.tokens[at].start
        return any(map(is_chinese, self.text[max(start - 1, 0) : start + 2])) or (
            self.text[start] == "、"
        )

    def rest_of_clause(self, at: int) -> Iterator[tuple[int, Token]]:
        """The tokens after `at`, up to the end of its clause."""
        for index in range(at + 1, len(self.tokens)):
            if self.tokens[index].kind in CLAUSE_ENDS:
                return
            yield index, self.tokens[index]

    def next_in_clause(self, at: int) -> Mention | None:
        """The mention that follows token `at` in its clause."""
        number = self.before[at] + (self.tokens[at].kind in ("finding", "normal"))
        if number < len(self.mentions) and self._same_clause(self.mentions[number].at, at):
            return self.mentions[number]
        return None

    def last_in_clause(self, at: int) -> Mention | None:
        """The mention that stands before token `at` in its clause."""
        number = self.before[at] - 1
        if number >= 0 and self._same_clause(self.mentions[number].at, at):
            return self.mentions[number]
        return None

    def mentions_before(self, at: int, *, other_clause: bool = False) -> list[Mention]:
        """The nearest mention before token `at` and those listed with it.

        other_clause: where its own clause has none, in the clause before.
        """
        number = self.before[at] - 1
        if number < 0:
            return []
        near = self.clause[at] - self.clause[self.mentions[number].at]
        if near > 0 and not (other_clause and near <= 2 and self.next_in_clause(at) is None):
            return []
        return [self.mentions[number], *self._listed_before(number)]

    def mentions_after(self, at: int) -> list[Mention]:
        """The next mention in the clause of token `at` and those listed with it."""
        first = self.next_in_clause(at)
        if first is None:
            return []
        number = self.mentions.index(first, self.before[at])
        after = [first]
        for mention in self.mentions[number + 1 :]:
            if not self._is_listed(after[-1], mention):
                break
            after.append(mention)
        return after

    def between(self, one: Mention, other: Mention) -> Sequence[Token]:
        """The tokens between two mentions."""
        return self.tokens[one.at + 1 : other.at]

    def _listed_before(self, number: int) -> Iterator[Mention]:
        for index in range(number, 0, -1):
            if not self._is_listed(self.mentions[index - 1], self.mentions[index]):
                return
            yield self.mentions[index - 1]

    def _is_listed(self, one: Mention, other: Mention) -> bool:
        kinds = [each.kind for each in self.between(one, other)]
        if "comma" in kinds and not self.is_chinese(one.at):
            kinds = [each for each in kinds if each != "comma"] + ["list"]
        return bool(JOINS.intersection(kinds)) and _INSIDE_A_LIST.issuperset(kinds)

    def _same_clause(self, one: int, other: int) -> bool:
        return self.clause[one] == self.clause[other]
