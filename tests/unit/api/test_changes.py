from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connections import LOST, InTurn, Reply, Rig, refusal, rig
from package_retention.errors import (
    BudgetError,
    CancelledError,
    InDoubtError,
    MissingError,
    RefusalKind,
    RefusedError,
    StaleError,
    UnreachableError,
)
from package_retention.model import Owner, OwnerKind, Package, PackageType, Result

if TYPE_CHECKING:
    from collections.abc import Callable

LIB = Package(Owner("acme", OwnerKind.ORGANIZATION), PackageType.NPM, "a/lib")
PATH = "/orgs/acme/packages/npm/a%2Flib"
DONE = Reply(204)
THERE = Reply(200, {"id": 7, "name": "1.0.0"})
DELETED = Reply(200, {"id": 7, "name": "1.0.0", "deleted_at": "2026-10-01T00:00:00Z"})
NO_VERSION = refusal(404, "Package version not found.")
NO_PACKAGE = refusal(404, "Package not found.")
SERVER = refusal(502, "Server Error")
ODD = refusal(422, "Something else.")

CHANGES: dict[str, Callable[[Rig, float | None], Result]] = {
    "delete version": lambda made, by: made.packages.delete_version(LIB, 7, not_after=by),
    "delete package": lambda made, by: made.packages.delete_package(LIB, not_after=by),
    "restore version": lambda made, by: made.packages.restore_version(LIB, 7, not_after=by),
    "restore package": lambda made, by: made.packages.restore_package(LIB, not_after=by),
}
REQUESTS = {
    "delete version": ("DELETE", f"{PATH}/versions/7"),
    "delete package": ("DELETE", PATH),
    "restore version": ("POST", f"{PATH}/versions/7/restore"),
    "restore package": ("POST", f"{PATH}/restore"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_request_does_it(change: str) -> None:
    made = rig(InTurn(DONE))
    assert CHANGES[change](made, None) is Result.DONE
    assert made.asked == [REQUESTS[change]]
    assert made.packages.pacing().points == 5


def outcome(change: str, *answers: Any, by: float | None = None, **kw: Any) -> Result | Exception:
    script = InTurn(*answers)
    made = rig(script, **kw)
    try:
        return CHANGES[change](made, by)
    except Exception as error:  # noqa: BLE001 - what is raised is what is tested
        return error
    finally:
        assert script.left == 0, f"never asked: {script.left} answers"


@pytest.mark.parametrize(
    ("change", "answers", "expected"),
    [
        ("delete version", [NO_VERSION, NO_VERSION], Result.ALREADY),
        ("delete version", [NO_PACKAGE, NO_VERSION], Result.ALREADY),
        ("delete version", [NO_PACKAGE, NO_PACKAGE], Result.ALREADY),
        ("delete version", [NO_VERSION, DELETED], Result.ALREADY),
        ("delete package", [NO_PACKAGE, NO_PACKAGE], Result.ALREADY),
        ("restore version", [NO_VERSION, THERE], Result.ALREADY),
        ("restore version", [ODD, THERE], Result.ALREADY),
        ("restore package", [NO_PACKAGE, THERE], Result.ALREADY),
        # Repeated after a lost answer or a server error, and then found done: it is ours.
        ("delete version", [LOST, NO_VERSION, NO_VERSION], Result.DONE),
        ("delete version", [SERVER, NO_VERSION, NO_VERSION], Result.DONE),
        ("delete version", [SERVER, SERVER, DONE], Result.DONE),
        ("delete version", [LOST, ODD, NO_VERSION], Result.DONE),
        ("delete package", [LOST, NO_PACKAGE], Result.DONE),
        ("restore version", [LOST, NO_VERSION, THERE], Result.DONE),
        ("restore package", [SERVER, refusal(409, "x"), THERE], Result.DONE),
        # Every try failed, and yet it is done.
        ("delete version", [LOST, LOST, LOST, LOST, LOST, NO_VERSION], Result.DONE),
        ("restore version", [SERVER, SERVER, SERVER, SERVER, SERVER, THERE], Result.DONE),
    ],
)
def test_what_is_found_done(change: str, answers: list[Any], expected: Result) -> None:
    assert outcome(change, *answers) is expected


@pytest.mark.parametrize(
    ("change", "answers", "kind"),
    [
        ("delete version", [NO_PACKAGE, THERE], RefusalKind.ROLE),
        ("delete version", [NO_VERSION, THERE], RefusalKind.ROLE),
        ("delete version", [LOST, NO_PACKAGE, THERE], RefusalKind.ROLE),
        ("delete package", [NO_PACKAGE, THERE], RefusalKind.ROLE),
        ("restore version", [NO_VERSION, NO_VERSION], RefusalKind.VERSION_NOT_FOUND),
        ("restore version", [NO_VERSION, DELETED], RefusalKind.VERSION_NOT_FOUND),
        ("restore package", [NO_PACKAGE, NO_PACKAGE], RefusalKind.NOT_FOUND),
        ("restore version", [ODD, NO_VERSION], RefusalKind.OTHER),
        ("delete version", [ODD], RefusalKind.OTHER),
        ("delete version", [refusal(401, "Bad credentials")], RefusalKind.BAD_TOKEN),
        ("delete version", [NO_VERSION, refusal(401, "Bad credentials")], RefusalKind.BAD_TOKEN),
        ("delete version", [NO_VERSION, refusal(403, "no")], RefusalKind.VERSION_NOT_FOUND),
        ("delete version", [refusal(403, "Resource not accessible by integration")], RefusalKind.ROLE),
        (
            "delete version",
            [
                refusal(
                    400,
                    "You cannot delete the last version of a package. You must delete the package instead.",
                )
            ],
            RefusalKind.LAST_VERSION,
        ),
        (
            "delete version",
            [LOST, refusal(400, "You cannot delete the last tagged version of a package."), THERE],
            RefusalKind.LAST_TAGGED,
        ),
        (
            "delete version",
            [
                refusal(
                    422, "Publicly visible package versions with more than 5000 downloads cannot be deleted."
                )
            ],
            RefusalKind.DOWNLOADS,
        ),
        (
            "delete version",
            [Reply(301, {"message": "Moved Permanently"}, {"location": "/x"})],
            RefusalKind.NOT_FOUND,
        ),
    ],
)
def test_what_is_refused(change: str, answers: list[Any], kind: RefusalKind) -> None:
    error = outcome(change, *answers)
    assert isinstance(error, RefusedError), error
    assert error.refusal.kind is kind
    assert isinstance(error, MissingError) is (kind in (RefusalKind.NOT_FOUND, RefusalKind.VERSION_NOT_FOUND))
    assert "a/lib" in error.message
    assert error.hint


@pytest.mark.parametrize("odd", [Reply(200, {}), Reply(202), Reply(200)])
def test_only_204_says_that_it_is_done(odd: Reply) -> None:
    assert outcome("delete version", odd, NO_VERSION) is Result.DONE
    error = outcome("delete version", odd, THERE)
    assert isinstance(error, UnreachableError)
    assert "yet it was not done" in error.message
    error = outcome("restore version", odd, refusal(403, "no"))
    assert isinstance(error, UnreachableError)
    assert "cannot tell" in error.message


def test_a_portals_page_is_no_answer() -> None:
    portal = Reply(200, "<html>log in</html>")
    assert outcome("delete version", portal, DONE) is Result.DONE
    error = outcome("delete version", *[portal] * 5, THERE)
    assert isinstance(error, UnreachableError)
    assert "an answer that is not JSON" in error.message


@pytest.mark.parametrize(
    "answers",
    [
        [LOST, THERE],
        [SERVER, THERE],
        [refusal(403, "You have exceeded a secondary rate limit.")],
        [refusal(429, "Too many requests.", retry_after="3")],
    ],
    ids=["lost", "server", "limit", "retry-after"],
)
def test_a_whole_package_is_not_deleted_again_without_another_look(answers: list[Any]) -> None:
    assert isinstance(outcome("delete package", *answers), StaleError)


FIVE = [LOST] * 5


def test_what_surely_was_not_done_and_what_nobody_knows() -> None:
    known = outcome("delete version", *FIVE, THERE)
    assert isinstance(known, UnreachableError)
    assert "it was not done" in known.message
    for look in ([LOST] * 5, [refusal(403, "no")]):
        unknown = outcome("delete version", *FIVE, *look)
        assert isinstance(unknown, UnreachableError)
        assert "cannot tell whether this was done" in unknown.message
    for look in ([LOST] * 5, [SERVER] * 5):
        unknown = outcome("restore version", LOST, NO_VERSION, *look)
        assert isinstance(unknown, UnreachableError)
        assert "cannot tell" in unknown.message


@pytest.mark.parametrize("answer", [refusal(401, "Bad credentials"), refusal(403, "no")])
def test_a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_done(answer: Reply) -> None:
    assert isinstance(outcome("delete version", LOST, answer, answer), InDoubtError)
    assert isinstance(outcome("delete version", *FIVE, answer), InDoubtError)


def test_a_lost_change_that_may_not_be_repeated_in_time_is_looked_at() -> None:
    assert outcome("delete version", LOST, NO_VERSION, by=0.5) is Result.DONE
    assert isinstance(outcome("delete version", LOST, THERE, by=0.5), StaleError)
    assert isinstance(outcome("delete version", by=-1), StaleError)


def test_the_end_of_the_run_never_hides_a_change_that_may_be_made() -> None:
    """The wait for the next try would pass the limit, a look does not; after a cancel nobody may look."""
    assert outcome("delete version", LOST, NO_VERSION, time_limit=0.9) is Result.DONE
    assert isinstance(outcome("delete version", LOST, THERE, time_limit=0.9), BudgetError)
    made = rig(lambda *_: LOST)

    def cancelling(*_: str) -> Any:
        made.clock.cancel()
        return LOST

    made = rig(cancelling)
    with pytest.raises(UnreachableError, match="cannot tell whether this was done"):
        made.packages.delete_version(LIB, 7)
    with pytest.raises(CancelledError):
        made.packages.delete_version(LIB, 8)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_is_a_step_along_the_path_is_never_sent(name: str) -> None:
    made = rig(InTurn())
    with pytest.raises(MissingError):
        made.packages.delete_package(Package(LIB.owner, PackageType.NPM, name))
    with pytest.raises(MissingError):
        made.packages.owner(name)
