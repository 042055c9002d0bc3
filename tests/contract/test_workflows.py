"""What the project's own workflows must not lose: each line was missing, or wrong, in a workflow that looked right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from release.fork import ROOT
from workflows import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def scripts(job: Mapping[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job.get("steps", ()))


def jobs() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield f"{path.name} {name}", job


def test_a_job_that_asks_for_attestations_has_a_builder_that_writes_them() -> None:
    """The default builder refuses; the image of the other is pinned by digest, and so is what writes the SBOM."""
    building = {name: scripts(job) for name, job in jobs() if "buildx build" in scripts(job)}
    assert building.keys() == {"release.yml build", "live.yml live"}
    for script in building.values():
        made = script.index('buildx create --use --driver docker-container --driver-opt "image=$builder"')
        assert script.index("builder=$(python3 scripts/release.py pinned builder)") < made
        assert made < script.index("buildx build")
        assert "--sbom" not in script
        assert ("type=sbom" in script) == ('type=sbom,generator=$scanner"' in script)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_format_prints_a_table_in_place_of_a_digest(path: Any) -> None:
    """`imagetools inspect` takes a format that begins with `{{.Manifest` for its own table."""
    assert "'{{.Manifest" not in path.read_text("utf-8")


def test_everything_of_a_release_is_of_the_commit_that_was_tested() -> None:
    release = load(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    for name, job in release.items():
        (checkout,) = (
            step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")
        )
        assert checkout.get("ref") == (None if name == "check" else "${{ needs.check.outputs.commit }}")
    assert [name for name, job in release.items() if "environment" in job] == ["hold"]
    assert release["publish"]["permissions"]["artifact-metadata"] == "write"
    steps = [str(step.get("run", step.get("uses"))) for step in release["publish"]["steps"]]
    pulled, attested, tagged = (
        next(place for place, step in enumerate(steps) if words in step)
        for words in ("publish pull", "actions/attest@", "publish tag")
    )
    assert pulled < attested < tagged


def test_the_organizations_workflow_runs_its_own_commit() -> None:
    text = (ROOT / ".github" / "workflows" / "organization.yml").read_text("utf-8")
    own = [
        step["uses"]
        for job in yaml.safe_load(text)["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]
    assert [uses for uses in own if not uses.startswith("actions/")] == [
        "$/",
        "$/.github/actions/organization-jobs",
        "$/",
        "$/.github/actions/organization-jobs",
        "$/",
    ]


def test_every_test_that_needs_an_image_lies_where_make_looks_for_it() -> None:
    """`make test` leaves them out by their mark, and `make test-image` reads one folder alone."""
    mark = f"pytest.mark.{'image'}"
    tests = (ROOT / "tests").rglob("test_*.py")
    assert {path.parent.name for path in tests if mark in path.read_text("utf-8")} == {"image"}
