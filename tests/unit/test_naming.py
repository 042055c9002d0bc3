from __future__ import annotations

import pytest

from package_retention.model import Decision
from package_retention.output.summary.blocks import Code
from package_retention.output.summary.naming import Names, short, short_tag
from run_results import NEWEST, version

HEX = "2aab52919d9d2bef084eb82f7a0fbaefe9fea776287ef8ac673143e37f0fe0cc"


@pytest.mark.parametrize(
    ("tag", "known", "unknown"),
    [
        (f"sha256-{HEX}.sig", "signature of v1", "sha256-2aab52919d9d….sig"),
        (f"sha256-{HEX}.att", "attestation of v1", "sha256-2aab52919d9d….att"),
        (f"sha256-{HEX}.sbom", "SBOM of v1", "sha256-2aab52919d9d….sbom"),
        (f"sha256-{HEX}", "referrers of v1", "sha256-2aab52919d9d…"),
        ("v2", "v2", "v2"),
        ("sha256-abc", "sha256-abc", "sha256-abc"),
    ],
)
def test_a_digest_derived_tag_is_said_by_its_subject(tag: str, known: str, unknown: str) -> None:
    subject = Decision(version(1, "v1", "latest", name=f"sha256:{HEX}"), False, NEWEST)
    assert Names([subject]).words(tag) == known
    assert Names().words(tag) == short_tag(tag) == unknown


def test_a_signature_of_an_untagged_image_has_a_short_name() -> None:
    subject = Decision(version(1, name=f"sha256:{HEX}"), False, NEWEST)
    assert Names([subject]).words(f"sha256-{HEX}.sig") == "sha256-2aab52919d9d….sig"


def test_many_tags_are_counted() -> None:
    one = version(1, *(f"t{n}" for n in range(11)))
    line = Names().line(one)
    assert "and 3 more tags " in line
    assert sum(isinstance(piece, Code) for piece in line) == 9
    assert Names().text(one).endswith("t7, …, sha256:000000000000")


def test_only_digests_are_cut() -> None:
    assert short(f"sha256:{HEX}") == "sha256:2aab52919d9d"
    assert short("org.group:artifact-1.0") == "org.group:artifact-1.0"
