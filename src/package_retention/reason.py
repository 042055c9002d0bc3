"""Why something is so, as values: a code and the objects that its sentence names. `output/messages.toml` has the words."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct


class ReasonCode(StrEnum):
    """Why a version is changed or stays, or why a change was not made; summaries and reports group by it."""

    SELECTED = "selected"
    WITH_IMAGE = "goes-with-image"
    NOT_MATCHED = "not-matched"
    EXCLUDED = "excluded"
    REFERENCED = "referenced"
    NEWEST = "among-the-newest"
    KEEP_RULE = "kept-by-rule"
    NEEDED = "needed"
    PARTLY_MATCHED = "partly-matched"
    LATEST = "latest-not-named"
    GRACE = "too-young"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    CHANGED = "changed-meanwhile"
    ORPHANED = "orphaned-referrer"
    OVER_LIMIT = "over-limit"
    LAST = "github-keeps-the-last"
    NOT_IN_REPORT = "not-in-report"
    TAG_MOVED = "tag-moved"
    EXPIRED = "past-30-days"
    UNTOUCHABLE = "never-touched"
    IMAGE_STAYS = "image-stays"
    IN_DOUBT = "in-doubt"
    SAME_REFUSAL = "same-refusal"
    NOT_REACHED = "not-reached"


class ReasonDetail(StrEnum):
    """What exactly happened, if one code has several sentences."""

    # Selected.
    BY_ID = "by-id"
    BY_REPORT = "by-report"
    WITH_PACKAGE = "with-package"
    COMES_BACK = "comes-back-with-image"
    # Not matched.
    NO_RULE = "no-rule"
    NOT_JUDGED = "not-judged"
    NOT_LOOKED_AT = "not-looked-at"
    # Excluded.
    BY_RULE = "by-rule"
    # Among the newest.
    NO_PLACE = "takes-no-place"
    # Needed.
    PART = "part-of-image"
    SHARED_PLACE = "shares-place"
    # Unknown.
    NO_AGE = "no-age"
    NO_DELETION_DATE = "no-deletion-date"
    NO_VERSION = "no-version"
    UNTAGGED_NO_VERSION = "untagged-no-version"
    UNORDERED = "unordered"
    CYCLIC = "cyclic"
    SOURCE = "source-unknown"
    EXPIRY = "expiry-unknown"
    # Unreadable.
    LOST_INDEX = "lost-index"
    # Changed meanwhile.
    SINCE_REPORT = "since-report"
    SINCE_PLAN = "since-plan"
    NOT_WHOLE = "not-whole"
    # GitHub keeps the last.
    LAST_TAGGED = "last-tagged"
    # Not in the report.
    OTHER_CHANGE = "other-change"
    NOT_DELETED = "not-deleted"
    # Its tag is on another version.
    NAME_IN_USE = "name-in-use"
    DELETED_LATER = "deleted-later"
    # Never touched.
    BASE_LAYER = "base-layer"


Terms = tuple[tuple[str, str], ...]
"""A rule in its own words: the names of its keys, each with its value as a person reads it."""


class Fact(Struct, frozen=True):
    """Something known of a version that a reason rests on; each kind of fact has its own words."""


class Condition(Fact, frozen=True):
    """One key of a rule, and how a version stands to it.

    `value` is the key's value. `holds` is `None` if that is not known. `age` is the version's, or the time since it
    was deleted; `text` is what it says itself, or what is damaged.
    """

    key: str
    value: str = ""
    holds: bool | None = True
    age: timedelta | None = None
    text: str | None = None


class Reason(Struct, frozen=True):
    """A reason: its code, what exactly, and the objects that its sentence names.

    `subject` is what messages call another version (the one that needs this one). `number` is a limit, or how many of
    the newest stay. `rule` is the rule in its own words, `facts` are what of the version met it, or did not.
    """

    code: ReasonCode
    detail: ReasonDetail | None = None
    subject: str = ""
    number: int = 0
    rule: Terms = ()
    facts: tuple[Fact, ...] = ()


class FindingCode(StrEnum):
    """What a person must know of a package or a run, beside its decisions and outcomes."""

    # Inputs that reached nothing, or not what they seem to.
    EXCLUSION_UNMATCHED = "exclusion-unmatched"
    ID_ABSENT = "id-absent"
    ID_IS_PART = "id-is-part"
    # The token, and what GitHub says beside an answer.
    TOKEN_FINE_GRAINED = "token-fine-grained"  # noqa: S105 - a name, not a secret
    TOKEN_APP_USER = "token-app-user"  # noqa: S105 - the same
    SCOPE_MAY_LACK = "scope-may-lack"
    LIST_INCOMPLETE = "list-incomplete"
    API_ENDS = "api-ends"
    # Git, files that refer to images, and what images say themselves.
    GIT_UNLISTED = "git-unlisted"
    GIT_FORBIDDEN = "git-forbidden"
    NO_REPOSITORY = "no-repository"
    REFERENCED_BY_NAME = "referenced-by-name"
    REFERENCES_UNLISTED = "references-unlisted"
    NOT_REFERENCED = "not-referenced"
    READ_AS_TEXT = "read-as-text"
    CONFIG_UNREAD = "config-unread"
    EXPIRY_INVALID = "expiry-invalid"
    # What GitHub keeps.
    LAST_VERSION_STAYS = "last-version-stays"
    LAST_TAGGED_STAYS = "last-tagged-stays"
    LAST_TAG_STAYS = "last-tag-stays"
    # Manifests.
    INDEX_LOST = "index-lost"
    MANIFESTS_LOST = "manifests-lost"
    MANIFEST_UNREAD = "manifest-unread"
    # An earlier run's report.
    REPORT_SILENT = "report-silent"
    GONE_ALREADY = "gone-already"
    TAGS_DIFFER = "tags-differ"
    STAYS_AFTER_ALL = "stays-after-all"
    THERE_AGAIN = "there-again"
    STAYS_DELETED = "stays-deleted"
    NOT_RESTORABLE = "not-restorable"
    MORE_DIFFER = "more-differ"
    # A restore.
    ID_NOT_DELETED = "id-not-deleted"
    ID_NOT_AMONG_DELETED = "id-not-among-deleted"
    LATEST_NOT_NAMED = "latest-not-named"
    TAG_ELSEWHERE = "tag-elsewhere"
    TAG_CLAIMED_TWICE = "tag-claimed-twice"
    TAGS_LOST = "tags-lost"
    PARTS_DELETED = "parts-deleted"
    REFERRERS_UNFOUND = "referrers-unfound"
    # Patterns.
    PATTERN_SLOW = "pattern-slow"
    PATTERNS_SLOW = "patterns-slow"
    # A plan or a report that may not be carried out.
    OVER_CAP = "over-cap"
    MOSTLY_ORPHANS = "mostly-orphans"
    OTHER_SERVER = "other-server"
    OTHER_OWNER = "other-owner"
    OTHER_OPERATION = "other-operation"
    OF_DRY_RUN = "of-dry-run"
    TOO_OLD = "too-old"
    OTHER_PACKAGES = "other-packages"
    # A tag that was to be taken away or put back.
    TAG_UNREADABLE = "tag-unreadable"
    TAG_GONE = "tag-gone"
    TAG_STILL_THERE = "tag-still-there"
    TAG_LOST = "tag-lost"
    TAG_PUT_BACK = "tag-put-back"
    TAG_PUT_BACK_UNTIDIED = "tag-put-back-untidied"
    TAG_PUSHED = "tag-pushed"
    IMAGE_UNREAD = "image-unread"
    PLACEHOLDER_LEFT = "placeholder-left"
    # Packages that cannot be worked on, or are reached by no name.
    RULES_UNASKED = "rules-unasked"
    UNLINKED = "unlinked"
    NAMES_REACH_NOTHING = "names-reach-nothing"
    NAMES_REACH_NOTHING_LINKED = "names-reach-nothing-linked"
    GONE_WHOLE = "gone-whole"
    NO_DELETED_LIST = "no-deleted-list"
    OWNER_IN_NAME = "owner-in-name"
    NAME_MISSPELT = "name-misspelt"
    # What came back, and was not read.
    VERSIONS_UNKNOWN = "versions-unknown"
    CAME_BACK_UNREAD = "came-back-unread"
    CAME_BACK_ABSENT = "came-back-absent"
    REFERRERS_UNKNOWN = "referrers-unknown"
    # A list.
    NOT_LISTED = "not-listed"
    WOULD_BE_REFUSED = "would-be-refused"
    # The run.
    ERROR = "error"
    NOT_CONFIRMED = "not-confirmed"
    REPORT_BROKEN = "report-broken"
    OUTPUT_CUT = "output-cut"
    OUTPUT_CUT_UNREPORTED = "output-cut-unreported"
    POINTS_OVER_LIMIT = "points-over-limit"
    NOT_LOOKED_AT = "not-looked-at"
    MISSING = "missing"
    NOT_WHOLE = "not-whole"
    REFUSED_LATER = "refused-later"
    ENDED_UNPLANNED = "ended-unplanned"
    ENDED_EARLY = "ended-early"
    ENDED_FAILING = "ended-failing"
    ENDED_FRUITLESS = "ended-fruitless"


class Finding(Struct, frozen=True):
    """Something to report: a code and the objects that its sentence names.

    `subject` is what messages call a version, an input's entry or a list; `names` are further ones. `error` and `hint`
    are the words of an error that was met (of the API, the registry or the file system), or else those of the finding
    that it is `about`.
    """

    code: FindingCode
    subject: str = ""
    number: int = 0
    names: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    reason: Reason | None = None
    error: str = ""
    hint: str = ""
    about: Finding | None = None


# Reasons that more than one module names.
NOT_IN_REPORT = Reason(ReasonCode.NOT_IN_REPORT)
WITH_ITS_IMAGE = Reason(ReasonCode.IMAGE_STAYS)
CHANGED_SINCE_PLAN = Reason(ReasonCode.CHANGED, ReasonDetail.SINCE_PLAN)
NOT_WHOLE = Reason(ReasonCode.CHANGED, ReasonDetail.NOT_WHOLE)
IN_DOUBT = Reason(ReasonCode.IN_DOUBT)


def over_limit(limit: int | None) -> Reason:
    """Return the reason of what waits for the next run."""
    return Reason(ReasonCode.OVER_LIMIT, number=limit or 0)
