"""Images as a person reads them: names, and rows of a root, how much belongs to it, and what did not end as it did."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from package_retention.model import Content, Decision, Operation, Outcome, Plan, Result, Step, StepKind
from package_retention.output.summary.blocks import Code
from package_retention.output.summary.tables import Names, changes, member_words, stays
from package_retention.reason import Reason, ReasonCode, ReasonDetail
from package_retention.results import PackageResult
from run_results import ABOUT, APP, NEWEST, SELECTED, delete, met, render, run, version

WITH = Reason(ReasonCode.WITH_IMAGE, subject="v1")
HEX = f"{1:064x}"


def image(*ends: Outcome | Result) -> PackageResult:
    """An image of a root, two children and a signature, each ended as said."""
    versions = [version(1, "v1"), version(2), version(3), version(4, f"sha256-{HEX}.sig")]
    decisions = [Decision(one, True, SELECTED if one.id == 1 else WITH, root=1) for one in versions]
    steps = [replace(delete(one, APP), root=1) for one in versions]
    outcomes = [
        replace(end, step=step) if isinstance(end, Outcome) else Outcome(step, end)
        for step, end in zip(steps, ends, strict=True)
    ]
    return PackageResult(Plan(APP, tuple(decisions), tuple(steps)), tuple(outcomes))


def rows(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.startswith("| `")]


def test_an_image_is_one_row_that_names_its_parts() -> None:
    one = image(*[Result.DONE] * 4)
    known = {2: Content("linux/amd64"), 3: Content("linux/arm64"), 4: Content("cosign signature")}
    one = replace(one, plan=replace(one.plan, contents=known))
    text = render(run(one), ABOUT)
    first, *parts = rows(text)
    assert first == ("| `v1` `sha256:000000000000` with linux/amd64, linux/arm64, cosign signature | 1 day |")
    assert "<strong>1 image deleted</strong>: older than 30 days" in text
    assert not parts


def test_platforms_have_the_same_order_in_every_row_whatever_order_the_list_has() -> None:
    known = {
        1: Content("linux/arm64"),
        2: Content("attestation"),
        3: Content("linux/amd64"),
        4: Content("attestation"),
        5: Content("cosign signature"),
    }
    for ids in ((1, 2, 3, 4, 5), (5, 4, 3, 2, 1)):
        assert member_words(ids, known) == "linux/amd64, linux/arm64, 2 attestations, cosign signature"


def test_a_part_that_ended_otherwise_is_told_with_its_image() -> None:
    failed = Outcome(delete(version(3), APP), Result.FAILED, met("GitHub said 500"))
    text = render(run(image(Result.DONE, Result.DONE, failed, Result.NOT_REACHED)), ABOUT)
    assert "with 3 parts | 1 day | GitHub said 500 |" in text


def test_leftovers_without_their_root_stand_alone() -> None:
    ends = [(replace(delete(version(n), APP), root=9), None) for n in (2, 3)]
    assert len(changes(ends, {})) == 2


def test_tags_that_are_taken_away_are_a_row_of_their_own() -> None:
    one = version(1, "v1", "pr-1")
    ends = [(Step(StepKind.UNTAG, APP, one, tags=("pr-1",), root=1), None)]
    units = changes(ends, {1: Reason(ReasonCode.PARTLY_MATCHED)})
    assert [(unit.tags(), unit.why()) for unit in units] == [((Code("pr-1"),), "")]
    assert units[0].end(Operation.DELETE) == "tags to remove"


def test_what_stays_is_grouped_by_image() -> None:
    needed = Reason(ReasonCode.NEEDED, ReasonDetail.PART, "v1")
    found = [Decision(version(1, "v1"), False, NEWEST, root=1)]
    found += [Decision(version(n), False, needed, root=1) for n in (2, 3)]
    found += [Decision(version(7), False, needed, root=99), Decision(version(8, "v8"), False, NEWEST)]
    assert [(unit.version and unit.version.id, len(unit.members)) for unit in stays(found)] == [
        (1, 2),
        (8, 0),
        (7, 0),
    ]
    text = render(run(PackageResult(Plan(APP, tuple(found)))), ABOUT)
    assert "<strong>2 images (4 versions) stay</strong>: among the newest 3" in text
    assert "<strong>1 image stays</strong>: needed by an image that stays" in text


def test_a_digest_derived_tag_is_no_tag_of_its_own_in_the_order() -> None:
    signature, plain = version(1, f"sha256-{HEX}.sig", days=1), version(2, "v2", days=50)
    found = [Decision(one, False, NEWEST) for one in (signature, plain)]
    assert [unit.version and unit.version.id for unit in stays(found)] == [2, 1]


def test_the_count_of_github_is_told_where_it_differs() -> None:
    of = replace(APP, version_count=9)
    one = Decision(version(1), False, NEWEST)
    assert "1 version listed (GitHub counts 9)." in render(run(PackageResult(Plan(of, (one,)))), ABOUT)
    of = replace(APP, version_count=1)
    assert "1 version listed." in render(run(PackageResult(Plan(of, (one,)))), ABOUT)


# Names


DIGITS = "2aab52919d9d2bef084eb82f7a0fbaefe9fea776287ef8ac673143e37f0fe0cc"


@pytest.mark.parametrize(
    ("tag", "known", "unknown"),
    [
        (f"sha256-{DIGITS}.sig", "signature of v1", "sha256-2aab52919d9d….sig"),
        (f"sha256-{DIGITS}.att", "attestation of v1", "sha256-2aab52919d9d….att"),
        (f"sha256-{DIGITS}.sbom", "SBOM of v1", "sha256-2aab52919d9d….sbom"),
        (f"sha256-{DIGITS}", "referrers of v1", "sha256-2aab52919d9d…"),
        ("v2", "v2", "v2"),
        ("sha256-abc", "sha256-abc", "sha256-abc"),
    ],
)
def test_a_digest_derived_tag_is_said_by_its_subject(tag: str, known: str, unknown: str) -> None:
    subject = Decision(version(1, "v1", "latest", name=f"sha256:{DIGITS}"), False, NEWEST)
    assert Names([subject]).words(tag) == known
    assert Names().words(tag) == unknown


def test_a_signature_of_an_untagged_image_has_a_short_name() -> None:
    subject = Decision(version(1, name=f"sha256:{DIGITS}"), False, NEWEST)
    assert Names([subject]).words(f"sha256-{DIGITS}.sig") == "sha256-2aab52919d9d….sig"


def test_many_tags_are_counted() -> None:
    one = version(1, *(f"t{n}" for n in range(11)))
    line = Names().line(one)
    assert "and 3 more tags " in line
    assert sum(isinstance(piece, Code) for piece in line) == 9
    assert Names().text(one, one.tags).endswith("t7, …, sha256:000000000000")


def test_only_digests_are_cut() -> None:
    assert version(1, name=f"sha256:{DIGITS}").short_name == "sha256:2aab52919d9d"
    assert version(1, name="org.group:artifact-1.0").short_name == "org.group:artifact-1.0"
