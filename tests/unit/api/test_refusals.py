from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from drawing import builds
from package_retention.api import hints
from package_retention.api.refusals import (
    explain,
    not_found_package,
    restore_refused,
    role_missing,
    rows,
)
from package_retention.api.responses import ApiResponse, RequestContext
from package_retention.api.tokens import TokenKind
from package_retention.errors import Refusal, RefusalKind
from package_retention.model import OwnerKind, PackageType, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINER, NPM, MAVEN = PackageType.CONTAINER, PackageType.NPM, PackageType.MAVEN
DELETES = RequestContext(
    action="delete version v1 of octo/app (container)",
    owner="octo",
    token=TokenKind.CLASSIC,
    kind=StepKind.DELETE_VERSION,
    package_type=CONTAINER,
    package="octo/app (container)",
    owner_kind=OwnerKind.ORGANIZATION,
)
LISTS = RequestContext(
    "list the container packages of octo", "octo", TokenKind.INSTALLATION, package_type=CONTAINER
)
READS = replace(DELETES, action="list the versions of octo/app (container)", kind=None)
RESTORES = replace(
    DELETES, action="restore version v1 of octo/app (container)", kind=StepKind.RESTORE_VERSION
)
BY_WORKFLOW = replace(DELETES, token=TokenKind.INSTALLATION)
NOT_THERE = ApiResponse(404, {}, {"message": "Package version not found."})
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."

# Part J of the facts: row, status, text, kind, a word of the message, a word of the advice.
PART_J: list[tuple[int, int, str, RefusalKind, str, str]] = [
    (1, 401, "Bad credentials", RefusalKind.BAD_TOKEN, "expired", "new token"),
    (2, 401, "Requires authentication", RefusalKind.BAD_TOKEN, "saw no token", "`token`"),
    (
        3,
        403,
        "You need at least read:packages scope to list packages.",
        RefusalKind.SCOPE,
        "scope",
        "`read:packages`",
    ),
    (
        4,
        403,
        "You need at least read:packages scope to get a package's versions.",
        RefusalKind.SCOPE,
        "scope",
        "read:pac",
    ),
    (5, 404, "Package not found.", RefusalKind.NOT_FOUND, "hides it", "`package-type`"),
    (
        6,
        404,
        "Package version not found.",
        RefusalKind.VERSION_NOT_FOUND,
        "no such version",
        "deleted meanwhile",
    ),
    (7, 404, "Not Found", RefusalKind.NOT_FOUND, "hides it", "`owner`"),
    (8, 400, "Invalid argument.", RefusalKind.CANNOT_LIST, "does not let", "without wildcards"),
    (
        9,
        400,
        "You cannot delete the last tagged version of a package. You must delete the package instead.",
        RefusalKind.LAST_TAGGED,
        "last tagged",
        "delete-package: when-empty",
    ),
    (
        10,
        400,
        "You cannot delete the last version of a package. You must delete the package instead.",
        RefusalKind.LAST_VERSION,
        "last version",
        "delete-package: when-empty",
    ),
    (
        11,
        400,
        "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for"
        " further assistance.",
        RefusalKind.DOWNLOADS,
        "public version",
        "GitHub Support",
    ),
    (
        12,
        422,
        "Publicly visible packages with a version with more than 5000 downloads cannot be deleted. contact GitHub"
        " support for further assistance",
        RefusalKind.DOWNLOADS,
        "public package",
        "GitHub Support",
    ),
    (
        13,
        403,
        "Resource not accessible by integration",
        RefusalKind.ROLE,
        "packages: write",
        "Manage Actions access",
    ),
    (
        14,
        403,
        "Resource not accessible by personal access token",
        RefusalKind.TOKEN_KIND,
        "fine-grained",
        "(classic) with `delete:packages`, `read:packages`",
    ),
    (
        15,
        403,
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this"
        " organization.",
        RefusalKind.SSO,
        "single sign-on",
        "Configure SSO",
    ),
    (
        16,
        403,
        "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this"
        " organization.",
        RefusalKind.SSO,
        "single sign-on",
        "Configure SSO",
    ),
    (
        17,
        403,
        "`octo` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal"
        " access token with fine-grained permissions.",
        RefusalKind.TOKEN_KIND,
        "forbids personal access tokens (classic)",
        "GITHUB_TOKEN",
    ),
    (
        18,
        403,
        "Although you appear to have the correct authorization credentials, the `octo` organization has an IP allow"
        " list enabled, and your IP address is not permitted to access this resource.",
        RefusalKind.IP_ALLOW_LIST,
        "runner's address",
        "self-hosted runner",
    ),
    (
        19,
        403,
        "API rate limit exceeded for installation ID 7.",
        RefusalKind.PRIMARY_LIMIT,
        "hourly",
        "run again",
    ),
    (20, 403, "API rate limit exceeded for user ID 7.", RefusalKind.PRIMARY_LIMIT, "user", "run again"),
    (21, 429, SECONDARY, RefusalKind.SECONDARY_LIMIT, "fewer requests", "`points-per-minute`"),
    (
        22,
        403,
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        RefusalKind.SECONDARY_LIMIT,
        "fewer requests",
        "`points-per-minute`",
    ),
    (23, 500, "Server Error", RefusalKind.SERVER, "failed", "run again later"),
    (24, 403, "Must have admin rights to Repository.", RefusalKind.ROLE, "Admin", "role Admin"),
    (
        25,
        400,
        "The value of `per_page` multiplied by `page` cannot be greater than 10000.",
        RefusalKind.CANNOT_LIST,
        "10,000",
        "`package-name`",
    ),
    (
        26,
        400,
        "X-GitHub-Api-Version 2022-11-28 is not supported",
        RefusalKind.API_VERSION,
        "version of the API",
        "update the action",
    ),
    (
        27,
        403,
        "This installation for octo is currently suspended",
        RefusalKind.SUSPENDED,
        "suspended",
        "unsuspend",
    ),
    (
        28,
        429,
        "toomanyrequests: retry-after: 333.939671ms",
        RefusalKind.SECONDARY_LIMIT,
        "registry",
        "run again",
    ),
    (29, 404, "manifest unknown", RefusalKind.VERSION_NOT_FOUND, "no such manifest", "still pulls"),
    (30, 405, "The operation is unsupported.", RefusalKind.OTHER, "REST API", "registry-url"),
    (31, 403, "DENIED: denied", RefusalKind.ROLE, "no access", "role Admin"),
]

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "errors", "code", "status"]), inner, max_size=4)
    ),
    max_leaves=10,
)
asked = builds(
    RequestContext,
    action=st.just("do it"),
    owner=st.just("octo"),
    token=st.sampled_from(TokenKind),
    kind=st.none() | st.sampled_from(StepKind),
    package_type=st.none() | st.sampled_from(PackageType),
    package=st.sampled_from(["", "octo/app (npm)"]),
    owner_kind=st.none() | st.sampled_from(OwnerKind),
    on_github_com=st.booleans(),
    listed=st.booleans(),
)


def explained(subject: RequestContext, status: int, headers: Mapping[str, str], body: Any) -> Refusal:
    return explain(
        subject, ApiResponse(status, {name.lower(): value for name, value in headers.items()}, body)
    )


def told(message: str, subject: RequestContext = DELETES, status: int = 403, **headers: str) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return explained(subject, status, named, {"message": message, "status": str(status)})


def test_every_row_of_part_j_is_in_the_table_and_tried_here() -> None:
    assert {row.number for row in rows()} - {0} == {row[0] for row in PART_J} == set(range(1, 32))


def test_every_row_of_the_table_is_complete() -> None:
    for row in rows():
        assert row.text
        assert row.why
        assert row.hint
        re.compile(row.starts)


def test_every_name_in_the_table_is_a_function_and_every_function_is_named() -> None:
    assert {row.advise for row in rows()} == {"", *hints.ADVICE}
    assert {row.when for row in rows()} == {"", *hints.CONDITIONS}


def test_the_page_says_of_a_workflow_without_the_role_what_the_run_does() -> None:
    (row,) = (row for row in rows() if row.number == 13 and row.kind is RefusalKind.ROLE)
    assert f"{hints.MANAGE_ACTIONS}. {hints.READ_ONLY}" in row.hint


@pytest.mark.parametrize(("number", "status", "text", "kind", "meaning", "step"), PART_J)
def test_every_row_is_explained_with_its_next_step(
    number: int, status: int, text: str, kind: RefusalKind, meaning: str, step: str
) -> None:
    subject = LISTS if number == 8 else DELETES
    refusal = explained(
        subject, status, {}, {"message": text, "documentation_url": "https://docs.github.com/"}
    )
    assert (refusal.kind, refusal.status) == (kind, status)
    assert refusal.message.startswith(f"cannot {subject.action}: ")
    assert f"GitHub answered {status}: " in refusal.message
    assert meaning in refusal.message
    assert step in refusal.hint


@pytest.mark.parametrize(
    "scopes",
    [
        "read:packages and delete:packages scopes",
        "`read:packages`, `write:packages` and `delete:packages` scopes",
        "delete:packages scope",
    ],
)
@pytest.mark.parametrize("action", ["delete a package.", "restore a package.", "get a package's versions."])
def test_several_scopes_may_be_named(scopes: str, action: str) -> None:
    refusal = explained(DELETES, 403, {}, {"message": f"You need at least {scopes} to {action}"})
    assert refusal.kind is RefusalKind.SCOPE
    assert refusal.meets_every_change
    assert "`delete:packages`, `read:packages`" in refusal.hint


@pytest.mark.parametrize(("number", "_status", "text", "kind", "_meaning", "_step"), PART_J)
def test_the_text_counts_never_the_code_nor_its_case(
    number: int, _status: int, text: str, kind: RefusalKind, _meaning: str, _step: str
) -> None:
    subject = LISTS if number == 8 else DELETES
    for body in (text.upper(), {"message": text.lower()}, {"errors": [{"message": text}]}):
        assert explained(subject, 400, {}, body).kind is kind


def test_the_documented_texts_find_their_own_row() -> None:
    for row in rows():
        for subject in (DELETES, LISTS):
            refusal = explained(subject, 400, {}, {"message": row.text})
            if not row.when:
                assert refusal.kind is row.kind, row.text
                assert row.why in refusal.message
        assert row.hint
        assert "\n" not in row.hint


@given(asked, st.integers(100, 599), st.dictionaries(st.text(max_size=20), st.text(max_size=20)), json)
def test_explaining_never_raises_and_always_says_something(
    subject: RequestContext, status: int, headers: dict[str, str], body: Any
) -> None:
    refusal = explained(subject, status, headers, body)
    assert refusal.message.startswith("cannot do it: ")
    assert refusal.hint
    assert len(refusal.message) < 1000


@given(
    asked,
    st.sampled_from([row.text for row in rows()]),
    st.sampled_from(["message", "errors"]),
    st.text(max_size=9),
)
def test_every_text_is_explained_for_every_request(
    subject: RequestContext, text: str, key: str, tail: str
) -> None:
    refusal = explained(subject, 403, {}, {key: text + tail})
    assert refusal.message
    assert refusal.hint


@given(st.text(max_size=200))
def test_any_raw_body_is_read(body: str) -> None:
    assert explained(DELETES, 418, {}, body).message


@pytest.mark.parametrize(
    "body", [None, "", {}, [], 7, {"message": None}, {"message": 7, "errors": 7}, "{", '{"a":']
)
def test_a_body_without_a_text(body: Any) -> None:
    refusal = explained(DELETES, 418, {}, body)
    assert refusal.kind is RefusalKind.OTHER
    assert "GitHub answered 418" in refusal.message


def test_nesting_without_end_is_read_as_text() -> None:
    assert explained(DELETES, 418, {}, '{"a":' * 100_000).kind is RefusalKind.OTHER


def test_an_unknown_text_is_quoted_with_its_code_within_bounds() -> None:
    refusal = told("x" * 100_000, status=418)
    assert refusal.kind is RefusalKind.OTHER
    assert 'GitHub answered 418: "xxx' in refusal.message
    assert refusal.message.endswith('x…")')
    assert len(refusal.message) < 500


def test_markup_is_told_by_its_title() -> None:
    page = "<html><head><title>Unicorn! &middot; GitHub</title></head><body>no</body></html>"
    refusal = explained(DELETES, 502, {"X-GitHub-Request-Id": "A1B2:C3"}, page)
    assert refusal.kind is RefusalKind.SERVER
    assert '"Unicorn! &middot; GitHub"' in refusal.message
    assert "id A1B2:C3" in refusal.hint
    assert '"Blocked here"' in explained(DELETES, 418, {}, "<p>Blocked\n<b>here</b></p>").message


def test_a_request_id_that_is_none_is_not_shown() -> None:
    assert "::error" not in told("Server Error", status=500, X_GitHub_Request_Id="::error::x").hint


def test_several_texts_are_all_quoted() -> None:
    body = {"message": "Validation Failed", "errors": [{"code": "invalid", "message": "name"}, "taken"]}
    refusal = explained(DELETES, 422, {}, body)
    assert '"Validation Failed; invalid: name; taken"' in refusal.message


def test_a_particular_text_in_errors_wins_over_a_general_message() -> None:
    body = {"message": "Validation Failed", "errors": ["You cannot delete the last version of a package."]}
    assert explained(DELETES, 422, {}, body).kind is RefusalKind.LAST_VERSION


@pytest.mark.parametrize(
    ("subject", "kind", "step"),
    [
        (BY_WORKFLOW, RefusalKind.ROLE, "permissions:\n  packages: write\n"),
        (BY_WORKFLOW, RefusalKind.ROLE, "fork"),
        (BY_WORKFLOW, RefusalKind.ROLE, "Dependabot"),
        (replace(BY_WORKFLOW, token=TokenKind.UNKNOWN), RefusalKind.ROLE, "Manage Actions access"),
        (
            replace(BY_WORKFLOW, package_type=MAVEN),
            RefusalKind.TOKEN_KIND,
            "`read:packages`, `repo`: for maven",
        ),
        (replace(BY_WORKFLOW, package_type=NPM), RefusalKind.ROLE, "Manage Actions access"),
        (
            replace(BY_WORKFLOW, package_type=NPM, on_github_com=False),
            RefusalKind.TOKEN_KIND,
            "Enterprise Server",
        ),
        (replace(BY_WORKFLOW, on_github_com=False), RefusalKind.ROLE, "Manage Actions access"),
        (replace(BY_WORKFLOW, token=TokenKind.APP_USER), RefusalKind.TOKEN_KIND, "use GITHUB_TOKEN"),
    ],
)
def test_an_integration_is_told_what_it_lacks(subject: RequestContext, kind: RefusalKind, step: str) -> None:
    refusal = told("Resource not accessible by integration", subject)
    assert refusal.kind is kind
    assert refusal.meets_every_change
    assert step in refusal.hint


SSO_URL = "https://github.com/orgs/octo/sso?authorization_request=AAB"
SAML = "Resource protected by organization SAML enforcement. You must grant your "


@pytest.mark.parametrize(
    "message", [SAML + "Personal Access token access to this organization.", "Not Found", "New text"]
)
def test_the_url_that_authorises_is_shown(message: str) -> None:
    refusal = told(message, X_GitHub_SSO=f"required; url={SSO_URL}")
    assert refusal.kind is RefusalKind.SSO
    assert f"open {SSO_URL} (good for one hour)" in refusal.hint


@pytest.mark.parametrize(
    "url",
    [
        "http://github.com/orgs/octo/sso",
        "https://evil.example/github.com",
        "https://github.com.evil.example/",
        "https://github.com@evil.example/",
        "https://x@github.com/",
        "https://github.com\\@evil.example/",
        "",
        "https://github.com/`id`",
        "https://github.com/\u202e",
        "https://github.com:8443/",
        "https://[github.com/",
    ],
)
def test_a_url_elsewhere_is_not_shown(url: str) -> None:
    refusal = told(SAML + "Personal Access token", X_GitHub_SSO=f"required; url={url}")
    assert refusal.kind is RefusalKind.SSO
    assert "open " not in refusal.hint
    assert "Configure SSO" in refusal.hint


def test_the_url_of_another_server_is_its_own() -> None:
    subject = replace(DELETES, server_url="https://octo.ghe.com")
    header = "required; url=https://octo.ghe.com/orgs/octo/sso"
    assert "open https://octo.ghe.com/orgs/octo/sso " in told("Not Found", subject, X_GitHub_SSO=header).hint


@pytest.mark.parametrize(
    ("token", "step"),
    [
        (TokenKind.CLASSIC, "Configure SSO"),
        (TokenKind.OAUTH, "authorise the OAuth app anew"),
        (TokenKind.APP_USER, "authorise the GitHub App anew"),
    ],
)
def test_single_sign_on_by_kind_of_token(token: TokenKind, step: str) -> None:
    for text, headers in ((SAML + "OAuth token access", {}), ("x", {"x-github-sso": "required"})):
        refusal = explained(replace(DELETES, token=token), 403, headers, {"message": text})
        assert refusal.kind is RefusalKind.SSO
        assert step in refusal.hint


def test_partial_results_are_no_refusal_of_sso() -> None:
    assert (
        told("Package not found.", X_GitHub_SSO="partial-results; organizations=1").kind
        is RefusalKind.NOT_FOUND
    )


def test_every_cause_of_a_package_not_found_is_named() -> None:
    refusal = not_found_package(READS)
    assert (refusal.kind, refusal.status) == (RefusalKind.NOT_FOUND, 404)
    for cause in (
        "`package-name`",
        "`package-type`",
        "octo is an organization",
        "may read",
        "single sign-on",
        "deleted",
    ):
        assert cause in refusal.hint
    assert "role Admin" not in refusal.hint
    assert "role Admin" in not_found_package(DELETES).hint
    assert "octo is a user" in not_found_package(replace(READS, owner_kind=OwnerKind.USER)).hint
    assert "misspelt" in not_found_package(replace(READS, owner_kind=None)).hint
    assert "packages: write" in not_found_package(replace(READS, token=TokenKind.INSTALLATION)).hint


def test_an_owner_not_found_says_nothing_of_packages_names() -> None:
    hint = told("Not Found", RequestContext("find the owner octo", "octo", TokenKind.CLASSIC), 404).hint
    assert "octo may be misspelt" in hint
    assert "single sign-on" in hint
    assert "package-name" not in hint


def test_a_package_that_was_listed_most_likely_lacks_the_role() -> None:
    hint = told("Package not found.", replace(DELETES, listed=True), 404).hint
    assert "unless it was deleted meanwhile" in hint
    assert "role Admin" in hint


@pytest.mark.parametrize(
    ("subject", "step"),
    [
        (DELETES, "admin permissions in the organization octo;"),
        (replace(DELETES, owner_kind=None), "in the organization octo (if it is one)"),
        (replace(DELETES, owner_kind=OwnerKind.USER), "or be octo"),
        (replace(DELETES, package_type=MAVEN), "Admin on the repository that the package belongs to"),
        (BY_WORKFLOW, "permissions:\n  packages: write\n"),
        (replace(BY_WORKFLOW, package_type=MAVEN), "GitHub documents no access by GITHUB_TOKEN"),
        (replace(DELETES, token=TokenKind.FINE_GRAINED), "use GITHUB_TOKEN with"),
    ],
)
def test_a_missing_role_is_told_by_token_type_and_owner(subject: RequestContext, step: str) -> None:
    refusal = role_missing(subject)
    assert (refusal.kind, refusal.status) == (RefusalKind.ROLE, 404)
    assert refusal.meets_every_change
    assert "lacks the role Admin" in refusal.message
    assert step in refusal.hint


def test_a_refused_restore_names_window_name_and_role() -> None:
    for refusal in (
        restore_refused(RESTORES, NOT_THERE),
        told("Package version not found.", RESTORES, 404),
        told("Package not found.", RESTORES, 404),
        told("Validation Failed", RESTORES, 422),
        told("An unknown conflict", RESTORES, 409),
        told("name taken", RESTORES, 422),
    ):
        assert "30 days" in refusal.hint
        assert "uses the name" in refusal.hint
        assert "role Admin" in refusal.hint
        assert not refusal.meets_every_change
        assert not refusal.permanent
    assert restore_refused(RESTORES, NOT_THERE).kind is RefusalKind.VERSION_NOT_FOUND
    assert (
        restore_refused(replace(RESTORES, kind=StepKind.RESTORE_PACKAGE), NOT_THERE).kind
        is RefusalKind.NOT_FOUND
    )
    assert '"name taken"' in told("name taken", RESTORES, 422).message
    assert '"Package version not found."' in restore_refused(RESTORES, NOT_THERE).message


def test_invalid_argument_is_about_lists_alone() -> None:
    assert told("Invalid argument.", DELETES, 400).kind is RefusalKind.OTHER
    hint = told("Invalid argument.", LISTS, 400).hint
    assert "octo's list is not needed" in hint
    assert "(classic) with `read:packages`" in hint


def test_the_scopes_that_a_change_needs_are_named() -> None:
    hint = told(
        "You need at least delete:packages scope to delete a package.", replace(DELETES, package_type=MAVEN)
    )
    assert "`delete:packages`, `read:packages`, `repo`" in hint.hint
    assert hint.kind is RefusalKind.SCOPE


@pytest.mark.parametrize(
    "text",
    [
        SECONDARY + " If you reach out to GitHub Support for help, please include the request ID A:B.",
        "You have triggered an abuse detection mechanism and have been temporarily blocked from content creation."
        " Please retry your request again later.",
        "Something of an old server. Please wait a few minutes before you try again.",
    ],
)
def test_every_form_of_a_secondary_limit(text: str) -> None:
    assert told(text).kind is RefusalKind.SECONDARY_LIMIT


def test_limits_without_a_text_are_told_by_their_headers() -> None:
    assert explained(DELETES, 403, {"X-RateLimit-Remaining": "0"}, None).kind is RefusalKind.PRIMARY_LIMIT
    assert explained(DELETES, 403, {"Retry-After": "60"}, None).kind is RefusalKind.SECONDARY_LIMIT
    assert explained(DELETES, 429, {}, None).kind is RefusalKind.SECONDARY_LIMIT
    assert explained(DELETES, 403, {"X-RateLimit-Remaining": "9"}, None).kind is RefusalKind.OTHER
    assert explained(DELETES, 404, {"X-RateLimit-Remaining": "0"}, None).kind is RefusalKind.OTHER
    # One that names its own reason is that refusal, however little of the budget is left.
    named = explained(DELETES, 403, {"X-RateLimit-Remaining": "0"}, {"message": "Not on Sundays."})
    assert named.kind is RefusalKind.OTHER


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_code_alone_settles_nothing(status: int) -> None:
    assert explained(DELETES, status, {}, None).kind is RefusalKind.OTHER


def test_a_version_of_the_api_that_is_retired_needs_no_text() -> None:
    assert explained(DELETES, 410, {}, None).kind is RefusalKind.API_VERSION
    assert told("This version of the API is not supported", status=400).kind is RefusalKind.API_VERSION
    assert told("This version of the API is not supported", status=403).kind is RefusalKind.OTHER


def test_an_app_token_that_ends_is_made_in_the_same_job() -> None:
    assert "same job" in told("Bad credentials", BY_WORKFLOW, 401).hint
    assert told("Bad credentials", BY_WORKFLOW, 401).ends_run


def test_an_unknown_refusal_of_an_unsupported_token_says_so() -> None:
    assert "does not support" in told("Nope", replace(DELETES, token=TokenKind.FINE_GRAINED)).hint


def test_what_refuses_for_good_and_what_ends_a_package() -> None:
    found = {row[0]: explained(LISTS if row[0] == 8 else DELETES, row[1], {}, row[2]) for row in PART_J}
    assert {number for number, refusal in found.items() if refusal.permanent} == {9, 10, 11, 12}
    every_change = {number for number, refusal in found.items() if refusal.meets_every_change}
    assert every_change == {1, 2, 3, 4, 13, 14, 15, 16, 17, 18, 24, 26, 27, 31}


@pytest.mark.parametrize("token", TokenKind)
@pytest.mark.parametrize(
    "asked", [DELETES, READS, RESTORES, LISTS], ids=["delete", "read", "restore", "list"]
)
def test_advice_at_a_terminal_names_no_workflow(asked: RequestContext, token: TokenKind) -> None:
    for kind in (CONTAINER, MAVEN):
        context = replace(asked, token=token, package_type=kind, by_hand=True)
        for row in (*PART_J, (0, 404, "no text of GitHub's", None, "", "")):
            # The organization forbids classic tokens: then only a workflow is left.
            hint = "" if row[0] == 17 else explained(context, row[1], {}, {"message": row[2]}).hint
            assert "permissions:" not in hint, (row, hint)
            assert "give the job" not in hint, (row, hint)
        assert "permissions:" not in role_missing(context).hint
        assert "permissions:" not in restore_refused(context, NOT_THERE).hint
