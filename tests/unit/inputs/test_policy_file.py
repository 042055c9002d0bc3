"""Policy files: what they mean, and every refusal with its line, its column and the key that was meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from package_retention.decide.durations import Duration
from package_retention.decide.rules import (
    OrderBy,
    PackageRules,
    ReleaseStatus,
    Rule,
    Series,
    TagStatus,
)
from package_retention.errors import InputError
from package_retention.inputs.files import Places
from package_retention.inputs.policy import LARGEST, load, parse
from package_retention.inputs.settings import read_settings
from package_retention.inputs.trees import LONGEST_TEXT, MOST_NODES
from package_retention.inputs.values import Context
from package_retention.model import Damage, PackageType
from package_retention.output.problem_sentences import sentences

if TYPE_CHECKING:
    from pathlib import Path

FILE = ".github/package-retention.yml"
HEAD = "packages:\n- type: container\n  name: app\n"
FULL = """\
packages:
  - type: Container
    name: [app-*, "!app-legacy"]
    keep:                                  # any keep rule that matches wins over every delete rule
      - versions: [stable, v*]
      - min-versions-to-keep: 3
        keep-per: minor
        order-by: version
      - newer-than: 14d
    delete:                                # any one that matches is enough
      - tag-status: untagged
        older-than: 7d
      - versions: |
          pr-*, dev-*   # both
          /^tmp/i
        exclude-versions: pr-1
        package-version-ids: [7, 8]
        version-range: ^1.2
        release-status: pre-release
        remove-damaged: [ghost, orphaned]
        min-versions-to-keep: 2
        keep-per: /^(v\\d+)/
  - type: npm
    name: lib
    delete:
      - versions: '*'
"""


def policy(text: str) -> tuple[PackageRules, ...]:
    return parse(text.encode(), FILE)


def one(rule: str) -> Rule:
    return policy(f"{HEAD}  delete:\n  - {rule}\n")[0].delete[0]


def problems(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        parse(text.encode() if isinstance(text, str) else text, FILE)
    return sentences(caught.value.problems)


def problem(text: str | bytes) -> str:
    found = problems(text)
    assert len(found) == 1, found
    assert found[0].startswith(f"{FILE}:")
    return found[0].removeprefix(f"{FILE}:")


def test_a_whole_policy() -> None:
    images, library = policy(FULL)
    assert (images.type, library.type) == (PackageType.CONTAINER, PackageType.NPM)
    assert images.names.matches("app-x")
    assert not images.names.matches("app-legacy")
    stable, newest, young = images.keep
    assert [entry.text for entry in stable.filter.versions.entries] == ["stable", "v*"]  # type: ignore[union-attr]
    assert (newest.retention.minimum, newest.retention.per) == (3, Series.MINOR)
    assert newest.retention.order_by is OrderBy.VERSION
    assert young.filter.newer_than == Duration.parse("14d")
    untagged, rest = images.delete
    assert (untagged.filter.tag_status, untagged.filter.older_than) == (
        TagStatus.UNTAGGED,
        Duration.parse("7d"),
    )
    assert [e.text for e in rest.filter.versions.entries] == ["pr-*", "dev-*", "/^tmp/i"]  # type: ignore[union-attr]
    assert rest.exclude
    assert rest.exclude.matches("pr-1")
    assert rest.filter.ids == frozenset({7, 8})
    assert rest.filter.version_range
    assert rest.filter.version_range.text == "^1.2"
    assert rest.filter.release_status is ReleaseStatus.PRE_RELEASE
    assert rest.filter.damaged == frozenset({Damage.GHOST, Damage.ORPHANED})
    assert rest.retention.minimum == 2
    assert (images.exclude, images.limit, images.within) == (None, None, None)


def test_rules_are_called_by_their_place_and_file() -> None:
    images, library = policy(FULL)
    assert [rule.name for rule in images.keep] == [f"keep rule {n} of {FILE}" for n in (1, 2, 3)]
    assert [rule.name for rule in images.delete] == [f"delete rule {n} of {FILE}" for n in (1, 2)]
    assert library.delete[0].name == f"delete rule 1 of {FILE}"


@pytest.mark.parametrize(
    "texts", [["1.10", "on", "010"], ["null", "0x1F", "1e3", "2024-01-15", "true", "1_000"]]
)
@pytest.mark.parametrize("form", ["[{}]", "'{}'", "{}"])
def test_every_scalar_is_a_text(texts: list[str], form: str) -> None:
    versions = one("versions: " + form.format(", ".join(texts))).filter.versions
    assert versions
    assert [(entry.body, entry.kind) for entry in versions.entries] == [(text, "literal") for text in texts]
    assert not versions.matches("1.1")


@pytest.mark.parametrize(
    "given",
    ["versions: any", "older-than: None", "order-by: date", "min-versions-to-keep: 0", "keep-per: none"],
)
def test_a_default_is_no_condition(given: str) -> None:
    assert one(f"tag-status: untagged\n    {given}").filter == one("tag-status: untagged").filter


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "  delete:\n  - older-then: 30d\n", "5:5: `older-then` is not a key of a delete rule; did you mean `older-than`?"),
        (HEAD + "  delete:\n  - Versions: a\n", "5:5: `Versions` is not a key of a delete rule; did you mean `versions`?"),
        (HEAD + "  delete:\n  - older_than: 1d\n", "5:5: `older_than` is not a key of a delete rule; did you mean `older-than`?"),
        ("package:\n- type: npm\n", "1:1: `package` is not a key of a policy; did you mean `packages`?"),
        (HEAD + "  deletes:\n  - versions: a\n", "4:3: `deletes` is not a key of a package; did you mean `delete`?"),
        (
            HEAD + "  delete:\n  - versions: a\n    limit: 3\n",
            "6:5: `limit` is not a key of a delete rule; it is an input of the step, and binds all rules together",
        ),
        (
            HEAD + "  delete:\n  - newer-than: 3d\n",
            "5:5: `newer-than` is not a key of a delete rule; it is for keep rules; a delete rule has `older-than`",
        ),
        (
            HEAD + "  delete:\n  - versions: a\n  keep:\n  - exclude-versions: b\n",
            "7:5: `exclude-versions` is not a key of a keep rule; it is for delete rules",
        ),
        (
            HEAD + "  delete:\n  - versions: a\n    deleted-within: 3d\n",
            "6:5: `deleted-within` is not a key of a delete rule; it is for `operation: restore`, which takes no policy file",
        ),
        (
            HEAD + "  package-name: b\n  delete: [{versions: a}]\n",
            "4:3: `package-name` is not a key of a package; write `name`, beside the rules",
        ),
        (HEAD + "  delete:\n  - versions: a\n    versions: b\n", "6:5: `versions` appears twice; the first is in line 5"),
        (
            HEAD + "  delete: [{versions: a}]\n  keep:\n  - older-than: 30d\n    newer-than: 30d\n",
            "6:17: `older-than: 30d` and `newer-than: 30d` never match together",
        ),
        ("packages: []\n", "1:11: `packages` has no entry, or is not a list; it is a list of packages, each with `type`, `name` and `delete`"),
        ("# nothing\n", "1:1: is empty; a policy begins with `packages:`"),
        ("[]", "1:1: a policy is a map with the keys `packages`"),
        (HEAD, "2:3: `delete` is missing; it is a list of rules, each a map like `- versions: pr-*`"),
        (HEAD + "  delete: []\n", "4:11: `delete` has no entry, or is not a list; it is a list of rules, each a map like `- versions: pr-*`"),
        (HEAD + "  delete: [{versions: a}]\n  keep:\n", "6:1: `keep` has no entry, or is not a list; it is a list of rules, each a map like `- versions: pr-*`"),
        (HEAD + "  delete: {versions: a}\n", "4:11: `delete` has no entry, or is not a list; it is a list of rules, each a map like `- versions: pr-*`"),
        (
            "packages:\n- name: app\n  delete: [{versions: a}]\n",
            "2:3: this package has no `type`; say which packages its rules are for",
        ),
        (
            "packages:\n- type: npm\n  delete: [{versions: a}]\n",
            "2:3: this package has no `name`; say which packages its rules are for",
        ),
        (
            HEAD + "  delete:\n  - {}\n",
            "5:5: this delete rule would delete every version; add a condition, like `older-than: 30d`",
        ),
        (
            HEAD + "  delete:\n  - exclude-versions: a\n    older-than: none\n",
            "5:5: this delete rule would delete every version; add a condition, like `older-than: 30d`",
        ),
        (
            HEAD + "  delete: [{versions: a}]\n  keep:\n  - versions: any\n",
            "6:5: this keep rule would keep every version; add a condition, like `older-than: 30d`",
        ),
        (
            HEAD + "  delete: [{versions: a}]\n  keep:\n  - min-versions-to-keep: 0\n",
            "6:27: min-versions-to-keep: keeps nothing with this number; leave it out if every match is to stay",
        ),
        (
            HEAD.replace("container", "npm") + "  delete:\n  - tag-status: untagged\n",
            "5:17: tag-status: is for container and docker packages, not for `package-type: npm`",
        ),
        (
            HEAD + "  delete:\n  - older-than: 30\n",
            "5:17: older-than: `30` has no unit; write days (`30d`), hours (`30h`) or another",
        ),
        (
            HEAD + "  delete:\n  - versions: [a,\n      b$]\n",
            "6:7: versions: `b$` contains `$`, so it looks like a regular expression; write it between slashes: `/b$/`"
            " (a glob uses `*`, `?` and `[…]`)",
        ),
        (
            HEAD + "  delete:\n  - versions: ['a,b']\n",
            "5:16: versions: `a,b` has a comma; in a YAML list, each entry stands alone",
        ),
        (HEAD + "  delete:\n  - versions:\n", "6:1: versions: is empty; leave the key out, or write its value"),
        (HEAD + "  delete:\n  - versions: []\n", "5:15: versions: is an empty list; leave the key out, or name an entry"),
        (
            HEAD + "  delete:\n  - versions: [[ab]*]\n",
            "5:21: is not YAML: while scanning an alias",
        ),
        (
            HEAD + "  delete:\n  - versions: [a, [b]]\n",
            "5:19: versions: has a list where a text belongs (globs with `[…]` go between quotes)",
        ),
        (HEAD + "  delete:\n  - older-than: [1d]\n", "5:17: older-than: takes one value, not a list"),
        (
            HEAD + "  delete:\n  - versions: a\n    keep-per: minor\n",
            "6:15: keep-per: says how `min-versions-to-keep` counts, which is not given; set it to 1 or more",
        ),
        (HEAD.replace("container", "containr") + "  delete: [{versions: a}]\n", "2:9: type: `containr` is not one of "),
    ],
)  # fmt: skip
def test_a_problem_names_line_column_and_the_right_form(text: str, told: str) -> None:
    assert problem(text).startswith(told)


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = "packages:\n- type: nmp\n  name: a$\n  delete:\n  - older-than: 3 m\n  - versoins: a\n  keep: 3\n- {}\n"
    found = problems(text)
    assert [each.split(":")[1] for each in found] == ["2", "3", "5", "6", "7", "8", "8", "8"]
    many = "packages:\n" + "- {}\n" * 400
    assert len(problems(many)) == 51
    assert problems(many)[-1] == f"{FILE}: has 1,150 more problems"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("packages: &a [*a]\n", "1:11: has the anchor `&a`"),
        (HEAD + "  delete: [{versions: *all}]\n", "4:23: `*all` is an alias in YAML"),
        (HEAD + "  delete: [{versions: *}]\n", "4:24: is not YAML: while scanning an alias"),
        (HEAD + "  delete:\n  - versions: !v1*\n", "5:15: has the tag `!v1*`"),
        ("packages: !!python/object/apply:os.system [id]\n", "1:11: has the tag `!!python/object/apply:os.system`"),
        ("packages: !!str x\n", "1:11: has the tag `!!str`"),
        (HEAD + "  <<: {delete: []}\n  delete: [{versions: a}]\n", "4:3: is a merge key"),
        (HEAD + "  ? [a]\n  : b\n  delete: [{versions: a}]\n", "4:5: is a list or map in the place of a key"),
        (HEAD + "  delete: [{versions: a}]\n---\nb: c\n", "5:1: begins a second document"),
        ("%YAML 1.1\n---\n" + HEAD + "  delete: [{versions: a}]\n", "1:1: begins with a directive"),
        (HEAD + "  delete:\n\t- versions: a\n", "5:1: is not YAML"),
        (HEAD + "  delete: [{versions: a\0}]\n", "4:24: has the character U+0000, which YAML does not allow"),
        (HEAD + "  delete: [{versions: a\x1b}]\n", "4:24: has the character U+001B"),
        (HEAD + '  delete: [{versions: "\\UFFFFFFFF"}]\n', "4:11: is not YAML after this place"),
        (HEAD + '  delete: [{versions: "\\U00110000"}]\n', "4:11: is not YAML after this place"),
        (HEAD + '  delete: [{versions: "\\uD800"}]\n', "4:23: versions: `\\ud800` has an invisible character"),
        ("%YAML " + "9" * 5000 + ".1\n---\n", "1:1: is not YAML after this place"),
        (HEAD + "  delete: [{versions: a}\n", "5:1: is not YAML"),
        (HEAD.encode() + b"  # \xff\n", "4:5: is not UTF-8"),
        (HEAD.encode("utf-16"), "1:1: is not UTF-8"),
        ("[" * 100_000, "1:9: is nested too deeply"),
        ("{a: " * 100_000, "1:33: is nested too deeply"),
        ("- " * 100_000, "1:17: is nested too deeply"),
        (HEAD + f"  delete: [{{versions: {'x' * LARGEST}}}]\n", "4:23: is a text of 1,048,576 characters"),
        (HEAD + f"  delete: [{{older-than: {'1' * (LONGEST_TEXT - 1)}d}}]\n", "4:25: older-than: `111"),
        (HEAD + f"  delete: [{{versions: [{'a,' * MOST_NODES}]}}]\n", "4:99998: is more than a policy may hold"),
    ],
)  # fmt: skip
def test_hostile_yaml_is_refused(text: str | bytes, told: str) -> None:
    found = [each.removeprefix(f"{FILE}:") for each in problems(text)]
    assert any(each.startswith(told) for each in found), found
    assert all(len(each) < 400 and each.isprintable() for each in found)


def test_a_billion_laughs_are_refused_at_the_first_one() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert (
        problems("\n".join(lines))[0] == f"{FILE}:1:1: `a0` is not a key of a policy; the keys are `packages`"
    )
    assert any("is an alias" in each for each in problems("\n".join(lines)))


def test_a_byte_order_mark_and_carriage_returns_are_no_matter() -> None:
    assert parse(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode(), FILE)[1].type is PackageType.NPM


def loaded(folder: Path, name: str) -> tuple[PackageRules, ...]:
    return load(folder / name, Context(places=Places(folder)), "")


def test_a_file_of_the_workspace_is_read_and_called_by_its_path_there(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / FILE).write_text(FULL, encoding="utf-8")
    assert loaded(tmp_path, FILE) == parse(FULL.encode(), FILE)


def test_what_is_no_file_of_the_workspace_is_refused(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    (workspace / "folder").mkdir(parents=True)
    (tmp_path / "secret.yml").write_text(FULL, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "p.yml").write_text(FULL, encoding="utf-8")
    (workspace / "link.yml").symlink_to(tmp_path / "secret.yml")
    (workspace / "way").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(workspace / "pipe.yml")
    (workspace / "large.yml").write_bytes(b"#" * (LARGEST + 1))
    (workspace / "most.yml").write_bytes(FULL.encode().ljust(LARGEST, b"#"))
    names = (
        "../secret.yml",
        "link.yml",
        "way/p.yml",
        "pipe.yml",
        "folder",
        "missing.yml",
        "a\0b",
        "large.yml",
    )
    for name in names:
        with pytest.raises(InputError) as caught:
            loaded(workspace, name)
        assert sentences(caught.value.problems)[0].startswith("policy-file: `"), name
    assert loaded(workspace, "most.yml")


def test_the_inputs_take_a_policy_file(tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text(FULL, encoding="utf-8")
    environ = {
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_REPOSITORY": "octo-org/app",
        "GITHUB_REPOSITORY_OWNER": "octo-org",
        "INPUT_TOKEN": "ghp_0123456789abcdef",
        "INPUT_POLICY-FILE": "p.yml",
        "INPUT_EXCLUDE-VERSIONS": "prod",
        "INPUT_LIMIT": "5",
    }
    found = read_settings(environ, tmp_path).rules
    assert [rules.type for rules in found] == [PackageType.CONTAINER, PackageType.NPM]
    assert all(rules.exclude and rules.exclude.matches("prod") and rules.limit == 5 for rules in found)
    (tmp_path / "p.yml").write_text("packages: []", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_settings({**environ, "INPUT_LIMIT": "x"}, tmp_path)
    assert [each.split(" ")[0] for each in sentences(caught.value.problems)] == ["limit:", "p.yml:1:11:"]
