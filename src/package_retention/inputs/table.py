"""The table of inputs: names, groups and defaults as `action.yml` declares them (a test holds both together)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """The parts that the documentation gives the inputs in."""

    WHAT = "What to work on"
    FILTER = "Which versions"
    RETENTION = "What stays all the same"
    SAFETY = "Safety"
    RUNNING = "Running, and afterwards"
    OFFICIAL = "Words of actions/delete-package-versions"


@dataclass(frozen=True, slots=True)
class Input:
    """One input. `may_be_empty` says whether it may arrive empty, which then means its default."""

    name: str
    group: Group
    default: str = ""
    may_be_empty: bool = False


INPUTS: tuple[Input, ...] = (
    # An empty operation or owner would act otherwise, or elsewhere, than was meant.
    Input("operation", Group.WHAT, "delete"),
    Input("package-type", Group.WHAT, may_be_empty=True),
    Input("package-name", Group.WHAT, may_be_empty=True),
    Input("owner", Group.WHAT, "${{ github.repository_owner }}"),
    Input("repository", Group.WHAT, "${{ github.repository }}", may_be_empty=True),
    Input("token", Group.WHAT, "${{ github.token }}", may_be_empty=True),
    Input("registry-url", Group.WHAT, may_be_empty=True),
    Input("versions", Group.FILTER, "any"),
    Input("exclude-versions", Group.FILTER, "none"),
    Input("package-version-ids", Group.FILTER, "none"),
    Input("version-range", Group.FILTER, "none"),
    Input("release-status", Group.FILTER, "any"),
    Input("tag-status", Group.FILTER, "any"),
    Input("older-than", Group.FILTER, "none"),
    Input("deleted-within", Group.FILTER, "none"),
    Input("min-versions-to-keep", Group.RETENTION, "0"),
    Input("keep-per", Group.RETENTION, "none"),
    Input("order-by", Group.RETENTION, "date"),
    Input("limit", Group.RETENTION, "none"),
    Input("dry-run", Group.SAFETY, "false"),
    Input("fail-if-more-than", Group.SAFETY, "none"),
    Input("delete-package", Group.SAFETY, "never"),
    Input("if-missing", Group.SAFETY, "fail"),
    Input("untag", Group.SAFETY, "false"),
    Input("remove-damaged", Group.SAFETY, "none"),
    Input("time-limit", Group.RUNNING, "60min", may_be_empty=True),
    Input("points-per-minute", Group.RUNNING, "720", may_be_empty=True),
    Input("policy-file", Group.RUNNING, "none"),
    Input("report-file", Group.RUNNING, "none", may_be_empty=True),
    Input("from-report", Group.RUNNING, "none"),
    Input("num-old-versions-to-delete", Group.OFFICIAL, "none"),
    Input("ignore-versions", Group.OFFICIAL, "none"),
    Input("delete-only-untagged-versions", Group.OFFICIAL, "none"),
    Input("delete-only-pre-release-versions", Group.OFFICIAL, "none"),
)

BY_NAME = {each.name: each for each in INPUTS}
