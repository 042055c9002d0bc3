"""From an environment to settings: every input, at its default, given, and wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from package_retention.decide.durations import Duration
from package_retention.decide.pattern import Pattern
from package_retention.decide.rules import (
    OrderBy,
    PackageRules,
    ReleaseStatus,
    Rule,
    Series,
    Share,
    TagStatus,
)
from package_retention.errors import InputError
from package_retention.inputs.settings import read_settings
from package_retention.model import Damage, Operation, PackageType
from package_retention.output.problem_sentences import sentences
from package_retention.output.sentences import finding_words

if TYPE_CHECKING:
    from package_retention.inputs.settings import Settings

TOKEN = "ghp_0123456789abcdef"
RUNNER = {
    "GITHUB_REPOSITORY_OWNER": "octo-org",
    "GITHUB_REPOSITORY": "octo-org/app",
    "GITHUB_WORKSPACE": "/github/workspace",
    "RUNNER_TEMP": "/github/runner_temp",
    "INPUT_TOKEN": TOKEN,
    "INPUT_PACKAGE-TYPE": "npm",
    "INPUT_PACKAGE-NAME": "lib",
}
ALL = {"versions": "*"}


def environ(given: dict[str, str | None]) -> dict[str, str]:
    """What a runner passes; `None` takes an input away, a name in capitals is a variable of the runner's own."""
    named = {name if name.isupper() else f"INPUT_{name.upper()}": value for name, value in given.items()}
    return {name: value for name, value in {**RUNNER, **named}.items() if value is not None}


def settings(given: dict[str, str | None] | dict[str, str]) -> Settings:
    return read_settings(environ(dict(given)), Path("/somewhere"))


def problems(given: dict[str, str | None] | dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        settings(given)
    return sentences(caught.value.problems)


def rules(given: dict[str, str]) -> PackageRules:
    return settings(given).rules[0]


def rule(given: dict[str, str]) -> Rule:
    return rules(given).delete[0]


def test_defaults() -> None:
    found = settings(ALL)
    assert (found.operation, found.owner, found.token) == (Operation.DELETE, "octo-org", TOKEN)
    assert (found.repository, found.registry_url) == ("octo-org/app", "https://ghcr.io")
    assert (found.api_url, found.server_url) == ("https://api.github.com", "https://github.com")
    assert not any((found.dry_run, found.untag, found.ignore_missing, found.delete_package_when_empty))
    assert (found.time_limit, found.points_per_minute, found.fail_if_more_than) == (3600, 800, None)
    assert (found.report_file, found.from_report, found.findings) == (None, None, ())


def test_the_single_inputs_are_one_rule() -> None:
    found = settings(ALL).rules
    assert len(found) == 1
    assert (found[0].type, found[0].keep, found[0].exclude, found[0].limit) == (
        PackageType.NPM,
        (),
        None,
        None,
    )
    assert [each.name for each in found[0].delete] == ["the inputs"]
    assert found[0].names.literals == ("lib",)


def test_every_condition_is_read() -> None:
    found = rule(
        {
            "package-type": "CONTAINER",
            "versions": "v*\r\n!v1  # the first\r\n",
            "package-version-ids": "12, 13\n14",
            "version-range": "^1.2 || 3.x",
            "release-status": "pre-release",
            "tag-status": "tagged",
            "older-than": " 30d ",
            "remove-damaged": "ghost, orphaned",
        }
    ).filter
    assert found.versions
    assert found.versions.matches("v2")
    assert not found.versions.matches("v1")
    assert found.ids == frozenset({12, 13, 14})
    assert found.version_range
    assert found.version_range.text == "^1.2 || 3.x"
    assert (found.release_status, found.tag_status) == (ReleaseStatus.PRE_RELEASE, TagStatus.TAGGED)
    assert found.older_than == Duration("30d", 0, 30 * 86400)
    assert found.damaged == frozenset({Damage.GHOST, Damage.ORPHANED})
    assert found.deleted_within is None


def test_retention_and_safety_are_read() -> None:
    given = {
        "min-versions-to-keep": "3",
        "keep-per": "minor",
        "order-by": "version",
        "exclude-versions": "1.0.0, 2.*",
        "limit": "10",
        "dry-run": "True",
        "fail-if-more-than": "12.5%",
        "delete-package": "when-empty",
        "if-missing": "ignore",
        "time-limit": "none",
        "points-per-minute": "none",
        "repository": "any",
    }
    found = settings(given)
    retention = rule(given).retention
    assert (retention.minimum, retention.per, retention.order_by) == (3, Series.MINOR, OrderBy.VERSION)
    assert found.rules[0].limit == 10
    assert found.rules[0].exclude
    assert found.rules[0].exclude.matches("2.1")
    assert found.dry_run
    assert found.fail_if_more_than == Share(12.5, percent=True)
    assert found.delete_package_when_empty
    assert found.ignore_missing
    assert (found.time_limit, found.points_per_minute, found.repository) == (None, None, None)


def test_what_is_given_is_kept_for_the_report_without_the_token() -> None:
    found = settings({**ALL, "dry-run": "FALSE", "limit": "5", "owner": "octo-org", "older-than": "None"})
    assert found.given == {"package-type": "npm", "package-name": "lib", "versions": "*", "limit": "5"}
    assert TOKEN not in repr(found)


def test_the_three_examples_of_empty_and_malformed() -> None:
    told = problems({"exclude-versions": "", "older-than": "6m", "versions": "^v1"})
    assert len(told) == 3
    assert any(each.startswith("exclude-versions: evaluated to nothing; write `none`") for each in told)
    assert any(each.startswith("older-than: `6m`") and "`6min` or `6 months`" in each for each in told)
    assert any(each.startswith("versions: `^v1`") and "`/^v1/`" in each for each in told)


def test_all_problems_are_told_in_one_error() -> None:
    told = problems(
        {
            "package-type": "conda",
            "versions": "/(/",
            "older-than": "soon",
            "min-versions-to-keep": "-2",
            "dry-run": "maybe",
        }
    )
    names = sorted(each.split(":")[0] for each in told)
    assert names == ["dry-run", "min-versions-to-keep", "older-than", "package-type", "versions"]
    for value in ("`conda`", "`/(/`", "`soon`", "`-2`", "`maybe`"):
        assert any(value in each for each in told)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"operation": "Delete"}, "operation: `Delete` is not one of `delete`, `restore`, `list`"),
        ({"operation": ""}, "operation: evaluated to nothing"),
        ({"package-type": "conda"}, "package-type: `conda` is not one of `container`"),
        ({"package-type": ""}, "package-type: is missing"),
        ({"package-name": None}, "package-name: is missing"),
        ({"package-name": "# all"}, "package-name: evaluated to nothing"),
        ({"package-name": "/app"}, "package-name: `/app` has a slash at one end only"),
        ({"package-name": "ghcr.io/o/app"}, "package-name: `ghcr.io/o/app` is an image reference"),
        ({"package-name": "any"}, "package-name: `any` cannot stand beside other entries"),
        ({"owner": ""}, "owner: evaluated to nothing"),
        ({"owner": "octo org"}, "owner: `octo org` is not an organization or user"),
        ({"GITHUB_REPOSITORY_OWNER": None}, "owner: is not known here"),
        ({"repository": "app"}, "repository: `app` is not a repository; write `owner/name`, or `any`"),
        ({"token": ""}, "token: evaluated to nothing"),
        ({"token": None}, "token: evaluated to nothing"),
        ({"token": "ghp_abcdef\nghp_ghijkl"}, "token: has blanks or line ends"),
        (
            {"registry-url": "http://ghcr.io"},
            "registry-url: `http://ghcr.io` would send the token unencrypted",
        ),
        (
            {"registry-url": "https://ghcr.io/v2"},
            "registry-url: `https://ghcr.io/v2` is not a URL with `https://` and a host",
        ),
        ({"registry-url": "https://me@ghcr.io"}, "registry-url: `https://me@ghcr.io` is not a URL"),
        ({"registry-url": "ftp://ghcr.io"}, "registry-url: `ftp://ghcr.io` is not a URL"),
        ({"versions": ""}, "versions: evaluated to nothing; write `any`"),
        ({"versions": "v1, any"}, "versions: `any` cannot stand beside other entries"),
        ({"versions": "none"}, "versions: `none` cannot stand beside other entries"),
        ({"versions": "sha256:" + "a" * 64}, "is a digest, which npm packages do not have"),
        ({"versions": '"v1"'}, 'versions: `"v1"` has quotes'),
        ({"exclude-versions": "any"}, "exclude-versions: `any` cannot stand beside other entries"),
        ({"exclude-versions": "# nothing"}, "exclude-versions: evaluated to nothing"),
        ({"package-version-ids": "v1"}, "package-version-ids: `v1` is not an id"),
        ({"package-version-ids": "0"}, "package-version-ids: `0` is not an id"),
        ({"package-version-ids": "PV_abc"}, "package-version-ids: `PV_abc` is a GraphQL id"),
        (
            {"package-version-ids": "[1, 2]"},
            "package-version-ids: `[1, 2]` is JSON; write `${{ join(fromJSON(",
        ),
        ({"package-version-ids": "9" * 5000}, "is not an id of a version"),
        ({"version-range": "not a range"}, "version-range: `not a range`"),
        (
            {"release-status": "stable"},
            "release-status: `stable` is not one of `release`, `pre-release`, `any`",
        ),
        ({"tag-status": "any tag", "package-type": "container"}, "tag-status: `any tag` is not one of"),
        ({"tag-status": "tagged"}, "tag-status: is for container and docker packages"),
        ({"older-than": "30"}, "older-than: `30` has no unit; write days (`30d`)"),
        ({"older-than": "-1d"}, "older-than: `-1d` is negative"),
        ({"min-versions-to-keep": "three"}, "min-versions-to-keep: `three` is not a whole number"),
        ({"min-versions-to-keep": "1.5"}, "min-versions-to-keep: `1.5` is not a whole number"),
        ({"min-versions-to-keep": "\u0663"}, "is not a whole number"),
        (
            {"keep-per": "patch", "min-versions-to-keep": "1"},
            "keep-per: `patch` is neither `major` nor `minor`, nor",
        ),
        ({"keep-per": "/v1/", "min-versions-to-keep": "1"}, "keep-per: `/v1/` has no group"),
        ({"keep-per": "/(/", "min-versions-to-keep": "1"}, "keep-per: `/(/` is not a regular expression"),
        ({"keep-per": "major"}, "keep-per: says how `min-versions-to-keep` counts"),
        (
            {"order-by": "version", "min-versions-to-keep": "-1"},
            "order-by: says how `min-versions-to-keep` counts",
        ),
        (
            {"order-by": "semver", "min-versions-to-keep": "1"},
            "order-by: `semver` is not one of `date`, `version`",
        ),
        ({"limit": "-1"}, "limit: `-1` is not a whole number"),
        ({"dry-run": ""}, "dry-run: evaluated to nothing; write `false`"),
        ({"dry-run": "yes"}, "dry-run: `yes` is neither `true` nor `false`"),
        ({"fail-if-more-than": "101%"}, "fail-if-more-than: `101%` is neither"),
        ({"fail-if-more-than": "half"}, "fail-if-more-than: `half` is neither"),
        ({"delete-package": "always"}, "delete-package: `always` is not one of `never`, `when-empty`"),
        ({"if-missing": "warn"}, "if-missing: `warn` is not one of `fail`, `ignore`"),
        ({"untag": "true"}, "untag: is for container packages, not for `package-type: npm`"),
        ({"untag": "true", "package-type": "docker"}, "untag: is for container packages"),
        ({"remove-damaged": "ghost"}, "remove-damaged: is for container packages"),
        (
            {"remove-damaged": "broken", "package-type": "container"},
            "remove-damaged: `broken` is not one of `ghost`",
        ),
        ({"time-limit": "6 months"}, "time-limit: `6 months` has months or years"),
        ({"time-limit": "0s"}, "time-limit: `0s` leaves no time"),
        ({"time-limit": "60"}, "time-limit: `60` has no unit"),
        ({"points-per-minute": "4"}, "points-per-minute: `4` is not a whole number of at least 5"),
        ({"policy-file": ""}, "policy-file: evaluated to nothing; write `none`"),
        ({"from-report": ""}, "from-report: evaluated to nothing; write `none`"),
        ({"report-file": "../report.json"}, "report-file: `../report.json` has `..` in it"),
        ({"report-file": "a/../b.json"}, "report-file: `a/../b.json` has `..` in it"),
        ({"report-file": "/etc/report.json"}, "report-file: `/etc/report.json` lies outside"),
        ({"report-file": "/github/workspace2/r"}, "report-file: `/github/workspace2/r` lies outside"),
        ({"report-file": "."}, "report-file: `.` is a folder"),
        ({"report-file": "out/"}, "report-file: `out/` is a folder"),
        ({"report-file": "a\nb"}, "report-file: `a\\nb` has a character"),
        ({"from-report": "/etc/passwd"}, "from-report: `/etc/passwd` lies outside"),
        ({"package-nam": "x"}, "`package-nam` is not an input; did you mean `package-name`?"),
        ({"package_name": "x"}, "`package_name` is not an input; did you mean `package-name`?"),
        ({"keep-n": "x"}, "`keep-n` is not an input"),
        ({"qqq": "x"}, "`qqq` is not an input; the inputs are `operation`, "),
    ],
)
def test_one_problem_is_told_alone(given: dict[str, str | None], told: str) -> None:
    found = problems({**ALL, **given})
    assert len(found) == 1, found
    assert told in found[0]


@pytest.mark.parametrize("name", ["INPUT_ARGS", "INPUT_ENTRYPOINT"])
def test_what_the_runner_takes_for_itself_is_no_typo(name: str) -> None:
    assert settings({**ALL, name: "x"})


@pytest.mark.parametrize(
    "name", ["time-limit", "points-per-minute", "report-file", "registry-url", "repository"]
)
def test_what_protects_nothing_may_be_empty(name: str) -> None:
    assert settings({**ALL, name: " \r\n"}) == settings(ALL)


@pytest.mark.parametrize("value", ["true", "True", "TRUE", " true\r\n"])
def test_booleans(value: str) -> None:
    assert settings({**ALL, "dry-run": value}).dry_run


@pytest.mark.parametrize("name", ["container", "docker"])
def test_names_of_images_are_lower_cased(name: str) -> None:
    found = rules({**ALL, "package-type": name, "package-name": "App\r\nTeam/Web-*"}).names
    assert found.matches("app")
    assert found.matches("team/web-1")
    assert rules({**ALL, "package-name": "Lib"}).names.matches("Lib")


@pytest.mark.parametrize(
    ("server", "given", "expected"),
    [
        ("https://github.com", "", "https://ghcr.io"),
        ("https://github.com/", "", "https://ghcr.io"),
        ("https://ghes.example", "", "https://containers.ghes.example"),
        ("https://corp.ghe.com", "", "https://containers.corp.ghe.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:9090/", "http://127.0.0.1:9090"),
        ("http://127.0.0.1:8080", "http://[::1]:9090", "http://[::1]:9090"),
        ("https://ghes.example", "Registry.Example", "https://registry.example"),
    ],
)
def test_the_registry_belongs_to_the_server(server: str, given: str, expected: str) -> None:
    found = settings({**ALL, "GITHUB_SERVER_URL": server, "registry-url": given})
    assert found.registry_url == expected


def test_urls_of_a_server_of_ones_own() -> None:
    found = settings(
        {**ALL, "GITHUB_API_URL": "https://ghes.example/api/v3/", "GITHUB_SERVER_URL": "https://ghes.example"}
    )
    assert (found.api_url, found.server_url) == ("https://ghes.example/api/v3", "https://ghes.example")
    assert not found.on_github_com


def test_more_points_than_github_gives_are_warned_about() -> None:
    (finding,) = settings({**ALL, "points-per-minute": "1000"}).findings
    assert finding_words(finding) == (
        "points-per-minute: 1000 is more than GitHub allows (900): expect refusals"
    )
    assert (
        settings({**ALL, "points-per-minute": "1000", "GITHUB_SERVER_URL": "https://ghes.example"}).findings
        == ()
    )


def test_an_unknown_repository_reaches_nothing_rather_than_everything() -> None:
    gone: dict[str, str | None] = {**ALL, "GITHUB_REPOSITORY": None}
    assert settings(gone).repository == ""
    told = problems({**gone, "package-name": "lib*"})
    assert "`owner/name`, or `any`" in told[0]
    assert settings({**gone, "package-name": "lib*", "repository": "any"}).repository is None


def test_no_problem_shows_the_token() -> None:
    told = problems({"versions": f"{TOKEN} x", TOKEN.lower(): "x", "older-than": TOKEN, "owner": f"{TOKEN}!"})
    assert len(told) >= 3
    assert not any(TOKEN in each for each in told)


@pytest.mark.parametrize("name", ["versions", "package-name", "report-file", "repository"])
def test_a_token_that_strayed_is_refused_and_not_shown(name: str) -> None:
    told = problems({"versions": "v1", name: f"x{TOKEN}"})
    assert f"{name}: contains the token, which belongs only in `token`" in told
    assert not any(TOKEN in each for each in told)


@pytest.mark.parametrize("path", ["report.json", "/github/workspace/report.json", "out/report.json"])
def test_report_files_start_at_the_workspace(path: str) -> None:
    assert settings({**ALL, "report-file": path}).report_file == Path("/github/workspace") / path


def test_the_temporary_folder_is_as_good() -> None:
    path = "/github/runner_temp/report.json"
    assert settings({**ALL, "report-file": path}).report_file == Path(path)


def test_without_a_workspace_paths_start_here() -> None:
    found = settings({**ALL, "GITHUB_WORKSPACE": None, "report-file": "report.json"})
    assert found.report_file == Path("/somewhere/report.json")


def test_every_pattern_of_a_run_draws_on_one_budget_that_fits_the_time_limit() -> None:
    given = {"package-name": "/l/", "versions": "/a/", "exclude-versions": "/b/", "time-limit": "5s"}
    found = rules({**given, "min-versions-to-keep": "1", "keep-per": "/(c)/"})
    patterns = [found.names, found.delete[0].filter.versions, found.exclude]
    entries = [each.entries[0] for each in patterns if each] + [found.delete[0].retention.per]
    budgets = {id(entry.budget) for entry in entries if isinstance(entry, Pattern)}
    assert len(entries) == 4
    assert len(budgets) == 1
    assert isinstance(entries[0], Pattern)
    assert entries[0].budget
    assert entries[0].budget.seconds == 5.0
