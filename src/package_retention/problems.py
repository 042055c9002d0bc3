"""Hold problems of inputs as values: what is wrong with which text, and where it stands.

Nothing here is a sentence: `output.problem_sentences` makes them, so that no code has to look into one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum, auto

from msgspec import Struct


class ProblemCode(StrEnum):
    """What is wrong."""

    # The set of inputs
    UNKNOWN_INPUT = auto()
    EMPTY_INPUT = auto()
    MISSING_TYPE = auto()
    MISSING_NAME = auto()
    NO_FILTER = auto()
    REPORT_WITHOUT_FILTER = auto()
    RESTORE_WITHOUT_FILTER = auto()
    NOT_TAKEN = auto()
    BESIDE_POLICY = auto()
    SAME_MEANING = auto()
    NEVER_TOGETHER = auto()
    SOURCE_GONE_NEEDS = auto()
    EXPIRED_NEEDS = auto()
    NEEDS_MINIMUM = auto()
    OTHER_TYPES = auto()
    NOT_IN_POLICY = auto()
    HOLDS_TOKEN = auto()
    REPOSITORY_NOT_KNOWN = auto()
    SAME_FILE = auto()
    # One value
    NOT_A_LIST = auto()
    NO_ENTRY = auto()
    NOT_ONE_OF = auto()
    NOT_A_COUNT = auto()
    NOT_A_SHARE = auto()
    NOT_A_BOOLEAN = auto()
    NOT_A_SERIES = auto()
    NO_GROUP = auto()
    WORD_IN_LIST = auto()
    DIGEST_NOT_HERE = auto()
    DIGEST_COMPANION = auto()
    NAME_IS_REFERENCE = auto()
    ID_IS_JSON = auto()
    ID_OF_GRAPHQL = auto()
    NOT_AN_ID = auto()
    NEGATED_GLOB = auto()
    LATEST_COMPANION = auto()
    SLASHES_TAKEN_LITERALLY = auto()
    NO_OWNER = auto()
    NOT_AN_OWNER = auto()
    NOT_A_REPOSITORY = auto()
    NOT_A_URL = auto()
    CLEAR_TEXT = auto()
    NO_TIME = auto()
    TOKEN_EMPTY = auto()
    TOKEN_BLANKS = auto()
    TOKEN_CHARACTERS = auto()
    TOKEN_REFRESHES = auto()
    # Durations
    NOT_A_DURATION = auto()
    DURATION_UNIT = auto()
    DURATION_NO_UNIT = auto()
    DURATION_AMBIGUOUS = auto()
    DURATION_NEGATIVE = auto()
    DURATION_ISO = auto()
    DURATION_TOO_LONG = auto()
    DURATION_PART_OF_MONTH = auto()
    DURATION_NOT_FIXED = auto()
    # Patterns
    PATTERN_EMPTY = auto()
    PATTERN_LONG = auto()
    PATTERN_INVISIBLE = auto()
    PATTERN_QUOTES = auto()
    PATTERN_NEGATED_TWICE = auto()
    PATTERN_ONE_SLASH = auto()
    PATTERN_FLAG = auto()
    PATTERN_EXPRESSION = auto()
    PATTERN_COSTLY = auto()
    PATTERN_LIKE_DIGEST = auto()
    PATTERN_NOT_A_DIGEST = auto()
    PATTERN_NOT_A_REFERENCE = auto()
    PATTERN_NAME_AND_VERSION = auto()
    PATTERN_LIKE_RANGE = auto()
    PATTERN_LIKE_EXPRESSION = auto()
    PATTERN_BLANK = auto()
    PATTERN_COMMA = auto()
    PATTERN_COLON = auto()
    PATTERN_BRACKET = auto()
    PATTERN_EMPTY_SET = auto()
    # Ranges of versions
    RANGE_TOO_LONG = auto()
    RANGE_NOT_A_RANGE = auto()
    RANGE_NO_VERSION = auto()
    RANGE_ONE_VERSION = auto()
    RANGE_REVERSED = auto()
    RANGE_OVERLAP = auto()
    RANGE_EMPTY_ALTERNATIVE = auto()
    RANGE_STAR = auto()
    RANGE_TOO_LARGE = auto()
    # Files
    FILE_CHARACTER = auto()
    FILE_PARENT = auto()
    FILE_OUTSIDE = auto()
    FILE_IS_FOLDER = auto()
    FILE_NOT_REGULAR = auto()
    FILE_NOT_A_FOLDER = auto()
    FILE_LINK = auto()
    FILE_HARD_LINK = auto()
    FILE_NO_FOLDER = auto()
    FILE_NOT_THERE = auto()
    FILE_UNREADABLE = auto()
    FILE_TOO_LARGE = auto()
    FILE_NO_TEXT = auto()
    FILE_NOT_PARSED = auto()
    GLOB_OUTSIDE = auto()
    GLOB_UNMATCHED = auto()
    GLOB_IS_FOLDER = auto()
    GLOBS_TOO_MANY = auto()
    GLOBS_TOO_MUCH = auto()
    GLOBS_WITHOUT_REFERENCE = auto()
    # Reports
    EMPTY_REPORT = auto()
    REPORT_TOO_LARGE = auto()
    REPORT_NOT_JSON = auto()
    REPORT_OTHER_SCHEMA = auto()
    REPORT_WITHOUT_HEADER = auto()
    REPORT_OTHER_PACKAGE = auto()
    REPORT_STEP_MISPLACED = auto()
    REPORT_STEP_UNFIT = auto()
    REPORT_NO_STEP = auto()
    REPORT_LINE_UNFIT = auto()
    # Policy files
    NOT_UTF8 = auto()
    NOT_YAML = auto()
    NOT_YAML_STAR = auto()
    NOT_YAML_TAB = auto()
    YAML_ESCAPE = auto()
    YAML_CHARACTER = auto()
    YAML_EMPTY = auto()
    YAML_DIRECTIVE = auto()
    YAML_DOCUMENTS = auto()
    YAML_DEPTH = auto()
    YAML_LONG_TEXT = auto()
    YAML_ANCHOR = auto()
    YAML_ALIAS = auto()
    YAML_TAG = auto()
    YAML_SIZE = auto()
    YAML_KEY = auto()
    YAML_MERGE = auto()
    YAML_DUPLICATE = auto()
    MORE_PROBLEMS = auto()
    NOT_A_MAP = auto()
    UNKNOWN_KEY = auto()
    MISSING_KEY = auto()
    MISSING_LIST = auto()
    NOT_A_FULL_LIST = auto()
    RULE_WITHOUT_CONDITION = auto()
    KEEPS_NOTHING = auto()
    EMPTY_LIST = auto()
    EMPTY_TEXT = auto()
    NOT_A_TEXT = auto()
    POLICY_HAS_NO_TYPE = auto()
    POLICY_REACHES_NOT = auto()


class Position(Struct, frozen=True, order=True):
    """A place in a file; line and column count from 1, 0 is unknown."""

    file: str = ""
    line: int = 0
    column: int = 0


Detail = str | int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of one input, or of several together.

    `input` is the name (or the key of a policy) under which it was given; empty if it is of none. `value` is the text
    that does not fit, of a list the entry. `details` are what else a sentence about it needs, by name.
    """

    code: ProblemCode
    value: str = ""
    input: str = ""
    at: Position | None = None
    details: Mapping[str, Detail] = field(default_factory=dict, hash=False)

    @classmethod
    def about(cls, name: str, code: ProblemCode, value: str = "", **details: Detail) -> Problem:
        """Return a problem of the input with this name."""
        return cls(code, value, name, details=details)

    def of(self, name: str, at: Position | None = None) -> Problem:
        """Return the problem as one of this input."""
        return replace(self, input=name, at=at or self.at)

    def with_texts(self, change: Callable[[str], str]) -> Problem:
        """Return the problem with each text changed that it is about."""

        def changed(detail: Detail) -> Detail:
            if isinstance(detail, tuple):
                return tuple(map(change, detail))
            return change(detail) if isinstance(detail, str) else detail

        details = {name: changed(detail) for name, detail in self.details.items()}
        return replace(self, value=change(self.value), details=details)


class InvalidValueError(ValueError):
    """A text that does not fit; of a list, one problem for each entry."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(f"{problem.code}: {problem.value}" for problem in problems))
        self.problems = problems


def invalid(code: ProblemCode, value: str = "", **details: Detail) -> InvalidValueError:
    """Return the error about one text."""
    return InvalidValueError(Problem(code, value, details=details))
