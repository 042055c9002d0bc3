"""Where the facts do not know what GitHub does, or know two answers: one switch each, the default first named.

A default is what the reference documents, else what was seen, else the less kind of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Switches:
    """Every open question, by the facts' section."""

    # Lists: facts A1 and A6.
    version_order: Literal["newest", "oldest", "id", "scrambled"] = "newest"
    """A6: not documented; newest first was seen."""
    users_list_honours_paging: bool = True
    """A6: `/users/…/versions` documents none, GitHub's own action relies on it. False: all rows in one answer."""
    users_list_honours_state: bool = False
    """A6: `state=deleted` there is unknown. False: the active versions are listed whatever was asked."""
    links_tell_last: bool = True
    """A6: `rel="last"` is there in practice."""
    numeric_user_links: bool = False
    """A6: seen for organizations alone; True: users' links read `/user/<id>/…`."""
    page_past_the_end: Literal["empty", "404"] = "empty"
    """A6: `[]` is expected."""
    version_lists_capped_at: int | None = None
    """A1, K: `per_page` x `page` is capped at 10,000 on package lists; on version lists unknown."""
    server_error_above_per_page: int | None = None
    """A6: pages of very large packages end in a 500 until `per_page` is lower."""
    deleted_stay_listed: bool = False
    """A6: a version deleted a moment ago is still listed as active."""
    version_count_off_by: int = 0
    """A6: whether `version_count` is exact is unknown."""
    docker_tags_key: Literal["tag", "tags"] = "tag"
    """A5: the schema declares one and requires the other."""

    # Deleting and restoring: facts A3, A4 and A6.
    deleted_versions_keep_tags: bool = True
    """Whether rows of deleted versions still show their tags."""
    restored_versions_get_tags_back: bool = True
    """Whether a restore brings tags back (those that no active version has taken since)."""
    expired_stay_listed: bool = True
    """A4: whether what is past its 30 days is still among the deleted versions."""
    restore_expired_status: Literal[404, 400, 422] = 404
    """A4, K: the answer past 30 days is unknown."""
    restore_conflict_status: Literal[409, 400, 404, 422] = 409
    """A4, K: the answer where the name is in use again is unknown."""
    downloads_status: Literal[400, 422] = 400
    """A6: 400 was seen, one third-party test uses 422."""

    # Who may what: facts A2, A7, A8 and B.
    org_changes_need_org_admin: bool = True
    """A2: documented for `/orgs/…`; whether it is enforced beside the package's own role is unknown."""
    missing_read_scope: Literal[403, 404] = 403
    """A7: on a named package, rows 4 and 5 were both seen."""
    missing_change_scope: Literal[403, 404] = 403
    """A7: the answer to a change without its scope was not found."""
    repository_role_missing: Literal[404, 403] = 404
    """J24: seen on repositories, not on packages."""
    installation_without_role: Literal[403, 404] = 403
    """A7: rows 13 and 5 were both seen."""
    installation_on_user_base: Literal["403", "answers"] = "403"
    """A8: the reference ticks `ghs_` on `/user/packages`; there is no user. `answers`: as its repository's owner."""
    installation_lists_containers: bool = False
    """A8: row 8; True: it is answered."""
    installation_changes_repository_scoped: bool = False
    """A8: `GITHUB_TOKEN` is documented for granular registries alone."""
    app_user_changes: bool = False
    """A8: `ghu_` is not documented for changes of versions and restores; True: they work."""
    fine_grained_works: bool = False
    """A8: `github_pat_` is not supported (row 14); True: it is treated as its user with every scope."""
    sso_refusal: Literal[403, 404] = 403
    """B2: an unauthorised classic PAT may get either."""
    sso_lists: Literal["refused", "partial"] = "refused"
    """B2: package lists of an organization with SSO: refused, or partial (rows missing, and a header says so)."""

    # Repositories: facts L.
    public_repositories_need_permissions: bool = False
    """L2: documented not to; True: a job without `contents: read` is refused there, too."""
    release_lists_capped_at: int | None = 1_000
    """L4: 422 beyond the first 1,000 was seen, and beyond 10,000; None: documented."""

    # Limits: facts C.
    primary_limit: bool = True
    secondary_limit: bool = True
    limit_status: Literal[403, 429] = 403
    """C: both are documented, for both limits."""
    limit_sends_retry_after: bool = True
    """C: the secondary limit's `Retry-After` may be missing; the primary limit never sends one."""
    secondary_text: Literal["current", "abuse"] = "current"
    """J21, J22: older GHES call it an abuse detection mechanism."""
    refused_requests_count: bool = True
    """C: whether what is refused counts on; "continuing may get the integration banned"."""
    points_per_minute: int = 900
    concurrent_requests: int = 100
    bad_tries_until_block: int = 5
    """B2: "several"."""

    # Headers: facts A5, B2 and C.
    api_versions: frozenset[str] = frozenset({"2022-11-28", "2026-03-10"})
    """A5: what a request may ask for in `X-GitHub-Api-Version`; on GHES 2022-11-28 alone."""
    retired_api_versions: frozenset[str] = frozenset()
    """A5: these answer 410, all others 400."""
    date_skew: float = 0.0
    """Seconds that GitHub's clock is ahead of ours."""
    scopes_header: bool = True
    """B2: `X-OAuth-Scopes` on answers to classic and OAuth tokens."""

    # The registry: facts D.
    referrers_api: Literal["404", "empty", "answers"] = "404"
    """D: 404 in most reports, 200 with an empty list in one."""
    blobs_redirect: bool = True
    """D2: GHCR's are elsewhere; False: answered at once, as a registry does that keeps them itself."""
    tokens_for_unknown_names: bool = False
    """D: GHCR denies the token; True: another registry gives one, and answers 404 `NAME_UNKNOWN`."""
