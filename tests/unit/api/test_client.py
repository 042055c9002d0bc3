from __future__ import annotations

from email.utils import format_datetime

import pytest

from clocks import START
from connections import API, LOST, UNSENT, InTurn, Reply, refusal, rig
from package_retention.api.client import LostChangeError
from package_retention.errors import BudgetError, CancelledError, StaleError, UnreachableError
from package_retention.output.sentences import finding_words
from package_retention.transport.exchange import Redactor, TransportError

SECRET = "ghp_" + "s" * 36
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def test_an_answer_is_handed_on_whatever_its_status() -> None:
    made = rig(InTurn(Reply(200, {"a": 1}), refusal(404, "Not Found"), Reply(403, "<html>no</html>")))
    assert made.client.get("/x", "look").body == {"a": 1}
    answer = made.client.get("/x", "look")
    assert (answer.status, answer.ok, answer.body) == (404, False, {"message": "Not Found"})
    assert made.client.get("/x", "look").body == "<html>no</html>"
    assert made.clock.slept == []


def test_reads_are_tried_again_after_drops_errors_and_nonsense() -> None:
    made = rig(InTurn(LOST, refusal(502, "x"), Reply(200, "<html>log in</html>"), UNSENT, Reply(200, [1])))
    assert made.client.get("/x", "look").body == [1]
    # Drops and server errors are counted apart: three drops, one error.
    assert made.clock.slept == [1, 1, 2, 4]


def test_tries_end() -> None:
    made = rig(lambda *_: refusal(502, "Server Error"))
    with pytest.raises(
        UnreachableError, match=r"cannot look: no usable answer from GitHub after 5 tries \(HTTP 502\)"
    ):
        made.client.get("/x", "look")
    assert len(made.asked) == 5
    made = rig(lambda *_: LOST)
    with pytest.raises(UnreachableError, match=r"5 tries \(the connection was dropped\)"):
        made.client.get("/x", "look")


def test_what_is_hopeless_is_tried_once() -> None:
    drop = TransportError("not trusted", sent=False, retryable=False, hint="name your CA")
    made = rig(InTurn(drop))
    with pytest.raises(UnreachableError, match="not trusted") as caught:
        made.client.change("DELETE", "/x", "delete x")
    assert caught.value.hint == "name your CA"
    assert not isinstance(caught.value, LostChangeError)


def test_a_limit_stops_this_and_all_and_is_no_failure() -> None:
    made = rig(InTurn(refusal(403, SECONDARY, retry_after="33"), Reply(204)))
    answer = made.client.change("DELETE", "/x", "delete x")
    assert (answer.status, answer.lost) == (204, False)
    assert made.clock.slept == [33]
    assert made.rate_limiter.state().points_per_minute is not None


def test_a_limit_that_stays_is_handed_on_to_be_explained() -> None:
    made = rig(lambda *_: refusal(403, "API rate limit exceeded for user ID 1."))
    assert made.client.get("/x", "look").status == 403
    assert made.clock.slept == [63, 126, 252]


@pytest.mark.parametrize(
    ("first", "lost"), [(LOST, True), (refusal(500, "x"), True), (UNSENT, False), (refusal(429, "x"), False)]
)
def test_whether_an_earlier_try_may_have_been_carried_out(first: Reply | TransportError, lost: bool) -> None:
    made = rig(InTurn(first, refusal(404, "Not Found")))
    assert made.client.change("DELETE", "/x", "delete x").lost is lost
    assert not rig(InTurn(LOST, refusal(404, "Not Found"))).client.get("/x", "look").lost


def test_a_change_whose_every_answer_was_lost_may_be_made() -> None:
    made = rig(lambda *_: LOST)
    with pytest.raises(LostChangeError):
        made.client.change("DELETE", "/x", "delete x")
    unsent = rig(lambda *_: UNSENT)
    with pytest.raises(UnreachableError) as caught:
        unsent.client.change("DELETE", "/x", "delete x")
    assert not isinstance(caught.value, LostChangeError)


def test_the_end_of_the_run_in_the_middle_of_a_lost_change_is_told_apart() -> None:
    for first, expected in ((LOST, LostChangeError), (UNSENT, BudgetError)):
        made = rig(InTurn(first), time_limit=0.5)
        with pytest.raises(expected):
            made.client.change("DELETE", "/x", "delete x")
    made = rig(InTurn(LOST))
    with pytest.raises(LostChangeError) as lost:
        made.client.change("DELETE", "/x", "delete x", not_after=0.5)
    assert isinstance(lost.value.__cause__, StaleError)
    made = rig(InTurn(UNSENT))
    with pytest.raises(StaleError):
        made.client.change("DELETE", "/x", "delete x", not_after=0.5)

    def cancelled() -> TransportError:
        made.clock.cancel()
        return LOST

    made = rig(InTurn(cancelled))
    with pytest.raises(LostChangeError):
        made.client.change("DELETE", "/x", "delete x")
    with pytest.raises(CancelledError):
        made.client.get("/x", "look")


def test_a_budget_that_ends_while_requests_fail_says_so() -> None:
    made = rig(InTurn(refusal(502, "x")), time_limit=0.5)
    with pytest.raises(BudgetError) as caught:
        made.client.get("/x", "look")
    assert caught.value.failing
    calm = rig(InTurn(refusal(403, SECONDARY)), time_limit=30)
    with pytest.raises(BudgetError) as caught:
        calm.client.get("/x", "look")
    assert not caught.value.failing


def test_a_budget_that_ends_beside_a_request_that_fails_is_no_clean_end() -> None:
    """Whichever of two workers meets the time limit first."""
    found: list[BudgetError] = []

    def beside() -> Reply:
        made.clock.advance(100)
        with pytest.raises(BudgetError) as caught:
            made.client.get("/other", "look elsewhere")
        found.append(caught.value)
        return refusal(502, "x")

    made = rig(InTurn(refusal(502, "x"), beside), time_limit=60)
    with pytest.raises(BudgetError):
        made.client.get("/x", "look")
    assert [error.failing for error in found] == [True]


def test_redirects_of_a_read_are_followed_on_the_same_host_with_their_query() -> None:
    moved = Reply(301, None, {"location": f"{API}/users/new/packages/npm/x/versions"})
    made = rig(InTurn(moved, Reply(307, None, {"location": "/there?page=9"}), Reply(200, [])))
    assert made.client.get("/users/old/packages/npm/x/versions?page=3", "list").body == []
    assert [url for _, url in made.asked] == [
        "/users/old/packages/npm/x/versions?page=3",
        f"{API}/users/new/packages/npm/x/versions?page=3",
        f"{API}/there?page=9",
    ]


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/x",
        "http://api.example.test/x",
        "https://api.example.test:444/x",
        "//evil.test/x",
        "https://api.example.test@evil.test/x",
        "http://[",
        "//[",
    ],
)
def test_no_redirect_leads_to_another_host(location: str) -> None:
    made = rig(InTurn(Reply(302, None, {"location": location})))
    with pytest.raises(UnreachableError, match="another host"):
        made.client.get("/x", "look")
    assert len(made.asked) == 1


def test_a_redirect_without_end_ends() -> None:
    made = rig(lambda *_: Reply(302, None, {"location": "/x"}))
    with pytest.raises(UnreachableError, match="without end"):
        made.client.get("/x", "look")
    assert len(made.asked) == 4


def test_a_change_is_never_redirected() -> None:
    made = rig(InTurn(Reply(301, None, {"location": f"{API}/y"})))
    assert made.client.change("DELETE", "/x", "delete x").status == 301


def test_a_whole_url_must_be_the_apis_own() -> None:
    made = rig(InTurn(Reply(200, [])))
    made.client.get(f"{API}/organizations/7/x", "list")
    with pytest.raises(UnreachableError, match="another host"):
        made.client.get("https://api.example.test.evil.test/x", "list")


def test_the_log_is_told_of_each_request_and_never_of_a_header() -> None:
    lines: list[str] = []
    answers = InTurn(
        Reply(200, [], {"x-github-request-id": "AB:12", "x-oauth-scopes": "repo"}), LOST, Reply(204)
    )
    made = rig(answers, log=lines.append)
    made.client.get(f"{API}/x?page=2", "list")
    made.client.change("DELETE", "/y", "delete y")
    assert lines == [
        "GET /x?page=2: 200 (AB:12, 0 ms)",
        "DELETE /y: no answer (no request id, 0 ms)",
        "DELETE /y: 204 (no request id, 0 ms)",
    ]


def test_connections_are_closed() -> None:
    made = rig(InTurn())
    made.client.close()
    assert made.connections.closed == 1


def test_what_answers_tell_in_passing() -> None:
    date = format_datetime(START.replace(year=2025), usegmt=True)
    made = rig(
        InTurn(
            Reply(200, [], {"date": date, "x-oauth-scopes": "repo, read:packages"}),
            Reply(200, [], {"x-github-sso": "partial-results; organizations=1,2", "sunset": "soon"}),
            Reply(200, [], {"x-github-sso": "partial-results; organizations=1,2"}),
        )
    )
    assert made.response_headers.now() == START
    for _ in range(3):
        made.client.get("/x", "look")
    made.clock.advance(5)
    assert (made.response_headers.now() - START.replace(year=2025)).total_seconds() == 5
    assert made.response_headers.scopes == frozenset({"repo", "read:packages"})
    partial, ending = map(finding_words, made.response_headers.notices())
    assert "2 organizations" in partial
    assert "Sunset: soon" in ending


def test_of_two_clocks_the_earlier_counts() -> None:
    ahead = format_datetime(START.replace(year=2027), usegmt=True)
    made = rig(InTurn(Reply(200, [], {"date": ahead})))
    made.client.get("/x", "look")
    made.clock.advance(5)
    assert (made.response_headers.now() - START).total_seconds() == 5


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("refused", [1, 2, 3])
def test_a_refused_token_that_had_worked_is_tried_twice_more(method: str, refused: int) -> None:
    answers = [refusal(401, "Bad credentials")] * refused + [Reply(204)] * (3 - refused)
    made = rig(InTurn(Reply(200, []), *answers))
    made.client.get("/x", "look")
    answer = (
        made.client.change(method, "/x", "delete x") if method == "DELETE" else made.client.get("/x", "look")
    )
    assert (answer.status, answer.lost) == (401 if refused == 3 else 204, False)
    assert len(made.asked) == 2 + min(refused, 2)


def test_a_token_that_never_worked_is_believed_to_be_wrong() -> None:
    made = rig(InTurn(refusal(404, "Not Found"), refusal(401, "Bad credentials")))
    made.client.get("/x", "look")
    assert made.client.get("/x", "look").status == 401


def test_no_secret_that_a_server_repeats_gets_behind_the_client() -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in SECRET)
    made = rig(InTurn(Reply(403, f'{{"message": "no {escaped}"}}')), redactor=Redactor(SECRET))
    assert made.client.get("/x", "look").body == {"message": "no ***"}
