"""What would be free without some versions: shared layers once, and nothing that what stays refers to."""

from __future__ import annotations

from hypothesis import given, strategies as st

from package_retention.decide.contents import Space, freed
from package_retention.model import Content, Operation, Plan
from package_retention.output.counts import count_run
from package_retention.output.summary.words import headline, space_words
from package_retention.results import PackageResult
from run_results import package, result, run

SIZES = {"base": 700, "app": 50, "docs": 3, "config": 1}
BLOBS = st.frozensets(st.sampled_from(sorted(SIZES)), max_size=4).map(
    lambda found: tuple((digest, SIZES[digest]) for digest in sorted(found))
)


@given(st.dictionaries(st.integers(1, 8), st.none() | BLOBS, max_size=8), st.frozensets(st.integers(1, 8)))
def test_what_is_freed_is_what_the_rest_would_no_longer_hold(
    known: dict[int, tuple[tuple[str, int], ...] | None], going: frozenset[int]
) -> None:
    """Bytes before less bytes after, each layer once."""
    contents = {number: Content(blobs=blobs) for number, blobs in known.items()}
    space = freed(contents, going)
    before = {digest for blobs in known.values() for digest, _ in blobs or ()}
    after = {digest for i, blobs in known.items() if i not in going for digest, _ in blobs or ()}
    assert space.size == sum(SIZES[digest] for digest in before - after)
    assert space.unread == sum(1 for i in going if i in known and known[i] is None)
    if going:
        assert space.exact is (None not in known.values())


def test_words_for_space() -> None:
    assert space_words(Space()) == ""
    assert space_words(Space(1_400_000_000)) == "1.4 GB"
    assert space_words(Space(1_400_000_000, exact=False)) == "about 1.4 GB"
    assert space_words(Space(1_400_000_000, exact=False, unread=2)) == ""


def test_the_headline_counts_images_versions_and_space() -> None:
    one = result(4, goes=2)
    known = {number: Content(blobs=((f"layer {number}", 500_000),)) for number in range(1, 5)}
    plan = Plan(one.plan.package, one.plan.decisions, one.plan.steps, contents=known)
    said = run(PackageResult(plan, one.outcomes))
    assert headline(count_run(said)) == "Deleted 2 of 4 images, 1.0 MB in octo/app (container)"
    assert count_run(said).total.space == Space(1_000_000)
    restored = run(PackageResult(Plan(package())), operation=Operation.RESTORE)
    assert count_run(restored).total.space == Space()
