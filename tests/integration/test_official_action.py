"""Workflows written for `actions/delete-package-versions`, with nothing but their `uses:` line changed.

Its README's examples run here, and what goes is compared with what its own rules say. The differences that
docs/migrating.md lists are the only ones.
"""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import official_action
from emulator.images import push_image
from emulator.server import EmulatedGitHub
from emulator.steps import ROOT, TOKEN, environment, read_outputs
from emulator.world import World
from package_retention.app import main

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emulator.stored import StoredPackage

EXAMPLES: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "tests" / "data" / "official-action.yml").read_text(encoding="utf-8")
)
NAME = "test-package"
NAMED_ONLY = [
    each for each in EXAMPLES if each["with"].keys() <= {"owner", "package-name", "package-type", "token"}
]
NPM = [each for each in EXAMPLES if each["with"]["package-type"] == "npm" and each not in NAMED_ONLY]
WITH_BUILD = "2.0.1+build.7"


def deleted(world: World, folder: Path, inputs: Mapping[str, str]) -> tuple[int, set[int], str]:
    """Run a step on the world; gives its status, the ids that went, and the log."""
    with EmulatedGitHub(world) as github:
        environ = environment(github, folder, {key: v for key, v in inputs.items() if key != "owner"})
        environ["INPUT_OWNER"] = inputs.get("owner", environ["GITHUB_REPOSITORY_OWNER"])
        log = io.StringIO()
        before = {v.id for package in world.packages for v in package.active()}
        status = main(environ, log)
        after = {v.id for package in world.packages for v in package.active()}
    told = read_outputs(folder / "output")["deleted-version-ids"]
    assert sorted(before - after) == sorted(yaml.safe_load(told))
    return status, before - after, log.getvalue()


def npm(owner: str = "octo", seed: int | None = None) -> tuple[World, StoredPackage]:
    """A package of releases, pre-releases and one release with build metadata; mixed by a seed."""
    names = ["0.9.0", "1.0.0", "1.0.1", WITH_BUILD, "2.0.0", "3.0.0", "3.0.1"]
    names += [
        f"{major}.0.0-{label}.{n}" for major in (1, 2, 3) for label in ("alpha", "rc") for n in range(2)
    ]
    names.sort()
    if seed is not None:
        random.Random(seed).shuffle(names)
    world = World()
    world.add_org(owner)
    world.add_token(TOKEN)
    package = world.add_package(owner, "npm", NAME)
    for number, name in enumerate(names):
        world.add_version(package, name, created=100 - number)
    return world, package


def as_given(example: Mapping[str, Any], package: StoredPackage) -> dict[str, str]:
    """The example's inputs as they reach the action: ids of this world, the secret's value."""
    ids = iter([v.id for v in package.active()][3:])
    inputs = {key: str(value) for key, value in example["with"].items()}
    if "package-version-ids" in inputs:
        inputs["package-version-ids"] = ", ".join(
            str(next(ids)) for _ in inputs["package-version-ids"].split(",")
        )
    if "token" in inputs:
        inputs["token"] = TOKEN
    return inputs


@pytest.mark.parametrize("example", NPM, ids=lambda example: str(example["with"]))
def test_its_examples_delete_here_what_they_delete_there(example: dict[str, Any], tmp_path: Path) -> None:
    world, package = npm(example["with"].get("owner", "octo"))
    inputs = as_given(example, package)
    there = set(official_action.deletes(package.active(), inputs))
    names = {version.id: version.name for version in package.active()}
    status, here, log = deleted(world, tmp_path, inputs)
    assert status == 0, log
    assert there, "an example that deletes nothing shows nothing"
    assert here <= there
    # Releases with build metadata are pre-releases there. Of those that both see, the same number stays.
    if inputs.get("delete-only-pre-release-versions") == "true":
        assert WITH_BUILD not in {names[i] for i in here}
        assert len(there - here) == 1
    else:
        assert here == there


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_order_no_more_goes_here(seed: int, tmp_path: Path) -> None:
    example = NPM[seed % len(NPM)]
    world, package = npm(example["with"].get("owner", "octo"), seed)
    inputs = as_given(example, package)
    there = set(official_action.deletes(package.active(), inputs))
    assert deleted(world, tmp_path, inputs)[1] <= there


@pytest.mark.parametrize("example", NAMED_ONLY, ids=lambda example: str(example["with"]))
def test_a_name_alone_is_refused(example: dict[str, Any], tmp_path: Path) -> None:
    world, package = npm(example["with"].get("owner", "octo"))
    assert len(official_action.deletes(package.active(), as_given(example, package))) == 1
    status, here, log = deleted(world, tmp_path, as_given(example, package))
    assert (status, here) == (1, set())
    assert "no filter: every version would go" in log


def test_a_minimum_of_none_is_refused(tmp_path: Path) -> None:
    world, package = npm()
    inputs = {"package-name": NAME, "package-type": "npm", "min-versions-to-keep": "0"}
    assert len(official_action.deletes(package.active(), inputs)) == len(package.active())
    assert deleted(world, tmp_path, inputs)[:2] == (1, set())


def test_ignored_versions_alone_delete_one(tmp_path: Path) -> None:
    world, package = npm()
    inputs = {"package-name": NAME, "package-type": "npm", "ignore-versions": r"^0\."}
    there = set(official_action.deletes(package.active(), inputs))
    assert deleted(world, tmp_path, inputs)[:2] == (0, there)
    assert len(there) == 1


def test_minus_one_is_not_set(tmp_path: Path) -> None:
    world, package = npm()
    inputs = {
        "package-name": NAME,
        "package-type": "npm",
        "min-versions-to-keep": "-1",
        "num-old-versions-to-delete": "4",
    }
    there = set(official_action.deletes(package.active(), inputs))
    assert deleted(world, tmp_path, inputs)[:2] == (0, there)


def test_backslashes_doubled_between_single_quotes_match_nothing_there_and_here() -> None:
    """Four of the README's examples mean to ignore `1.0.0`, and do not."""
    doubled = [each["with"] for each in EXAMPLES if "\\\\" in each["with"].get("ignore-versions", "")]
    assert len(doubled) == 4
    for inputs in doubled:
        _, package = npm()
        given = {key: str(value) for key, value in inputs.items()}
        without = {key: value for key, value in given.items() if key != "ignore-versions"}
        assert official_action.deletes(package.active(), given) == official_action.deletes(
            package.active(), without
        )


def container() -> tuple[World, StoredPackage, dict[str, tuple[int, ...]]]:
    """Tagged images of two platforms, untagged ones, and one that was pushed an hour ago."""
    world = World()
    world.add_org("octo")
    world.add_token(TOKEN)
    package = world.add_package("octo", "container", NAME)
    images = {}
    for number in range(14):
        images[f"untagged-{number}"] = push_image(world, package, (), created=90 - number).ids
        images[f"v{number}"] = push_image(world, package, (f"v{number}",), created=90 - number).ids
    images["latest"] = push_image(world, package, ("latest",), created=99).ids
    images["young"] = push_image(world, package, (), created=1 / 24).ids
    return world, package, images


def test_its_container_example_tears_images_there_and_none_here(tmp_path: Path) -> None:
    (example,) = (each for each in EXAMPLES if each["with"]["package-type"] == "container")
    world, package, images = container()
    inputs = as_given(example, package)
    there = set(official_action.deletes(package.active(), inputs))
    status, here, log = deleted(world, tmp_path, inputs)
    assert status == 0, log
    whole = {name for name, ids in images.items() if set(ids) <= here}
    torn = {name for name, ids in images.items() if set(ids) & there and name.startswith("v")}
    assert torn, "there, platforms of tagged images are untagged versions"
    # The ten newest of those untagged for a day stay, every tagged one, and what may still be under way.
    assert whole == {f"untagged-{number}" for number in range(4)}
    assert here == {i for name in whole for i in images[name]}


def test_versions_to_keep_are_images_here(tmp_path: Path) -> None:
    world, package, images = container()
    inputs = {"package-name": NAME, "package-type": "container", "min-versions-to-keep": "3"}
    there = official_action.deletes(package.active(), inputs)
    assert set(images["v13"]) & set(there), (
        "there, the newest three versions are not even one image and its tag"
    )
    status, here, log = deleted(world, tmp_path, inputs)
    assert status == 0, log
    stay = {name for name, ids in images.items() if not set(ids) & here}
    newest = {f"{kind}{number}" for kind in ("v", "untagged-") for number in (11, 12, 13)}
    assert stay == newest | {"latest", "young"}
    assert all(set(ids) <= here or not set(ids) & here for ids in images.values())


def test_ignored_versions_look_at_tags_here(tmp_path: Path) -> None:
    world, _, images = container()
    inputs = {
        "package-name": NAME,
        "package-type": "container",
        "min-versions-to-keep": "1",
        "ignore-versions": r"^v\d$",
    }
    _, here, _ = deleted(world, tmp_path, inputs)
    assert not any(set(images[f"v{number}"]) & here for number in range(10))
    assert set(images["v10"]) <= here
