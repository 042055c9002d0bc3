"""Whatever the package and whatever the filter, through the whole action: nothing that stays loses anything."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import shapes
from property.worlds import TAGS
from scene import Scene, scene
from wholeness import named_by, referred_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.stored import StoredVersion

EXAMPLES = settings(max_examples=100, deadline=None)
_HOUR = 3700
_KINDS = (
    "image",
    "image",
    "index",
    "index",
    "index",
    "docker list",
    "attested",
    "referrer",
    "signature",
    "fallback",
    "cache",
    "chart",
)


@dataclass(frozen=True)
class Push:
    """One push; `refs` are places of earlier pushes that it names or refers to, `lost` one that is nowhere."""

    kind: str
    tags: tuple[str, ...]
    hours: int
    refs: tuple[int, ...]
    lost: bool


@st.composite
def recipes(draw: st.DrawFn) -> list[Push]:
    """Draw two to ten pushes; tags move, since a later push may have the tag of an earlier one."""
    return [
        Push(
            draw(st.sampled_from(_KINDS)),
            tuple(draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True))),
            draw(st.integers(0, 3000)),
            tuple(draw(st.lists(st.integers(0, 9), max_size=4, unique=True))),
            draw(st.integers(0, 5)) == 0,
        )
        for _ in range(draw(st.integers(2, 10)))
    ]


def build(made: Scene, recipe: list[Push]) -> None:
    """Push it all into the scene's package, children before what names them."""
    there: list[shapes.Shape] = []
    for number, push in enumerate(recipe):
        seed = f"{made.app.name} {number}"
        named = list(
            {there[r % len(there)].digest: there[r % len(there)] for r in push.refs if there}.values()
        )
        for one, tags in _shapes(push, seed, named):
            made.add(one, *tags, created=push.hours / 24)
            there.append(one)


def _shapes(
    push: Push, seed: str, named: list[shapes.Shape]
) -> Iterator[tuple[shapes.Shape, tuple[str, ...]]]:
    gone = shapes.image(f"{seed} nowhere")
    mark = {"seed": seed}
    if push.kind in ("index", "docker list"):
        entries = [shapes.descriptor(one, "linux/amd64") for one in [*named, *([gone] if push.lost else [])]]
        yield shapes.index(entries, docker=push.kind == "docker list", annotations=mark), push.tags
    elif push.kind == "attested":
        image = shapes.image(seed)
        proof = shapes.attestation(image)
        yield image, ()
        yield proof, ()
        entries = [shapes.descriptor(image, "linux/amd64"), shapes.attestation_descriptor(proof, image)]
        yield shapes.index(entries, annotations=mark), push.tags
    elif push.kind == "referrer":
        yield shapes.referrer(gone if push.lost or not named else named[0], seed), push.tags
    elif push.kind == "signature":
        subject = gone if push.lost or not named else named[0]
        yield (
            shapes.image(f"{seed} signs"),
            (shapes.derived_tag(subject, ("sig", "att", "sbom")[push.hours % 3]),),
        )
    elif push.kind == "fallback" and named:
        found = shapes.index([shapes.descriptor(one) for one in named[1:]], annotations=mark)
        yield found, (shapes.derived_tag(gone if push.lost else named[0]),)
    elif push.kind == "cache":
        yield shapes.cache(seed), push.tags
    elif push.kind == "chart":
        yield shapes.helm_chart(seed), push.tags
    else:
        yield shapes.image(seed), push.tags


FILTERS = ("versions", "tag_status", "older_than", "min_versions_to_keep", "limit", "remove_damaged")
INPUTS: Any = st.fixed_dictionaries(
    {},
    optional={
        "versions": st.sampled_from(("*", "v*", "pr-*", "1.*", "/^[v1]/", "!stable", "latest", "*, latest")),
        "tag_status": st.sampled_from(("tagged", "untagged")),
        "older_than": st.sampled_from(("0s", "30d", "2 months")),
        "exclude_versions": st.sampled_from(("stable", "v1*", "/\\.sig$/")),
        "min_versions_to_keep": st.sampled_from(("1", "2")),
        "limit": st.sampled_from(("1", "2")),
        "remove_damaged": st.sampled_from(("ghost", "ghost,partial", "partial, orphaned")),
        "untag": st.just("true"),
        "delete_package": st.just("when-empty"),
    },
).map(lambda inputs: inputs if set(inputs) & set(FILTERS) else {**inputs, "versions": "*"})


class Street:
    """One embedded GitHub for all examples, each with a package of its own."""

    def __init__(self, made: Scene) -> None:
        self._made = made
        self._numbers = itertools.count()

    def __call__(self, recipe: list[Push]) -> Scene:
        made = self._made
        # An hour later the limits of GitHub are as good as new.
        made.clock.advance(_HOUR)
        made.forget()
        made.ran.clear()
        name = f"app{next(self._numbers)}"
        made.app = made.world.add_package("octo", "container", name, repository="octo/app")
        build(made, recipe)
        return made


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with scene(tmp_path_factory.mktemp("runs")) as made:
        yield Street(made)


def standing(made: Scene) -> dict[str, StoredVersion]:
    return {} if made.app.deleted_at else {version.name: version for version in made.app.active()}


@EXAMPLES
@given(recipe=recipes(), inputs=INPUTS)
def test_a_run_breaks_nothing_leaves_nothing_and_can_be_undone(
    street: Street, recipe: list[Push], inputs: dict[str, Any]
) -> None:
    made = street(recipe)
    before, known = made.state(), set(made.app.versions)
    tags = {version.name: list(version.tags) for version in made.app.active()}

    dry = made.step(**inputs, dry_run="true")
    assert made.state() == before
    assert not made.changes()

    # Nothing that stays lost anything: `delete` looks at that itself.
    ran = made.step(**inputs) if dry.status else made.delete(**inputs, report_file=made.report)
    assert ran.status == dry.status
    assert ran.ids("selected-version-ids") == dry.ids("selected-version-ids")
    if dry.status:
        assert made.state() == before
        return
    gone = known if made.app.deleted_at else known - {version.id for version in made.app.active()}
    assert gone == set(ran.ids("deleted-version-ids")) == set(ran.ids("selected-version-ids"))
    assert {version.id for version in made.app.active()} <= known, "a dummy was left behind"
    for text in left_behind(made, gone, tags):
        pytest.fail(text)

    if not made.app.deleted_at and "limit" not in inputs:
        again = made.delete(**inputs)
        assert again.ids("selected-version-ids") == []
        assert again.number("untagged-count") == 0

    made.restore(from_report=made.report)
    assert made.state() == before
    assert {version.id for version in made.app.active()} == known


def left_behind(made: Scene, gone: set[int], tags: dict[str, list[str]]) -> Iterator[str]:
    """What belonged to deleted images alone, and is there all the same."""
    there = standing(made)
    deleted = {version.name: version for number in gone if (version := made.app.versions[number])}
    named = {child for one in there.values() for child in named_by(one.manifest)}
    was_named = {child for one in deleted.values() for child in named_by(one.manifest)}
    for name, one in there.items():
        subjects = referred_by(one.manifest, tags[name])
        belonged = name in was_named or subjects & deleted.keys()
        needs = any(name in referred_by(other.manifest, tags[n]) for n, other in there.items())
        needed = needs or name in named or subjects & there.keys()
        if belonged and not needed and all(tag.startswith("sha256-") for tag in tags[name]):
            yield f"{name} belonged to what is gone alone"
