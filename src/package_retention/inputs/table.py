"""The table of inputs: one row holds everything that is said about an input.

The parser, the contradictions, the flags, the keys of a policy file, its JSON Schema, `action.yml` and the tables of
the documentation are made from these rows; `CONTRIBUTING.md` says what else a new input takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.inputs import kinds
from package_retention.inputs.rows import (
    CONTAINER,
    DELETE,
    RESTORE,
    TAGGED,
    Input,
    Part,
    Place,
    condition,
    keep_key,
    official,
    retention,
    running,
    safety,
    said,
    same,
    what,
)
from package_retention.model import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUTS: tuple[Input, ...] = (
    # An empty operation or owner would act otherwise, or elsewhere, than was meant.
    what(
        "operation",
        kinds.OPERATION,
        "`delete`, `restore` or `list`",
        default="delete",
        words=same("command") | said("do-delete", "dry-run: true|false"),
    ),
    what(
        "package-type",
        kinds.PACKAGE_TYPE,
        "`container`, `docker`, `maven`, `npm`, `nuget` or `rubygems`, in any case. Required, unless a policy file"
        " names it",
        default="",
        place=Place.PACKAGE,
        attribute="type",
        may_be_empty=True,
        parts=(Part.PACKAGE,),
        key="type",
        words=same("type"),
    ),
    what(
        "package-name",
        kinds.NAMES,
        "List of patterns on package names. Required, unless a policy file names it. Container and docker names are"
        " lower-cased",
        default="",
        place=Place.PACKAGE,
        attribute="names",
        may_be_empty=True,
        parts=(Part.PACKAGE,),
        key="name",
        words=same("image-names image-name package packages container names name"),
    ),
    what(
        "owner",
        kinds.OWNER,
        "Organization or user that owns the packages; the action finds out which of the two it is",
        default="${{ github.repository_owner }}",
        words=same("organization org org-name user account") | said("account-type is-org", "owner: octo-org"),
    ),
    what(
        "repository",
        kinds.REPOSITORY,
        "A wildcard in `package-name` reaches only packages that are linked to this repository; `any`: all packages of"
        " the owner. Plain names are not restricted",
        default="${{ github.repository }}",
        may_be_empty=True,
        words=said("expand-packages", "repository: any"),
    ),
    what(
        "token",
        kinds.TOKEN,
        "Token of any kind, with `packages: write` or the scopes that the operation needs. It is masked, never logged,"
        " and sent only to the API and the registry",
        default="${{ github.token }}",
        may_be_empty=True,
        words=same("github-token pat"),
    ),
    what(
        "companion-tags",
        kinds.TAG_PATTERNS,
        "List of patterns on tags that say nothing by themselves (`sha-*`). `versions`, `version-range`,"
        " `release-status`, `source-gone` and `keep-per` ignore them beside other tags, and they go with their image."
        " Exclusions, references and keep rules see them as any tag",
        place=Place.PACKAGE,
        attribute="companions",
        types=TAGGED,
        parts=(Part.PACKAGE,),
    ),
    what(
        "registry-url",
        kinds.REGISTRY_URL,
        "The container registry. By default that of the server: `https://ghcr.io`, or `https://containers.HOST`",
        default="",
        may_be_empty=True,
    ),
    condition(
        "versions",
        kinds.PATTERNS,
        "List of patterns on the version's name; for container and docker on tags (an untagged image matches none), and"
        " on digests if they start with `sha256:` or are whole references. An image tagged `latest` is deleted only if"
        " this says `latest` itself, or if its id is given",
        default="any",
        words=same("image-tags tags tag filter-tags delete-tags")
        | said("tag-regex prune-tags-regexes version-pattern tag-match-regex use-regex", "versions: /REGEX/"),
    ),
    condition(
        "exclude-versions",
        kinds.PATTERNS,
        "List of patterns: a version (an image: anything in it) with any match is never changed. A pattern that matches"
        " nothing is a warning",
        place=Place.RULE,
        attribute="exclude",
        is_filter=False,
        parts=(Part.DELETE,),
        beside_policy=True,
        words=same("exclude-tags skip-tags keep-tags skip-shas")
        | said("keep-tags-regexes", "exclude-versions: /REGEX/"),
    ),
    condition(
        "package-version-ids",
        kinds.IDS,
        "List of REST ids: only these versions. An id that is not there is a warning",
        attribute="ids",
        words=same("package-version-id version-ids"),
    ),
    condition(
        "version-range",
        kinds.RANGE,
        "A range in the ecosystem's own syntax: npm `^1.2 || 3.x`, maven and nuget `[1.0,2.0)`, rubygems `~> 1.2`;"
        " container tags as SemVer",
        words=same("semver-pattern"),
    ),
    condition(
        "release-status",
        kinds.RELEASE_STATUS,
        "`pre-release` or `release`, by the rules of the ecosystem",
        default="any",
    ),
    condition(
        "tag-status",
        kinds.TAG_STATUS,
        "`tagged` or `untagged` (container, docker)",
        default="any",
        types=TAGGED,
        words=same("tag-selection")
        | said(
            "delete-untagged untagged-only untagged prune-untagged filter-include-untagged",
            "tag-status: untagged",
        ),
    ),
    condition(
        "older-than",
        kinds.DURATION,
        "Duration since the later of creation and update: `90s`, `15min`, `36h`, `30d`, `2w`, `6 months`, `1 year`,"
        " `P30D`. Untagged container images younger than 24 h stay unless this is given",
        operations=DELETE,
        words=same("cut-off keep-younger-than min-age") | said("max-age", "older-than: 30d"),
    ),
    condition(
        "deleted-within",
        kinds.DURATION,
        "`restore` only: versions that were deleted at most this long ago",
        operations=RESTORE,
        parts=(),
    ),
    condition(
        "source-gone",
        kinds.GIT_KINDS,
        "List of `pull-request`, `branch`, `tag`, `release`: what the tag (or version name) is named after is closed or"
        " gone",
        operations=DELETE,
        parts=(Part.DELETE,),
        words=said("scheme closed-prs", "source-gone: pull-request"),
    ),
    condition(
        "expired",
        kinds.TRUTH,
        "`true`: the image says itself, by `quay.expires-after`, that its time is over (container)",
        default="false",
        types=CONTAINER,
        operations=DELETE,
        parts=(Part.DELETE,),
    ),
    retention(
        "min-versions-to-keep",
        kinds.MINIMUM,
        "The newest N of the matching versions stay, per package and group; tagged and untagged images are groups of"
        " their own. `-1`: not set",
        default="0",
        attribute="minimum",
        is_filter=True,
        words=same("keep-n-most-recent keep-at-least keep-last keep-latest keep")
        | said("keep-n-tagged", "min-versions-to-keep: N", "tag-status: tagged")
        | said("keep-n-untagged", "min-versions-to-keep: N", "tag-status: untagged"),
    ),
    retention(
        "keep-per",
        kinds.SERIES,
        "Smaller groups: `major`, `minor`, or a `/regex/` whose first group names the group",
        attribute="per",
    ),
    retention(
        "order-by",
        kinds.ORDER_BY,
        '`date` or `version`: what "newest" means. What cannot be ordered or grouped stays, and is not counted',
        default="date",
    ),
    retention(
        "limit",
        kinds.COUNT,
        "At most this many versions (images with all their parts) are changed in a package, oldest first; the next run"
        " goes on",
        place=Place.PACKAGE,
        operations=tuple(Operation),
        is_filter=True,
        parts=(),
        beside_policy=True,
    ),
    safety("dry-run", kinds.TRUTH, "`true`: plan and report only", "false"),
    safety(
        "keep-referenced-in",
        kinds.GLOBS,
        "List of globs of files in the workspace (`deploy/**/*.yaml`): a version that any of these files refers to"
        " stays",
        operations=DELETE,
    ),
    safety(
        "fail-if-more-than",
        kinds.SHARE,
        "A number, or `N%`, of the package's images (container) or versions; a plan that exceeds it fails before the"
        " first change",
        operations=DELETE,
    ),
    safety(
        "delete-package",
        kinds.DELETE_PACKAGE,
        "`when-empty`: a package of which every version would go is deleted as a whole, unless a new version came."
        " `never`: what GitHub does not delete (the last version, the last tagged one) stays, with a warning",
        default="never",
        attribute="delete_package_when_empty",
        operations=DELETE,
    ),
    safety(
        "if-missing",
        kinds.IF_MISSING,
        "`fail`, or `ignore`: a package that is not found, or not visible to this token, is a warning",
        default="fail",
        attribute="ignore_missing",
    ),
    safety(
        "untag",
        kinds.TRUTH,
        "`true`: an image of which only some tags match, or that something needs, loses its matching tags (container);"
        " otherwise it stays",
        default="false",
        types=CONTAINER,
        operations=DELETE,
    ),
    safety(
        "remove-damaged",
        kinds.DAMAGES,
        "List of `ghost`, `partial`, `orphaned`: images whose children are all gone, or some of them; signatures whose"
        " image is gone (container). One more filter: all filters must match",
        place=Place.FILTER,
        attribute="damaged",
        types=CONTAINER,
        operations=DELETE,
        is_filter=True,
        parts=(Part.DELETE,),
        beside_policy=False,
        words=said("delete-ghost-images", "remove-damaged: ghost")
        | said("delete-partial-images", "remove-damaged: partial")
        | said("delete-orphaned-images", "remove-damaged: orphaned")
        | said("validate", "operation: list", "remove-damaged: ghost, partial, orphaned"),
    ),
    running(
        "time-limit",
        kinds.TIME_LIMIT,
        "No request or wait starts that would exceed it; the run ends cleanly, and the output `complete` is `false`."
        " `none`: no limit",
        default="60min",
        words=same("timeout"),
    ),
    running(
        "points-per-minute",
        kinds.POINTS,
        "How many of GitHub's 900 points a minute the run may spend (a read is 1, a change 5); the rest is left to"
        " others. `none`: no pacing",
        default="800",
        words=same("rate-limit"),
    ),
    running(
        "policy-file",
        kinds.FILE,
        "YAML file with many rules, in place of the version filter",
        may_be_empty=False,
        place=Place.NONE,
        operations=DELETE,
        is_filter=True,
        words=same("config config-file"),
    ),
    running(
        "report-file",
        kinds.WRITTEN_FILE,
        "JSON report, written as the run goes, inside the workspace or the runner's temporary folder",
    ),
    running(
        "manifest-cache",
        kinds.WRITTEN_FILE,
        "File that carries the manifests of images from run to run, for `actions/cache`. It saves requests and decides"
        " nothing. Its path has the rules of `report-file`",
        words=same("db-path"),
    ),
    running(
        "from-report",
        kinds.FILE,
        "Only what that report names: `restore` what it deleted; `delete` what its dry run planned. It narrows what the"
        " other inputs select, and never widens it",
        may_be_empty=False,
        operations=(Operation.DELETE, Operation.RESTORE),
    ),
    official("num-old-versions-to-delete", kinds.COUNT, "The same as `limit`"),
    official(
        "ignore-versions",
        kinds.EXPRESSION,
        "A bare regular expression on names, tags and digests of versions that are never changed; alone, it means"
        " `limit: 1`",
    ),
    official(
        "delete-only-untagged-versions",
        kinds.TRUTH,
        "`true` means `tag-status: untagged`",
    ),
    official(
        "delete-only-pre-release-versions",
        kinds.TRUTH,
        "`true` means `release-status: pre-release`",
    ),
)

# What other actions have and this one does not need, with the reason.
UNNEEDED: Mapping[str, str] = {
    **dict.fromkeys(("log-level", "loglevel", "rust-log"), "debug logging of the job shows the details"),
    "timestamp-to-use": "the later of creation and update always counts",
    "scan-after-cleanup": "changes are verified as they are made",
    "upload-artifacts": "`report-file` names the file to upload",
}

KEEP_KEYS: tuple[Input, ...] = (
    keep_key(
        "newer-than",
        kinds.DURATION,
        "Not yet this old, by the date of `older-than`",
    ),
    keep_key(
        "source-exists",
        kinds.GIT_KINDS,
        "List of `pull-request`, `branch`, `tag`, `release`: what a tag (or the version name) is named after exists",
    ),
    keep_key(
        "referenced-in",
        kinds.GLOBS,
        "List of globs of files in the workspace that refer to the version",
    ),
)

BY_NAME: Mapping[str, Input] = {each.name: each for each in INPUTS}


def keys_of(part: Part) -> Mapping[str, Input]:
    """Return the keys of one part of a policy file, in the order of the table."""
    return {each.key: each for each in (*INPUTS, *KEEP_KEYS) if part in each.parts}
