"""The watch query language: text to tree, with every fault named and placed.

    ~deportation AND (Serbia OR "North Macedonia") NOT title:football

Nothing is guessed: words side by side, AND mixed with OR, operators in small letters are refused. Printing is
`show`; finding is `matcher`'s. Called by config, lab, explain and the commands around a configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.errors import QueryError
from monitor.match import filters, patterns, tokens, tree
from monitor.match.concepts import Concepts
from monitor.match.patterns import PatternError
from monitor.match.tokens import Kind, Token
from monitor.match.tree import And, ConceptRef, Filter, Near, Node, Not, NotNear, Or, Scoped, Term, Together, show
from monitor.text.nearest import nearest

__all__ = ["from_keywords", "parse", "problems", "show"]

MOST_CHARACTERS = 4_000
MOST_TERMS = 500
MOST_DEPTH = 20
MOST_PROBLEMS = 5

_PAIRS = ("NEAR", "BEFORE", "SENTENCE", "PARAGRAPH")
_BOOLEAN = ("AND", "OR", "NOT", "NEAR")


def parse(text: str, concepts: Concepts) -> Node:
    """Read a query.

    Errors: QueryError, the leftmost of what `problems` finds.
    """
    node, errors = _read(text, concepts)
    if errors or node is None:
        raise errors[0]
    return node


def problems(text: str, concepts: Concepts) -> tuple[QueryError, ...]:
    """Every fault of a query, left to right, five at most; empty for a good one."""
    return _read(text, concepts)[1][:MOST_PROBLEMS]


def from_keywords(keywords: Sequence[str], concepts: Concepts) -> Node:
    """Read the short form of a watch: any of the keywords; one that names a concept becomes the concept.

    Errors: QueryError; its column counts within the expansion.
    """
    return parse(" OR ".join(_keyword(word.strip(), concepts) for word in keywords if word.strip()), concepts)


def _keyword(word: str, concepts: Concepts) -> str:
    concept = concepts.named(word)
    if concept is not None:
        return f"~{concept.name}"
    is_bare = not any(sign.isspace() for sign in word) and word.split("/")[0] not in tokens.OPERATORS
    return word if is_bare or word[0] in '"=~“„«' else f'"{word}"'


def _read(text: str, concepts: Concepts) -> tuple[Node | None, tuple[QueryError, ...]]:
    if len(text) > MOST_CHARACTERS:
        message = f"{len(text):,} characters; the limit is {MOST_CHARACTERS:,}"
        return None, (QueryError(1, message, "use a concept or two watches", code="E050"),)
    errors: list[QueryError] = []
    cut = tokens.cut(text, errors)
    if not cut:
        return None, (*errors, QueryError(1, "empty query", code="E050"))
    too_big = _too_big(cut)
    if too_big:
        return None, (too_big,)
    node = _Reader(cut, concepts, errors).query()
    if node is not None and not errors:
        errors.extend(_without_words(node))
    return node, tuple(sorted(errors, key=lambda error: error.column))


def _too_big(cut: list[Token]) -> QueryError | None:
    terms = [token for token in cut if token.kind in (Kind.WORD, Kind.PHRASE, Kind.EXACT, Kind.CONCEPT)]
    if len(terms) > MOST_TERMS:
        message = f"{len(terms):,} terms; the limit is {MOST_TERMS}"
        return QueryError(terms[MOST_TERMS].column, message, "use a concept or two watches", code="E050")
    depth = deepest = 0
    for token in cut:
        depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
        deepest = max(deepest, depth)
    if deepest > MOST_DEPTH:
        return QueryError(1, f"parentheses {deepest} deep; the limit is {MOST_DEPTH}", code="E050")
    return None


def _without_words(node: Node) -> list[QueryError]:
    if tree.has_words(node):
        return []
    return [QueryError(1, "nothing to find in title or text", "add a term", code="E056")]


class _Reader:
    """Recursive descent over tokens; a fault is noted and reading goes on behind it.

    boolean := excluded ((AND | OR) excluded)*      pair := single ((NEAR/n | SENTENCE | ...) single)?
    excluded := pair (NOT pair)*                    single := term | concept | field:single | ( boolean )
    """

    def __init__(self, cut: list[Token], concepts: Concepts, errors: list[QueryError]) -> None:
        self.tokens = cut
        self.concepts = concepts
        self.errors = errors
        self.place = 0
        self.scope: str | None = None

    def query(self) -> Node | None:
        """Read to the end."""
        return self._boolean()

    # ------------------------------------------------------------------------------------------------ tokens

    def _peek(self, ahead: int = 0) -> Token | None:
        return self.tokens[self.place + ahead] if self.place + ahead < len(self.tokens) else None

    def _at(self, *names: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token is not None and token.kind is Kind.OPERATOR and token.value in names

    def _take(self) -> Token:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def _fault(self, column: int, message: str, hint: str | None = None, code: str = "E053") -> None:
        self.errors.append(QueryError(column, message, hint, code=code))

    # --------------------------------------------------------------------------------------------- operators

    def _boolean(self) -> Node | None:
        items = [self._excluded()]
        joined: str | None = None
        while (token := self._peek()) is not None and token.kind is not Kind.CLOSE:
            if self._at("AND", "OR"):
                joined = self._same(joined, self._take())
                if self._at("NOT") and token.value == "AND" and not self._at("NEAR", ahead=1):
                    items[-1] = self._exclude(items[-1])
                    continue
            elif items[-1] is not None and not self._missing_operator(token):
                continue
            items.append(self._excluded())
        return _group(joined, [item for item in items if item is not None])

    def _same(self, joined: str | None, token: Token) -> str:
        if joined not in (None, token.value) and not token.is_virtual:
            self._fault(token.column, "AND and OR mixed", "add parentheses", "E054")
        return joined or token.value

    def _missing_operator(self, token: Token) -> bool:
        """Say what is wrong with a token where an operator should stand; whether it begins an operand."""
        if token.kind is Kind.OPERATOR:
            self._take()
            self._fault(token.column, f"{token.value} has nothing to join here")
            return False
        if token.kind is Kind.WRONG:
            return True
        if token.kind is Kind.WORD and token.value.upper() in tokens.OPERATORS:
            self._take()
            self._fault(token.column, f"operators are capitals: {token.value.upper()}", "quote the word if it is meant")
            return self._begins_operand()
        if token.kind is Kind.WORD and token.value.isupper() and (meant := tokens.meant_operator(token.value)):
            follows = self._peek(1)
            if follows is not None and follows.kind not in (Kind.OPERATOR, Kind.CLOSE):
                self._take()
                self._fault(token.column, f"unknown operator {token.value}", f"did you mean {meant}?", "E052")
                return True
        left, right = self._written(self.place - 1), self._written(self.place)
        hint = (
            "AND or OR?" if any(sign in left + right for sign in '"()') else f'"{left} {right}" in quotes, AND or OR?'
        )
        self._fault(token.column, f"operator missing between {_quoted(left)} and {_quoted(right)}", hint)
        return True

    def _begins_operand(self) -> bool:
        token = self._peek()
        return token is not None and token.kind not in (Kind.OPERATOR, Kind.CLOSE)

    def _written(self, place: int) -> str:
        token = self.tokens[place]
        match token.kind:
            case Kind.PHRASE:
                return f'"{token.value}"'
            case Kind.EXACT:
                return f'="{token.value}"'
            case Kind.CONCEPT:
                return f"~{token.value}"
            case Kind.FIELD:
                return f"{token.value}:"
            case _:
                return token.value

    def _excluded(self) -> Node | None:
        left = self._pair()
        while self._at("NOT") and not self._at("NEAR", ahead=1):
            left = self._exclude(left)
        return left

    def _exclude(self, left: Node | None) -> Node | None:
        self._take()
        right = self._pair()
        if left is None or right is None:
            return left
        return Not(left.left, (*left.right, right)) if isinstance(left, Not) else Not(left, (right,))

    def _pair(self) -> Node | None:
        start = self._peek()
        left = self._single()
        while self._at(*_PAIRS) or (self._at("NOT") and self._at("NEAR", ahead=1)):
            is_negated = self._at("NOT") and self._take() is not None
            token = self._take()
            begin = self._peek()
            right = self._single()
            for node, at in ((left, start), (right, begin)):
                if node is not None and at is not None and not tree.is_group_of_operands(node):
                    self._fault(at.column, f"{token.value} takes terms, phrases, concepts and OR groups", code="E055")
            left = _paired(left, right, token, is_negated=is_negated)
        return left

    # ---------------------------------------------------------------------------------------------- operands

    def _single(self) -> Node | None:
        token = self._peek()
        if token is None or token.kind is Kind.CLOSE or token.kind is Kind.OPERATOR:
            return self._nothing(token)
        self._take()
        match token.kind:
            case Kind.OPEN:
                node = self._boolean()
                self._take()
                return node
            case Kind.CONCEPT:
                return self._concept(token)
            case Kind.FIELD:
                return self._field(token)
            case Kind.WRONG:
                return None
            case _:
                return self._term(token)

    def _nothing(self, token: Token | None) -> Node | None:
        """Name what is missing where an operand should stand."""
        before = self.tokens[self.place - 1] if self.place else None
        end = self.tokens[-1].end
        if token is not None and token.kind is Kind.OPERATOR and token.value == "NOT":
            self._fault(token.column, "nothing positive to find", "write A NOT B", "E056")
            self._take()
            return self._pair() and None
        if token is not None and token.is_virtual and token.kind is Kind.CLOSE:
            return None
        if before is not None and before.kind is Kind.OPERATOR:
            self._fault(token.column if token else end + 1, f"nothing after {before.value}")
            if token is not None and token.kind is Kind.OPERATOR:
                self._take()
                return self._single()
        elif token is not None and token.kind is Kind.OPERATOR:
            self._fault(token.column, f"nothing before {token.value}")
        else:
            self._fault(token.column if token else end + 1, "nothing between parentheses")
        return None

    def _concept(self, token: Token) -> Node | None:
        concept = self.concepts.named(token.value) if token.value else None
        if concept is not None:
            return ConceptRef(concept.name)
        near = nearest(token.value, self.concepts.names)
        hint = f"did you mean ~{near}?" if near else f"known: {', '.join(f'~{name}' for name in self.concepts.names)}"
        self._fault(token.column, "unknown concept", hint, "E052")
        return None

    def _term(self, token: Token) -> Node | None:
        if token.kind is Kind.WORD and token.value.upper() in _BOOLEAN:
            self._fault(token.column, f"operators are capitals: {token.value.upper()}", "quote the word if it is meant")
            return None
        if token.kind is Kind.WORD and token.value[0] in "-+":
            self._fault(token.column, f'"{token.value[0]}" is no operator', "write NOT, AND, or quote the words")
            return None
        written = tokens.canonical(token.value)
        # Faults of a pattern are placed in the text as written, so that is what is read.
        try:
            phrase = patterns.read(token.value, exact=token.kind is Kind.EXACT)
        except PatternError as exc:
            code = "E051" if "closed" in exc.message else "E050"
            self._fault(_within(token) + exc.offset + 1, exc.message, exc.hint, code)
            return None
        quoted = {Kind.PHRASE: '"{}"', Kind.EXACT: '="{}"'}.get(token.kind, "{}")
        return Term(quoted.format(written), phrase)

    # ------------------------------------------------------------------------------------------------ fields

    def _field(self, token: Token) -> Node | None:
        value = self._peek()
        if value is None or value.kind in (Kind.CLOSE, Kind.OPERATOR) or value.start != token.end:
            self._fault(token.end + 1, f"nothing after {token.value}:", code="E052")
            return None
        if token.value in ("title", "text"):
            return self._scoped(token)
        if value.kind not in (Kind.WORD, Kind.PHRASE):
            self._fault(value.column, f"{token.value}: takes one value", f"{token.value}:A OR {token.value}:B", "E052")
            return self._single() and None
        self._take()
        return self._filter(token.value, tokens.canonical(value.value), value.column)

    def _scoped(self, token: Token) -> Node | None:
        if self.scope is not None:
            self._fault(token.column, f"{token.value}: inside {self.scope}:", "one field at a time", "E052")
            return self._single() and None
        self.scope = token.value
        inner = self._single()
        self.scope = None
        return Scoped(token.value, inner) if inner is not None else None

    def _filter(self, kind: str, value: str, column: int) -> Node | None:
        known = filters.read(kind, value, self.concepts)
        if isinstance(known, str):
            return Filter(kind, known)
        self._fault(column, known.message, known.hint, "E052")
        return None


def _within(token: Token) -> int:
    return token.start + {Kind.PHRASE: 1, Kind.EXACT: 2}.get(token.kind, 0)


def _quoted(written: str) -> str:
    return written if '"' in written else f'"{written}"'


def _paired(left: Node | None, right: Node | None, token: Token, *, is_negated: bool) -> Node | None:
    if left is None or right is None:
        return None
    words = tree.DEFAULT_NEAR if token.words is None else token.words
    if is_negated:
        return NotNear(left, right, words)
    if token.value in ("SENTENCE", "PARAGRAPH"):
        return Together(left, right, token.value.lower())
    return Near(left, right, words, ordered=token.value == "BEFORE")


def _group(joined: str | None, items: list[Node]) -> Node | None:
    """One item stands for itself; a group of the same kind inside a group is part of it."""
    if len(items) < 2:
        return items[0] if items else None
    kind = Or if joined == "OR" else And
    flat: list[Node] = []
    for item in items:
        flat.extend(item.items if isinstance(item, kind) else (item,))
    return kind(tuple(flat))
