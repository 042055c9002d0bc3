"""Policy files through the whole action: several types and packages in one run, and what a file may not say."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from emulator.faults import Fault, Kind
from emulator.images import push_image
from main_job import Job, job, numbered, shown, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.steps import Ran

FILE = "policy.yml"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def run(made: Job, policy: str, **inputs: Any) -> Ran:
    """Run a step by a policy file alone."""
    (made.folder / FILE).write_text(textwrap.dedent(policy), encoding="utf-8")
    given = {"package_type": None, "package_name": None, "policy_file": FILE} | inputs
    return made.step(**given)


SEVERAL = """\
    packages:
      - type: npm
        name: ["@octo/*", lib, "!@octo/legacy"]
        keep:
          - min-versions-to-keep: 3
        delete:
          - versions: "1.*"
            older-than: 30d
      - type: maven
        name: com.example.app
        delete:
          - release-status: pre-release
            older-than: 30d
      - type: container
        name: app
        keep:
          - versions: [stable]
        delete:
          - versions: pr-*
          - tag-status: untagged
            older-than: 7d
"""


def test_one_file_for_several_types_and_packages(made: Job) -> None:
    listed = [made.filled(f"@octo/{name}") for name in ("one", "two", "legacy")]
    lib = made.filled("lib", count=4, repository="octo/elsewhere")
    made.filled("@octo/foreign", repository="octo/elsewhere")
    jar = made.package("com.example.app", "maven")
    for name in ("1.0", "1.1-SNAPSHOT", "1.1-rc1", "1.1"):
        made.world.add_version(jar, name, created=60)
    app = made.package("app", "container")
    tagged = [push_image(made.world, app, (tag,), created=60) for tag in ("stable", "pr-1", "v1")]
    loose = push_image(made.world, app, (), created=60)
    young = push_image(made.world, app, (), created=3)
    dry = run(made, SEVERAL, dry_run="true")
    assert dry.number("selected-count") == 9 + 9 + 1 + 2 + len(tagged[1].members) + len(loose.members)
    ran = run(made, SEVERAL)
    assert set(ran.ids("deleted-version-ids")) == set(dry.ids("selected-version-ids"))
    assert [texts(one) for one in listed] == [numbered(10, 11, 12)] * 2 + [numbered(*range(1, 13))]
    assert texts(lib) == numbered(2, 3, 4)
    assert texts(jar) == {"1.0", "1.1"}
    assert {one.name for one in app.active()} == {*tagged[0].members, *tagged[2].members, *young.members}
    counts = {one["name"]: one["deleted-count"] for one in json.loads(ran.outputs["packages"])}
    assert counts == {
        "app": len(tagged[1].members) + len(loose.members),
        "com.example.app": 2,
        "@octo/one": 9,
        "@octo/two": 9,
        "lib": 1,
    }
    assert len({path for path in made.asked() if path.endswith("/packages")}) == 1
    page = shown(ran)
    assert all(f"{name} ({kind} of octo)" in page for name, kind in (("lib", "npm"), ("app", "container")))
    assert "kept by the policy: " in page
    assert run(made, SEVERAL).number("selected-count") == 0


def test_one_packages_failure_does_not_stop_the_others_of_a_file(made: Job) -> None:
    one, two = made.filled("@octo/one"), made.filled("lib", roles={"octocat": "write"})
    ran = run(made, SEVERAL, status=1)
    assert texts(one) == numbered(10, 11, 12)
    assert len(two.active()) == 12
    # What the file names plainly and is not there is an error too, unless it may be missing.
    assert "octo/com.example.app (maven)" in ran.log
    two.roles.clear()
    again = run(made, SEVERAL, if_missing="ignore")
    assert texts(two) == numbered(10, 11, 12)
    assert "octo/com.example.app (maven)" in again.log


def test_a_steps_own_words_narrow_a_file(made: Job) -> None:
    one, lib = made.filled("@octo/one"), made.filled("lib")
    run(made, SEVERAL, package_type="npm", package_name="lib", exclude_versions="1.0.1", limit=4)
    assert texts(lib) == numbered(1, *range(6, 13))
    assert len(one.active()) == 12


def test_the_guard_stands_beside_a_file(made: Job) -> None:
    lib, one = made.filled("lib", count=4), made.filled("@octo/one")
    ran = run(made, SEVERAL, status=1, package_type="npm", fail_if_more_than="50%")
    assert len(one.active()) == 12
    assert texts(lib) == numbered(2, 3, 4)
    assert "the plan deletes 9 of 12 versions" in ran.log


@pytest.mark.parametrize(
    ("inputs", "rule"),
    [
        ({"min_versions_to_keep": 3}, "min-versions-to-keep: 3"),
        (
            {"versions": "/[13579]$/", "older_than": "195d"},
            'versions: "/[13579]$/"\n            older-than: 195d',
        ),
        (
            {"version_range": "<1.0.8", "min_versions_to_keep": 2},
            'version-range: "<1.0.8"\n            min-versions-to-keep: 2',
        ),
        (
            {"keep_per": "/(.)$/", "min_versions_to_keep": 1},
            'keep-per: "/(.)$/"\n            min-versions-to-keep: 1',
        ),
    ],
    ids=str,
)
def test_single_inputs_and_their_policy_file_give_the_same_plan(made: Job, inputs: Any, rule: str) -> None:
    made.filled()
    single = made.step(dry_run="true", **inputs)
    policy = f"packages:\n      - type: npm\n        name: lib\n        delete:\n          - {rule}\n"
    ran = run(made, f"    {policy}", dry_run="true")
    assert ran.ids("selected-version-ids") == single.ids("selected-version-ids") != []


def test_scalars_are_texts(made: Job) -> None:
    package = made.package()
    for name in ("1.10", "1.1", "on", "true", "True", "010", "10", "8"):
        made.world.add_version(package, name, created=50)
    policy = """\
        packages:
          - type: npm
            name: lib
            delete:
              - versions: [1.10, on, 010]
        """
    run(made, policy)
    assert texts(package) == {"1.1", "true", "True", "10", "8"}


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("packages: []\n", ("packages", "policy.yml:1:")),
        (
            "packages:\n  - type: npm\n    name: lib\n    delete:\n      - older-then: 30d\n",
            ("policy.yml:5:9", "`older-then`", "`older-than`"),
        ),
        (
            "packages:\n  - type: npm\n    name: lib\n    name: lab\n    delete:\n      - older-than: 30d\n",
            ("policy.yml:4:", "name"),
        ),
        (
            "packages:\n  - type: npm\n    name: lib\n    delete:\n      - older-than: &a 6m\n",
            ("policy.yml:5:",),
        ),
        ("packages:\n  - type: npm\n    name: lib\n    delete:\n      - {}\n", ("policy.yml:5:",)),
    ],
    ids=["empty", "typo", "twice", "anchor", "rule that says nothing"],
)
def test_a_file_that_does_not_fit_is_refused_by_its_place(
    made: Job, policy: str, told: tuple[str, ...]
) -> None:
    made.filled()
    ran = run(made, policy, status=1)
    assert made.world.requests == []
    assert all(word in ran.log for word in told), ran.log


def test_a_files_filter_stands_alone(made: Job) -> None:
    made.filled()
    ran = run(made, SEVERAL, status=1, versions="1.*", min_versions_to_keep=2)
    assert made.world.requests == []
    assert "`versions` and `policy-file`" in ran.log
    assert "`min-versions-to-keep` and `policy-file`" in ran.log


OTHER_NAMES = """\
    packages:
      - type: nuget
        name: {keeper}
        keep:
          - versions: ["*.1", "*.2"]
        delete:
          - versions: nothing
      - type: nuget
        name: {deleter}
        delete:
          - versions: "1.0.*"
"""


@pytest.mark.parametrize(
    ("keeper", "deleter"),
    [
        ("mycompany.lib", "mycompany.lib"),
        ("mycompany.lib", "MyCompany.Lib"),
        ("mycompany.*", "MyCompany.Lib"),
        ("/^mycompany/", "MyCompany.*"),
        ("MYCOMPANY.LIB", "mycompany.lib"),
        ("'@acme/lib'", "'@acme/lib'"),
    ],
)
def test_keep_rules_hold_whatever_github_calls_the_package(made: Job, keeper: str, deleter: str) -> None:
    package = made.filled("MyCompany.Lib", kind="nuget", count=4)
    package.also = frozenset({"mycompany.lib", "MYCOMPANY.LIB", "@acme/lib"})
    run(made, OTHER_NAMES.format(keeper=keeper, deleter=deleter), repository="any", if_missing="ignore")
    assert texts(package) == {"1.0.1", "1.0.2"}


def test_nothing_is_changed_while_a_package_with_keep_rules_cannot_be_asked_for(made: Job) -> None:
    """It may be any of the others by another name."""
    package = made.filled("MyCompany.Lib", kind="nuget", count=4)
    broken = Fault(Kind.SERVER_ERROR, path="/nuget/lib", times=None)
    made.world.faults.add(broken)
    policy = OTHER_NAMES.format(keeper="lib", deleter="MyCompany.Lib")
    ran = run(made, policy, status=1)
    assert len(texts(package)) == 4
    assert "could not be asked for" in ran.log
    made.world.faults.clear()
    run(made, policy, if_missing="ignore")
    assert not texts(package) - {"1.0.4"}


KEEPERS = """\
    packages:
      - type: {kind}
        name: "{keeper}"
        keep:
          - versions: ["1.0.1", "1.0.2"]
        delete:
          - versions: "0.*"
      - type: {kind}
        name: "*"
        delete:
          - versions: "*"
            min-versions-to-keep: 1
"""


@pytest.mark.parametrize(
    ("kind", "name", "also", "keeper"),
    [
        ("nuget", "MyCompany.Lib", "mycompany.lib", "mycompany.lib"),
        ("nuget", "MyCompany.Lib", "mycompany.lib", "mycompany.*"),
        ("nuget", "MyCompany.Lib", "mycompany.lib", "/^mycompany/"),
        ("nuget", "mycompany.lib", "MyCompany.Lib", "MyCompany.*"),
        ("npm", "lib", "@acme/lib", "@acme/lib"),
        ("npm", "lib", "@acme/lib", "Lib"),
    ],
)
def test_a_keep_rule_protects_whatever_spelling_github_answers_with(
    made: Job, kind: str, name: str, also: str, keeper: str
) -> None:
    package = made.filled(name, kind, count=4, also=[also])
    # An entry that finds nothing by its own spelling is an error; what it keeps is kept all the same.
    ran = run(made, KEEPERS.format(kind=kind, keeper=keeper), if_missing="ignore")
    assert texts(package) == numbered(1, 2, 4), ran.log


@pytest.mark.parametrize("dry", ["true", "false"])
def test_nothing_of_a_type_changes_while_an_entry_with_keep_rules_got_no_answer(made: Job, dry: str) -> None:
    package, other = made.filled("lib", count=4, also=["@acme/lib"]), made.filled("other", count=4)
    jar = made.filled("jar", "maven", count=4)
    policy = KEEPERS.format(kind="npm", keeper="@acme/lib") + (
        "      - type: maven\n        name: jar\n        delete:\n          - min-versions-to-keep: 1\n"
    )
    made.world.faults.add(Fault(Kind.SERVER_ERROR, path="/npm/%40acme%2Flib$", times=None))
    ran = run(made, policy, status=1, dry_run=dry)
    assert len(texts(package)) == len(texts(other)) == 4
    assert texts(jar) == (numbered(4) if dry == "false" else numbered(1, 2, 3, 4))
    assert "octo/other (npm) is left as it is" in ran.log
    made.world.faults.clear()
    run(made, policy)
    assert texts(package) == numbered(1, 2, 4)


def test_an_entry_without_keep_rules_that_got_no_answer_stops_no_other_package(made: Job) -> None:
    made.filled("lib", count=4)
    other = made.filled("other", count=4)
    policy = """\
    packages:
      - type: npm
        name: [lib, other]
        delete:
          - min-versions-to-keep: 1
    """
    made.world.faults.add(Fault(Kind.SERVER_ERROR, path="/npm/lib$", times=None))
    run(made, policy, status=1)
    assert texts(other) == numbered(4)
