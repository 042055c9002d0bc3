"""What GitHub leaves out of a list is reported."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from package_retention.api.responses import partial_notice
from package_retention.output.sentences import finding_words


@pytest.mark.parametrize(
    ("header", "whose"),
    [
        ("partial-results; organizations=21955855,20582480", "2 organizations"),
        ("Partial-Results;organizations=1", "1 organization "),
        ("partial-results", "some organizations"),
    ],
)
def test_a_list_that_leaves_organizations_out_is_told(header: str, whose: str) -> None:
    found = partial_notice(header)
    assert found
    notice = finding_words(found)
    assert whose in notice
    assert "incomplete" in notice
    assert "Configure SSO" in notice


@pytest.mark.parametrize("header", [None, "", "required; url=https://github.com/orgs/o/sso"])
def test_no_notice_without_partial_results(header: str | None) -> None:
    assert partial_notice(header) is None


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    found = partial_notice(header)
    assert found is None or finding_words(found)
