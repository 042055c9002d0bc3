"""The sentences of findings: what a person must know beside decisions, and what to do about it."""

from __future__ import annotations

from package_retention.decide.git_names import GitKind, UnlistedCause
from package_retention.escaping import counted
from package_retention.model import Outcome
from package_retention.output.sentences import plural_of, reason_words
from package_retention.reason import Finding, FindingCode

_FINDINGS: dict[FindingCode, str] = {
    FindingCode.EXCLUSION_UNMATCHED: "`exclude-versions` entry {subject} matched nothing",
    FindingCode.ID_ABSENT: "there is no version with the id {number}",
    FindingCode.ID_IS_PART: "the id {number} is part of {subject}, and goes with it alone",
    FindingCode.GIT_UNLISTED: "{unlisted}",
    FindingCode.NO_REPOSITORY: (
        "it is linked to no repository, and `repository: any` names none, so what its tags are named after is unknown: "
        "nothing counts as gone, and keep rules keep it"
    ),
    FindingCode.REFERENCED_BY_NAME: (
        "{names}{more} name the package without a tag that can be known: every tagged version stays"
    ),
    FindingCode.REFERENCES_UNLISTED: "{names}{more} refer to versions that are not listed",
    FindingCode.NOT_REFERENCED: "no file of {subject} names the package",
    FindingCode.READ_AS_TEXT: "{subject}{more} is a template, with expressions in double braces: it was read as text, not as YAML or JSON",
    FindingCode.CONFIG_UNREAD: (
        "the config {subject} could not be read: {error}{more}. Whether its image has expired is unknown, so it stays"
    ),
    FindingCode.EXPIRY_INVALID: (
        "{subject}{more} says `quay.expires-after={names}`, which is no duration such as `2w`: it does not expire"
    ),
    FindingCode.LAST_VERSION_STAYS: (
        "every version would go, and GitHub refuses to delete the last: {subject} stays. "
        "`delete-package: when-empty` deletes such a package whole"
    ),
    FindingCode.LAST_TAGGED_STAYS: (
        "every tagged version would go, and GitHub refuses to delete the last: {subject} stays. "
        "`delete-package: when-empty` deletes such a package whole"
    ),
    FindingCode.LAST_TAG_STAYS: (
        "no tag would be left, and GitHub refuses to delete the last tagged version, so {subject} keeps its tags"
    ),
    FindingCode.INDEX_LOST: (
        "{subject}: the registry has no manifest for it, so what it needs is unknown: untagged images stay"
    ),
    FindingCode.MANIFESTS_LOST: (
        "{number:,} untagged versions have no manifest in the registry: they count as images without parts"
    ),
    FindingCode.MANIFEST_UNREAD: (
        "the manifest of {subject} could not be read: {error}{more}. What it needs is unknown, so nothing in the "
        "package is changed"
    ),
    FindingCode.REPORT_SILENT: "the report does not mention this package, so nothing in it is changed",
    FindingCode.GONE_ALREADY: "{subject} was in the report's plan and is gone already",
    FindingCode.TAGS_DIFFER: "{subject} stays: its tags differ from the report's ({names} then, {others} now)",
    FindingCode.STAYS_AFTER_ALL: "{subject} was in the report's plan and stays: {reason}",
    FindingCode.THERE_AGAIN: "{subject} exists again already",
    FindingCode.STAYS_DELETED: "{subject} stays deleted: {reason}",
    FindingCode.NOT_RESTORABLE: (
        "{subject} cannot be restored: GitHub does not list it among the deleted versions (its 30 days are over, or "
        "the package was deleted and made anew)"
    ),
    FindingCode.MORE_DIFFER: "{number:,} more differ from the report in such ways",
    FindingCode.ID_NOT_DELETED: "version {number} is not deleted",
    FindingCode.ID_NOT_AMONG_DELETED: "version {number} is not among the deleted versions",
    FindingCode.LATEST_NOT_NAMED: "the tag latest is not put back: only `versions: latest` or the id does that",
    FindingCode.TAG_ELSEWHERE: "the tag {subject} is on another image now: it stays there",
    FindingCode.TAG_CLAIMED_TWICE: "the tag {subject} is not put back: the report has it on more than one version",
    FindingCode.TAGS_LOST: "{subject} came back without its tags ({names}): push them again",
    FindingCode.PARTS_DELETED: (
        "what came back also needs {number:,} deleted version(s), which the run of the report did not delete: restore "
        "them with `package-version-ids: {names}` if they should come back too"
    ),
    FindingCode.REFERRERS_UNFOUND: (
        "{number:,} more deleted version(s) have no tag; any of them that refers to a restored image by its manifest's "
        "`subject` alone (a signature, an attestation) cannot be found here and may be missing: the report of the run "
        "that deleted it has it (`from-report`)"
    ),
    FindingCode.NOT_LISTED: "{subject} could not be listed: {error} {hint}",
    FindingCode.WOULD_BE_REFUSED: "a deletion would be refused: {about}",
    FindingCode.POINTS_OVER_LIMIT: (
        "points-per-minute: {number} is more than GitHub allows ({names}): expect refusals"
    ),
    FindingCode.NOT_LOOKED_AT: "not looked at: the run ended before",
    FindingCode.MISSING: "{error} {hint}",
    FindingCode.NOT_WHOLE: "{reason}",
    FindingCode.ENDED_UNPLANNED: "the run ended before its plan was made: {error}{next}",
    FindingCode.ENDED_EARLY: "the run ended before its plan was done: {error}. {remaining}{next}",
    FindingCode.ENDED_FAILING: "{about}, and requests were failing then",
    FindingCode.ENDED_FRUITLESS: (
        "{about}. This run used up an hour's requests and changed nothing, and the next would do the same: a personal "
        "access token (classic) has 5,000 requests an hour, and fewer packages in one run need fewer"
    ),
    FindingCode.OVER_CAP: (
        "{subject}: the plan deletes {number:,} of {of} {what}, and `fail-if-more-than` is {share}: nothing was "
        "changed. It would delete {names}"
    ),
    FindingCode.MOSTLY_ORPHANS: (
        "{subject}: {number:,} of {names} images are signatures or attestations without their image: it most likely "
        "lives in another package, so `orphaned` would delete what still signs it"
    ),
    FindingCode.OTHER_SERVER: "from-report: the report was made on {subject}, and this step works on {others}",
    FindingCode.OTHER_OWNER: (
        "from-report: the report is about packages of {subject}, and this step is about those of {others}"
    ),
    FindingCode.OTHER_OPERATION: (
        "from-report: the report is that of the operation {subject}, and only a deletion can be applied or undone"
    ),
    FindingCode.OF_DRY_RUN: (
        "from-report: the report is that of a dry run: nothing was deleted that could be restored"
    ),
    FindingCode.TOO_OLD: (
        "from-report: the report was written on {subject}: a plan older than seven days is not applied"
    ),
    FindingCode.OTHER_PACKAGES: "from-report: the report is about {names}, and this step is about {others}",
    FindingCode.RULES_UNASKED: (
        "{subject} is left as it is: the policy's keep rules for {names} may be for it, and that package could not be "
        "asked for ({error})"
    ),
    FindingCode.UNLINKED: (
        "{subject} is not linked to {names}, and the policy file names it by a wildcard alone, which reaches only "
        "linked packages"
    ),
    FindingCode.NAMES_REACH_NOTHING: "`package-name` {names} reached no {subject}{linked}",
    FindingCode.GONE_WHOLE: (
        "{error} If {subject} was deleted whole, its versions cannot be listed, so no filter can choose among them"
    ),
    FindingCode.NO_DELETED_LIST: (
        "{subject}: GitHub documents no list of deleted versions for packages of another user, and returned none here, so "
        "no filter can choose among them"
    ),
    FindingCode.VERSIONS_UNKNOWN: "the package is back, but which versions came with it is not known: {error}",
    FindingCode.CAME_BACK_UNREAD: (
        "{subject} came back, but its manifest could not be read ({error}): restore what it names by id"
    ),
    FindingCode.CAME_BACK_ABSENT: (
        "{subject} came back, but the registry does not have its manifest (yet): restore what it names by id"
    ),
    FindingCode.REFERRERS_UNKNOWN: "{subject} came back; {error}",
    FindingCode.TAG_UNREADABLE: "{subject} could not be looked at before it was moved ({error})",
    FindingCode.TAG_GONE: "the tag {subject} is not there any more",
    FindingCode.TAG_STILL_THERE: "{error}; {subject} is still on its image",
    FindingCode.TAG_LOST: "{error}; and {subject} could not be put back ({others})",
    FindingCode.TAG_PUT_BACK: "{error}; {subject} was put back",
    FindingCode.TAG_PUSHED: "{error}; {subject} was pushed to another image meanwhile and stays there",
    FindingCode.IMAGE_UNREAD: "the image {names} could not be read, so {subject} was not put back",
    FindingCode.PLACEHOLDER_LEFT: "{subject} was put back, and the empty version {names} that held it is left",
}

_OTHER_REPORT = "Name the report of a run on the same host, owner and packages."
_HINTS: dict[FindingCode, str] = {
    FindingCode.OVER_CAP: (
        "If the plan is right, raise `fail-if-more-than`, or use `limit` to delete a few at a time."
    ),
    FindingCode.MOSTLY_ORPHANS: "Take `orphaned` out of `remove-damaged` for this package.",
    FindingCode.OTHER_SERVER: _OTHER_REPORT,
    FindingCode.OTHER_OWNER: _OTHER_REPORT,
    FindingCode.OTHER_OPERATION: _OTHER_REPORT,
    FindingCode.OF_DRY_RUN: _OTHER_REPORT,
    FindingCode.TOO_OLD: "Make a new plan with `dry-run: true`.",
    FindingCode.OTHER_PACKAGES: _OTHER_REPORT,
    FindingCode.UNLINKED: "Name it without wildcards in the policy file, or set `repository: any`.",
    FindingCode.GONE_WHOLE: (
        "Restore it whole with `versions: '*'` and no other filter; then delete what is not wanted."
    ),
    FindingCode.NO_DELETED_LIST: (
        "Name the versions with `package-version-ids`, restore from a report, or use a token of the owner."
    ),
    FindingCode.RULES_UNASKED: "{hint}",
    FindingCode.TAG_LOST: "Push {subject} again from {names}, or restore from the report of this run.",
    FindingCode.PLACEHOLDER_LEFT: "Delete it by hand ({error}).",
}
_PLACEHOLDER = "Look for the empty version {names}, and delete it by hand ({others})."
_LINKED = " that is linked to {}; `repository: any` reaches those that are linked elsewhere, or to none"
_MOST_NAMES = 10


def finding_words(finding: Finding | str) -> str:
    """Say a finding in one sentence, without a full stop."""
    if isinstance(finding, str):
        return finding
    return _FINDINGS[finding.code].format(**_words(finding)).strip()


def finding_hint(finding: Finding | str) -> str:
    """Say what to do about a finding; empty if nothing is to be done, or if its sentence says it."""
    if isinstance(finding, str):
        return ""
    hint = _HINTS.get(finding.code, "")
    if finding.code in (FindingCode.TAG_PUT_BACK, FindingCode.TAG_PUSHED):
        hint = _PLACEHOLDER if finding.names else finding.hint
    if finding.code is FindingCode.TAG_STILL_THERE:
        hint = finding.hint
    return hint.format(**_words(finding))


def outcome_words(outcome: Outcome) -> str:
    """Say why a step ended as it did; empty if that needs no reason."""
    own = reason_words(outcome.reason) if outcome.reason else finding_words(outcome.message)
    return "; ".join(filter(None, (*map(finding_words, outcome.findings), own)))


def outcome_hint(outcome: Outcome) -> str:
    """Say what to do next; empty if there is nothing to do."""
    return outcome.hint or next(filter(None, map(finding_hint, (*outcome.findings, outcome.message))), "")


def _words(finding: Finding) -> dict[str, object]:
    """Return everything that a sentence or hint may name; what a finding does not have is empty."""
    over_cap = finding.others if finding.code is FindingCode.OVER_CAP else ("", "", "")
    hint = finding.hint[:1].upper() + finding.hint[1:]
    return {
        "subject": finding.subject,
        "number": finding.number,
        "names": _listed(finding.names),
        "others": _listed(finding.others),
        "reason": reason_words(finding.reason) if finding.reason else "",
        "about": finding_words(finding.about) if finding.about else "",
        "error": finding.error,
        "hint": hint,
        "next": f". {hint}" if hint else "",
        "more": f" (and {finding.number:,} more)" if finding.number else "",
        "remaining": f"{counted(finding.number, 'planned change')} {'remains' if finding.number == 1 else 'remain'}",
        "linked": _LINKED.format(*finding.others) if finding.others else "",
        "unlisted": _unlisted_words(finding) if finding.code is FindingCode.GIT_UNLISTED else "",
        **dict(zip(("of", "what", "share"), over_cap, strict=True)),
    }


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES]) or "none"
    return f"{shown} and {more:,} more" if more > 0 else shown


_PERMISSIONS = {GitKind.PULL_REQUEST.value: "pull-requests: read"}
# Why a list is unknown although a permission would show it: GitHub answers 403 or, to hide that it is there, 404.
_MENDED_BY_PERMISSIONS = frozenset({UnlistedCause.FORBIDDEN.value, UnlistedCause.NOT_FOUND.value})


def _unlisted_words(finding: Finding) -> str:
    """Say which lists of a repository are unknown, what follows, and the permissions that the job lacks."""
    *others, last = map(plural_of, finding.names)
    lists = " and ".join(filter(None, (", ".join(others), last)))
    words = (
        f"the {lists} of {finding.subject} could not be listed ({finding.error}), so what is named after them is "
        "unknown and stays"
    )
    if finding.others[0] not in _MENDED_BY_PERMISSIONS:
        return words
    return f"{words}. Give the job these permissions (a classic token needs `repo` for a private repository)"


def paste_of(finding: Finding | str) -> str:
    """Return the YAML to paste that mends a finding; empty if none does."""
    if isinstance(finding, str) or finding.code is not FindingCode.GIT_UNLISTED:
        return ""
    cause, *lists = finding.others
    if cause not in _MENDED_BY_PERMISSIONS:
        return ""
    needed = {_PERMISSIONS.get(name, "contents: read") for name in lists} | {"packages: write"}
    return "\n".join(["permissions:", *(f"  {line}" for line in sorted(needed))])
