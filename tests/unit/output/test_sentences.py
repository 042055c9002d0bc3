"""Every code has a sentence, and no sentence lacks its objects."""

from __future__ import annotations

import re
import string
from enum import StrEnum
from pathlib import Path

import pytest
from msgspec.structs import astuple

from package_retention.decide.source_gone import SourceCause
from package_retention.inputs.rows import Place
from package_retention.inputs.table import INPUTS
from package_retention.model import GitKind
from package_retention.output.sentences import (
    finding_hint,
    finding_words,
    messages,
    own_words,
    reason_words,
    shared_words,
)
from package_retention.reason import Condition, Finding, FindingCode, Reason, ReasonCode, ReasonDetail

SOURCE = Path(__file__).parents[3] / "src" / "package_retention"
CODES = (FindingCode, ReasonCode, ReasonDetail)
CAP = ("45", "images", "50%")


def test_every_code_has_exactly_one_entry() -> None:
    known = {SourceCause.CLOSED, SourceCause.ABSENT, SourceCause.LISTED}
    assert set(messages().reasons) == set(ReasonCode)
    assert set(messages().details) == set(ReasonDetail)
    assert set(messages().findings) == set(FindingCode)
    assert set(messages().things) == set(GitKind)
    assert set(messages().unknown_sources) == set(SourceCause) - known
    of_keep_rules = {"newer-than", "referenced-in", "source-exists"}
    filters = {row.name for row in INPUTS if row.place is Place.FILTER}
    assert set(messages().conditions) == filters | of_keep_rules


@pytest.mark.parametrize("codes", CODES)
def test_every_code_is_used(codes: type[StrEnum]) -> None:
    files = [path for path in SOURCE.rglob("*.py") if path.name not in ("reason.py", "sentences.py")]
    shared = (SOURCE / "reason.py").read_text("utf-8").partition("# Reasons that more than one module")[2]
    code = "\n".join([shared, *(path.read_text("utf-8") for path in files)])
    used = set(re.findall(rf"\b{codes.__name__}\.(\w+)", code))
    assert {one.name for one in codes} - used == set()


def test_every_word_between_braces_is_one_that_is_filled_in() -> None:
    of_conditions = [words for each in messages().conditions.values() for words in astuple(each)]
    for known, texts in (
        ({"value", "age"}, of_conditions),
        ({"text", "name", "thing", "things"}, messages().unknown_sources.values()),
        ({"subject", "number", "per"}, [each.sentence for each in messages().reasons.values()]),
        ({"subject", "number", "per"}, [each.sentence for each in messages().details.values()]),
        (set(), [each.short for each in messages().reasons.values()]),
    ):
        assert {name for text in texts for name in named(text)} <= known


def named(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", FindingCode)
def test_every_finding_has_a_sentence(code: FindingCode) -> None:
    names = ("branch",)
    inner = Finding(FindingCode.TAG_GONE, "v1")
    reason = Reason(ReasonCode.EXCLUDED)
    finding = Finding(code, "v1", 2, names, CAP, reason, "the error", "do this", inner)
    words = finding_words(finding) + finding_hint(finding)
    assert words
    assert not re.search(r"\{\w*\}", words)
    assert finding_words(finding) == finding_words(finding).strip()


def test_at_a_terminal_hints_name_flags_and_names_stay_as_they_are() -> None:
    missing = Finding(FindingCode.ERROR, error="not there", hint="check `package-name`")
    meant = Finding(FindingCode.NAME_MISSPELT, "limit", about=missing)
    assert finding_words(meant) == "not there"
    assert finding_hint(meant) == "Did you mean `limit`? check `package-name`"
    assert finding_hint(meant, by_hand=True) == "Did you mean `limit`? check `--package-name`"
    too_old = Finding(FindingCode.TOO_OLD, "2026-01-01")
    assert finding_hint(too_old) == "Make a new plan with `dry-run: true`."
    assert finding_hint(too_old, by_hand=True) == "Make a new plan with `--dry-run`."


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_has_a_sentence(code: ReasonCode) -> None:
    for detail in (None, *ReasonDetail):
        words = reason_words(
            Reason(code, detail, subject="v1", number=3, rule=(("min-versions-to-keep", "3"),))
        )
        assert words
        assert not re.search(r"\{\w*\}", words)


RULE = (("tag-status", "untagged"), ("older-than", "7 days"))


@pytest.mark.parametrize(
    ("reason", "whole", "shared", "own"),
    [
        (
            Reason(
                ReasonCode.SELECTED,
                rule=RULE,
                facts=(Condition("tag-status", "untagged"),),
            ),
            "untagged",
            "untagged, older than 7 days",
            "",
        ),
        (
            Reason(
                ReasonCode.UNKNOWN, ReasonDetail.EXPIRY, facts=(Condition("expired", "true", holds=None),)
            ),
            "whether it has expired is unknown",
            "whether it has expired is unknown",
            "",
        ),
        (
            Reason(ReasonCode.NEWEST, number=3),
            "among the newest 3",
            "among the newest 3",
            "",
        ),
        (
            Reason(ReasonCode.NEWEST, ReasonDetail.SHARED_PLACE, "1.0", number=3),
            "shares the place of 1.0",
            "among the newest 3",
            "shares the place of 1.0",
        ),
        (
            Reason(ReasonCode.NEEDED, subject="1.0"),
            "needed by 1.0",
            "needed by an image that stays",
            "needed by 1.0",
        ),
        (
            Reason(ReasonCode.KEEP_RULE, rule=(("versions", "v*"),), facts=(Condition("versions", "v*"),)),
            "kept by the policy: matches `v*`",
            "kept by the policy: `v*`",
            "",
        ),
        (
            Reason(ReasonCode.NOT_MATCHED, facts=(Condition("versions", "pr-*", holds=False),)),
            "does not match `pr-*`",
            "does not match `pr-*`",
            "",
        ),
    ],
)
def test_what_rows_share_stands_above_them(reason: Reason, whole: str, shared: str, own: str) -> None:
    assert (reason_words(reason), shared_words(reason), own_words(reason)) == (whole, shared, own)


@pytest.mark.parametrize(
    ("number", "per", "words"),
    [
        (1, "", "the newest"),
        (1, "minor", "the newest of its `minor`"),
        (2, "", "among the newest 2"),
        (10, "", "among the newest 10"),
        (1_000, "", "among the newest 1,000"),
    ],
)
def test_one_newest_has_no_number(number: int, per: str, words: str) -> None:
    rule = (("min-versions-to-keep", str(number)), *((("keep-per", per),) if per else ()))
    assert reason_words(Reason(ReasonCode.NEWEST, number=number, rule=rule)) == words
    selected = reason_words(Reason(ReasonCode.SELECTED, number=number, rule=rule))
    assert selected.startswith("all but the newest")
    assert selected.split()[4:5] != ["1"]
