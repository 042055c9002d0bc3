"""The live run asks each open question once, in an order in which answers mean something, and only of what may be lost."""

import json

import pytest
from scripts.live_probe import NotDisposableError, Response, probe


class FakeGitHub:
    """Answers by path and remembers what it was asked."""

    def __init__(self, versions: list[int], *, organization: bool = True) -> None:
        self.versions = versions
        self.organization = organization
        self.asked: list[tuple[str, str]] = []

    def ask(self, question: str, method: str, path: str) -> Response:
        self.asked.append((method, path))
        status, body = 200, "{}"
        if path.count("/") == 2 and path.startswith("/orgs/"):
            status = 200 if self.organization else 404
        elif path.endswith("/versions?per_page=100"):
            body = json.dumps([{"id": number} for number in self.versions])
        return Response(question, method, path, status, {}, body)


def test_another_package_is_not_touched() -> None:
    github = FakeGitHub([1])
    with pytest.raises(NotDisposableError, match="app"):
        list(probe(github.ask, "octo", "app"))
    assert github.asked == []


def test_every_question_is_asked_once_but_the_last_version() -> None:
    github = FakeGitHub([30, 20, 10])
    questions = [answer.question for answer in probe(github.ask, "octo", "app-live")]
    repeated = {question for question in questions if questions.count(question) > 1}
    assert repeated == {"delete up to the last version"}
    assert len(questions) == len(github.asked)


def test_nothing_is_changed_before_all_is_read() -> None:
    github = FakeGitHub([30, 20, 10])
    list(probe(github.ask, "octo", "app-live"))
    first_change = next(index for index, (method, _) in enumerate(github.asked) if method != "GET")
    assert any("page=101" in path for _, path in github.asked[:first_change])
    assert all("/app-live" in path for method, path in github.asked if method != "GET")


def test_the_oldest_goes_and_comes_back_and_goes_again_before_the_others() -> None:
    github = FakeGitHub([30, 20, 10])
    list(probe(github.ask, "octo", "app-live"))
    of_the_oldest = [method for method, path in github.asked if "/versions/10" in path]
    assert of_the_oldest == ["POST", "DELETE", "DELETE", "GET", "POST", "POST", "DELETE"]


def test_a_user_is_asked_on_the_users_paths() -> None:
    github = FakeGitHub([], organization=False)
    list(probe(github.ask, "octo cat", "app-live"))
    assert ("GET", "/users/octo%20cat/packages/container/app-live") in github.asked
    assert [path for _, path in github.asked if path.startswith("/orgs/")] == ["/orgs/octo%20cat"]


def test_an_answer_that_is_no_list_changes_nothing() -> None:
    github = FakeGitHub([])
    list(probe(github.ask, "octo", "app-live"))
    assert {method for method, _ in github.asked} == {"GET"}
