"""List the inputs: one row holds everything that is said about an input.

The parser, the contradictions, the flags, the keys of a policy file, its JSON Schema, `action.yml` and the tables of
the documentation are made from these rows; `CONTRIBUTING.md` says what else a new input takes.
"""

from __future__ import annotations

from collections.abc import Mapping

from package_retention.inputs import rows, values
from package_retention.inputs.rows import CONTAINER, DELETE, RESTORE, TAGGED, Group, Input, Place, Section
from package_retention.model import Operation

INPUTS: tuple[Input, ...] = (
    # An empty operation or owner would act otherwise, or elsewhere, than was meant.
    rows.what(
        "operation",
        values.operation,
        "`delete`, `restore` or `list`",
        default="delete",
        called="command",
        said={"do-delete": "dry-run: true|false"},
    ),
    rows.package_key(
        "package-type",
        values.package_type,
        "`container`, `docker`, `maven`, `npm`, `nuget` or `rubygems`, in any case. Required, unless a policy file"
        " names it",
        default="",
        attribute="type",
        key="type",
        called="type",
    ),
    rows.package_key(
        "package-name",
        values.names,
        "List of patterns on package names. Required, unless a policy file names it. Container and docker names are"
        " lower-cased",
        default="",
        attribute="names",
        key="name",
        called="image-names image-name package packages container names name",
    ),
    rows.what(
        "owner",
        values.owner,
        "Organization or user that owns the packages; the action finds out which of the two it is",
        default="${{ github.repository_owner }}",
        called="organization org org-name user account",
        said={"account-type is-org": "owner: octo-org"},
    ),
    rows.what(
        "repository",
        values.repository,
        "A wildcard in `package-name` reaches only packages that are linked to this repository; `any`: all packages of"
        " the owner. Plain names are not restricted",
        default="${{ github.repository }}",
        may_be_empty=True,
        said={"expand-packages": "repository: any"},
    ),
    rows.what(
        "token",
        values.token,
        "Token of any kind, with `packages: write` or the scopes that the operation needs. It is masked, never logged,"
        " and sent only to the API and the registry",
        default="${{ github.token }}",
        may_be_empty=True,
        called="github-token pat",
    ),
    rows.package_key(
        "companion-tags",
        values.tag_patterns,
        "List of patterns on tags that say nothing by themselves (`sha-*`). `versions`, `version-range`,"
        " `release-status`, `source-gone` and `keep-per` ignore them beside other tags, and they go with their image."
        " Exclusions, references and keep rules see them as any tag",
        attribute="companions",
        types=TAGGED,
    ),
    rows.what(
        "registry-url",
        values.registry_url,
        "The container registry. By default that of the server: `https://ghcr.io`, or `https://containers.HOST`",
        default="",
    ),
    rows.condition(
        "versions",
        values.patterns,
        "List of patterns on the version's name; for container and docker on tags (an untagged image matches none), and"
        " on digests if they start with `sha256:` or are whole references. An image tagged `latest` is deleted only if"
        " this says `latest` itself, or if its id is given",
        default="any",
        called="image-tags tags tag filter-tags delete-tags",
        said={"tag-regex prune-tags-regexes version-pattern tag-match-regex use-regex": "versions: /REGEX/"},
    ),
    rows.condition(
        "exclude-versions",
        values.patterns,
        "List of patterns: a version (an image: anything in it) with any match is never changed. A pattern that matches"
        " nothing is a warning",
        place=Place.RULE,
        attribute="exclude",
        is_filter=False,
        sections=(Section.DELETE,),
        called="exclude-tags skip-tags keep-tags skip-shas",
        said={"keep-tags-regexes": "exclude-versions: /REGEX/"},
    ),
    rows.condition(
        "package-version-ids",
        values.ids,
        "List of REST ids: only these versions. An id that is not there is a warning",
        attribute="ids",
        called="package-version-id version-ids",
    ),
    rows.condition(
        "version-range",
        values.version_range,
        "A range in the ecosystem's own syntax: npm `^1.2 || 3.x`, maven and nuget `[1.0,2.0)`, rubygems `~> 1.2`;"
        " container tags as SemVer",
        called="semver-pattern",
    ),
    rows.condition(
        "release-status",
        values.release_status,
        "`pre-release` or `release`, by the rules of the ecosystem",
        default="any",
    ),
    rows.condition(
        "tag-status",
        values.tag_status,
        "`tagged` or `untagged` (container, docker)",
        default="any",
        types=TAGGED,
        called="tag-selection",
        said={
            "delete-untagged untagged-only untagged prune-untagged filter-include-untagged": "tag-status: untagged"
        },
    ),
    rows.condition(
        "older-than",
        values.duration,
        "Duration since the later of creation and update: `90s`, `15min`, `36h`, `30d`, `2w`, `6 months`, `1 year`,"
        " `P30D`. Untagged container images younger than 24 h stay unless this is given",
        operations=DELETE,
        called="cut-off keep-younger-than min-age",
        said={"max-age": "older-than: 30d"},
    ),
    rows.condition(
        "deleted-within",
        values.duration,
        "`restore` only: versions that were deleted at most this long ago",
        operations=RESTORE,
        sections=(),
    ),
    rows.deletion(
        "source-gone",
        values.git_kinds,
        "List of `pull-request`, `branch`, `tag`, `release`: what the tag (or version name) is named after is closed or"
        " gone",
        said={"scheme closed-prs": "source-gone: pull-request"},
    ),
    rows.deletion(
        "expired",
        values.truth,
        "`true`: the image says itself, by `quay.expires-after`, that its time is over (container)",
        default="false",
        types=CONTAINER,
    ),
    rows.retention(
        "min-versions-to-keep",
        values.minimum,
        "The newest N of the matching versions stay, per package and group; tagged and untagged images are groups of"
        " their own. `-1`: not set",
        default="0",
        attribute="minimum",
        is_filter=True,
        called="keep-n-most-recent keep-at-least keep-last keep-latest keep",
        said={
            "keep-n-tagged": "min-versions-to-keep: N\ntag-status: tagged",
            "keep-n-untagged": "min-versions-to-keep: N\ntag-status: untagged",
        },
    ),
    rows.retention(
        "keep-per",
        values.series,
        "Smaller groups: `major`, `minor`, or a `/regex/` whose first group names the group",
        attribute="per",
    ),
    rows.retention(
        "order-by",
        values.order_by,
        '`date` or `version`: what "newest" means. What cannot be ordered or grouped stays, and is not counted',
        default="date",
    ),
    Input(
        "limit",
        values.count,
        "At most this many versions (images with all their parts) are changed in a package, oldest first; the next run"
        " continues",
        group=Group.RETENTION,
        place=Place.PACKAGE,
        is_filter=True,
    ),
    rows.safety("dry-run", values.truth, "`true`: plan and report only", "false"),
    rows.deletion_safety(
        "keep-referenced-in",
        values.globs,
        "List of globs of files in the workspace (`deploy/**/*.yaml`): a version that any of these files refers to"
        " stays",
    ),
    rows.deletion_safety(
        "fail-if-more-than",
        values.share,
        "A number, or `N%`, of the package's images (container) or versions; a plan that exceeds it fails before the"
        " first change",
    ),
    rows.deletion_safety(
        "delete-package",
        values.delete_package,
        "`when-empty`: a package of which every version would go is deleted as a whole, unless a new version was added."
        " `never`: what GitHub does not delete (the last version, the last tagged one) stays, with a warning",
        default="never",
        attribute="delete_package_when_empty",
    ),
    rows.safety(
        "if-missing",
        values.if_missing,
        "`fail`, or `ignore`: a package that is not found, or not visible to this token, is a warning",
        default="fail",
        attribute="ignore_missing",
    ),
    rows.deletion_safety(
        "untag",
        values.truth,
        "`true`: an image of which only some tags match, or that something needs, loses its matching tags (container);"
        " otherwise it stays",
        default="false",
        types=CONTAINER,
    ),
    rows.deletion(
        "remove-damaged",
        values.damages,
        "List of `ghost`, `partial`, `orphaned`: images whose children are all gone, or some of them; signatures whose"
        " image is gone (container). One more filter: all filters must match",
        group=Group.SAFETY,
        attribute="damaged",
        types=CONTAINER,
        said={
            "delete-ghost-images": "remove-damaged: ghost",
            "delete-partial-images": "remove-damaged: partial",
            "delete-orphaned-images": "remove-damaged: orphaned",
            "validate": "operation: list\nremove-damaged: ghost, partial, orphaned",
        },
    ),
    rows.running(
        "time-limit",
        values.time_limit,
        "No request or wait starts that would exceed it; the run ends cleanly, and the output `complete` is `false`."
        " `none`: no limit",
        default="60min",
        called="timeout",
    ),
    rows.running(
        "points-per-minute",
        values.points,
        "How many of GitHub's 900 points a minute the run may spend (a read is 1, a change 5); the rest is left to"
        " others. `none`: no pacing",
        default="800",
        called="rate-limit",
    ),
    rows.running(
        "policy-file",
        values.file,
        "YAML file with many rules, in place of the version filter",
        may_be_empty=False,
        place=Place.NONE,
        operations=DELETE,
        is_filter=True,
        called="config config-file",
    ),
    rows.running(
        "report-file",
        values.written_file,
        "JSON report, written as the run goes, inside the workspace or the runner's temporary folder",
    ),
    rows.running(
        "manifest-cache",
        values.written_file,
        "File that carries the manifests of images from run to run, for `actions/cache`. It saves requests and decides"
        " nothing. Its path has the rules of `report-file`",
        called="db-path",
    ),
    rows.running(
        "from-report",
        values.file,
        "Only what that report names: `restore` what it deleted; `delete` what its dry run planned. It narrows what the"
        " other inputs select, and never widens it",
        may_be_empty=False,
        operations=(Operation.DELETE, Operation.RESTORE),
    ),
    rows.official(
        "num-old-versions-to-delete", values.count, "The same as `limit`", is_filter=True, stands_for="limit"
    ),
    rows.official(
        "ignore-versions",
        values.expression,
        "A bare regular expression on names, tags and digests of versions that are never changed; alone, it means"
        " `limit: 1`",
        stands_for="exclude-versions",
    ),
    rows.official_flag("delete-only-untagged-versions", "tag-status", "untagged"),
    rows.official_flag("delete-only-pre-release-versions", "release-status", "pre-release"),
)

KEEP_KEYS: tuple[Input, ...] = (
    rows.keep_key("newer-than", values.duration, "Not yet this old, by the date of `older-than`"),
    rows.keep_key(
        "source-exists",
        values.git_kinds,
        "List of `pull-request`, `branch`, `tag`, `release`: what a tag (or the version name) is named after exists",
    ),
    rows.keep_key(
        "referenced-in", values.globs, "List of globs of files in the workspace that refer to the version"
    ),
)

BY_NAME: Mapping[str, Input] = {each.name: each for each in INPUTS}


def keys_of(section: Section) -> Mapping[str, Input]:
    """Return the keys of one section of a policy file, in the order of the table."""
    return {each.key: each for each in (*INPUTS, *KEEP_KEYS) if section in each.sections}
