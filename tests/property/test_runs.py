"""Whatever the package and whatever the filter, through the whole action: nothing that stays loses anything."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings, strategies as st

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
    "attested since",
    "rebuilt",
    "signed twice",
    "misnamed",
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
            draw(st.integers(0, 2)) == 0,
        )
        for _ in range(draw(st.integers(2, 10)))
    ]


def build(made: Scene, recipe: list[Push]) -> None:
    """Push it all into the scene's package, children before what names them."""
    there: list[shapes.Shape] = []
    for number, push in enumerate(recipe):
        seed = f"{made.app.name} {number}"
        named = list(
            {one.digest: one for r in push.refs if there and (one := there[r % len(there)])}.values()
        )
        for one, tags in _shapes(push, seed, named):
            # No age is so near to a limit that it passes it between two steps.
            made.add(one, *tags, created=(push.hours + 0.5) / 24)
            there.append(one)


def _shapes(
    push: Push, seed: str, named: list[shapes.Shape]
) -> Iterator[tuple[shapes.Shape, tuple[str, ...]]]:
    mark, gone = {"seed": seed}, shapes.image(f"{seed} nowhere")
    subject = gone if push.lost or not named else named[0]
    match push.kind:
        case "index" | "docker list":
            entries = [_entry(one) for one in named]
            entries += [shapes.descriptor(gone, "linux/arm64")] if push.lost else []
            yield shapes.index(entries, docker=push.kind == "docker list", annotations=mark), push.tags
        case "attested" | "attested since":
            image = shapes.image(seed)
            proof = shapes.attestation(image, artifact=push.kind == "attested since")
            yield from ((image, ()), (proof, ()))
            yield _attested(image, proof, mark), push.tags
        case "rebuilt":
            # A build from the cache: the platform is there already, and its attestation is a new one.
            found = next((one for one in named if _is_platform(one)), None)
            image = found or shapes.image(seed)
            proof = shapes.attestation(image, seed, artifact=True)
            # A push of what is there adds no version.
            yield from ((image, ()), (proof, ())) if found is None else ((proof, ()),)
            yield _attested(image, proof, mark), push.tags
        case "signed twice":
            first, second = (shapes.bundle(subject, f"{seed} {number}") for number in range(2))
            yield from ((first, ()), (second, ()))
            yield shapes.fallback_index([first]), ()
            yield shapes.fallback_index([second]), (shapes.derived_tag(subject),)
        case "misnamed":
            types = (shapes.OCI_IMAGE, shapes.OCI_INDEX, shapes.OCI_LAYER, "application/vnd.example+json")
            entries = [shapes.described_as(one, types[push.hours % len(types)]) for one in named]
            yield shapes.index(entries, annotations=mark), push.tags
        case "referrer":
            yield shapes.referrer(subject, seed), push.tags
        case "signature":
            suffix = ("sig", "att", "sbom")[push.hours % 3]
            yield shapes.image(f"{seed} signs"), (shapes.derived_tag(subject, suffix),)
        case "fallback":
            entries = [shapes.descriptor(one) for one in named if one is not subject]
            yield shapes.index(entries, annotations=mark), (shapes.derived_tag(subject),)
        case "cache":
            yield shapes.cache(seed), push.tags
        case "chart":
            yield shapes.helm_chart(seed), push.tags
        case _:
            yield shapes.image(seed), push.tags


def _is_platform(one: shapes.Shape) -> bool:
    return one.media_type == shapes.OCI_IMAGE and not referred_by(one.body, ())


def _entry(one: shapes.Shape) -> dict[str, Any]:
    """How an index names a child: a platform has no subject, so what has one is told without a platform."""
    if referred_by(one.body, ()):
        return shapes.fallback_entry(one)
    return shapes.descriptor(one, "linux/amd64")


def _attested(image: shapes.Shape, proof: shapes.Shape, mark: dict[str, str]) -> shapes.Shape:
    entries = [shapes.descriptor(image, "linux/amd64"), shapes.attestation_descriptor(proof, image)]
    return shapes.index(entries, annotations=mark)


def among(*choices: dict[str, str]) -> Any:
    return st.sampled_from(choices)


INPUTS: Any = st.builds(
    lambda main, more: more | main,
    st.one_of(
        st.builds(
            lambda text, untag: {"versions": text} | ({"untag": "true"} if untag else {}),
            st.sampled_from(("*", "v*", "pr-*", "1.*", "/^[v1]/", "!stable", "latest", "*, latest")),
            st.booleans(),
        ),
        among(
            {"tag_status": "tagged"},
            {"tag_status": "untagged"},
            {"tag_status": "untagged", "older_than": "0s"},
        ),
        among({"older_than": "30d"}, {"older_than": "0s"}),
        st.just({"older_than": "0s", "delete_package": "when-empty"}),
        among({"min_versions_to_keep": "1"}, {"min_versions_to_keep": "2"}, {"version_range": ">=1.2.0"}),
        st.sampled_from(("ghost", "ghost, partial", "partial", "orphaned")).map(
            lambda text: {"remove_damaged": text}
        ),
    ),
    among(
        {},
        {},
        {},
        {"limit": "1"},
        {"limit": "2"},
        {"untag": "true"},
        {"min_versions_to_keep": "1"},
        {"exclude_versions": "stable"},
        {"exclude_versions": "v1*, /\\.sig$/"},
        {"delete_package": "when-empty"},
        {"untag": "true", "limit": "2", "exclude_versions": "1.*"},
    ),
)


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


# The run takes a referrer's tag away that held its subject; an index that stays lists the referrer.
_UNTAGGED_REFERRER = [
    Push("image", (), 10, (), lost=False),
    Push("referrer", ("v1",), 9, (0,), lost=False),
    Push("index", ("latest",), 8, (1,), lost=True),
    Push("image", ("v2",), 7, (), lost=False),
]


@EXAMPLES
@given(recipe=recipes(), inputs=INPUTS)
@example(recipe=_UNTAGGED_REFERRER, inputs={"older_than": "0s", "untag": "true"})
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
    assert {version.id for version in made.app.active()} <= known, "a placeholder was left behind"
    for text in left_behind(made, gone, tags):
        pytest.fail(text)

    if not made.app.deleted_at and "limit" not in inputs:
        again = made.delete(**inputs)
        assert again.ids("selected-version-ids") == []
        assert again.number("untagged-count") == 0

    made.restore(from_report=made.report)
    # `latest` is put back only where it is named.
    made.restore(from_report=made.report, versions="latest")
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
        # By the newer fallback index the older ones of the same subject are known for what they are.
        kin = any(subjects & referred_by(other.manifest, ()) for other in there.values())
        fallback = kin and tags[name] and named_by(one.manifest)
        needed = needs or name in named or subjects & there.keys() or fallback
        if belonged and not needed and all(tag.startswith("sha256-") for tag in tags[name]):
            yield f"{name} belonged to what is gone alone"
