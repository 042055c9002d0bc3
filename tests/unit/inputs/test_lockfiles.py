"""Packages in lock and project files, and anywhere as `name@version` or `group:name:version`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from package_retention.decide.in_use import ReferenceIndex, UseCode
from package_retention.inputs.references import parse
from package_retention.model import PackageType, Version

if TYPE_CHECKING:
    from package_retention.decide.in_use import InUse

LISTED = (Version(1, "1.2.3"), Version(2, "2.0.0"), Version(3, "1.2.3-rc.1"))
NAMES = {
    PackageType.NPM: "lib",
    PackageType.MAVEN: "com.acme.lib",
    PackageType.NUGET: "Acme.Lib",
    PackageType.RUBYGEMS: "acme-lib",
}


def use(text: str, file: str, package_type: PackageType) -> InUse:
    index = ReferenceIndex(parse(text, file).references)
    return index.protected("Acme", package_type, NAMES[package_type], "ghcr.io", LISTED)


def kept(text: str, file: str, package_type: PackageType) -> list[int]:
    return sorted(use(text, file, package_type).reasons)


NPM_LOCK = json.dumps(
    {
        "name": "site",
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "site", "version": "9.9.9", "dependencies": {"@acme/lib": "^1.2.0"}},
            "node_modules/@acme/lib": {"version": "1.2.3", "resolved": "https://npm.pkg.github.com/x.tgz"},
            "node_modules/other/node_modules/@acme/lib": {"version": "2.0.0"},
        },
    },
    indent=2,
)
NPM_LOCK_1 = '{"dependencies": {"@acme/lib": {"version": "1.2.3"}}}'
YARN_1 = (
    '# yarn lockfile v1\n\n"@acme/lib@^1.2.0", "@acme/lib@~1.2":\n  version "1.2.3"\n  resolved "https://x"\n'
)
YARN_BERRY = '__metadata:\n  version: 8\n\n"@acme/lib@npm:^1.2.0":\n  version: 1.2.3\n  resolution: "x"\n'
PNPM_5 = "packages:\n  /@acme/lib/1.2.3:\n    resolution: {integrity: x}\n"
PNPM_6 = "packages:\n  /@acme/lib@1.2.3(react@18.0.0):\n    resolution: {integrity: x}\n"
PNPM_9 = "importers:\n  .:\n    dependencies:\n      '@acme/lib':\n        specifier: ^1.2.0\n        version: 1.2.3(react@18.0.0)\n"


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (NPM_LOCK_1, "web/package-lock.json"),
        (NPM_LOCK_1, "npm-shrinkwrap.json"),
        (YARN_1, "yarn.lock"),
        (YARN_1.replace("\n", "\r\n"), "yarn.lock"),
        (YARN_BERRY, "yarn.lock"),
        (PNPM_5, "pnpm-lock.yaml"),
        (PNPM_6, "pnpm-lock.yaml"),
        (PNPM_9, "pnpm-lock.yaml"),
        ("npm install @acme/lib@1.2.3", "setup.sh"),
        ("npm install lib@1.2.3", "setup.sh"),
        ('{"name": "@acme/lib", "version": "1.2.3"}', "package.json"),
        ("x: '@ACME/lib@v1.2.3'", "x.yaml"),
    ],
)
def test_npm(text: str, file: str) -> None:
    assert kept(text, file, PackageType.NPM) == [1]


def test_each_place_of_an_npm_lock_counts_with_its_line() -> None:
    reasons = use(NPM_LOCK, "package-lock.json", PackageType.NPM).reasons
    assert {number: (reason.code, reason.line) for number, reason in reasons.items()} == {
        1: (UseCode.TAG, 12),
        2: (UseCode.TAG, 16),
    }


POM = """\
<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>com.example</groupId><artifactId>site</artifactId><version>9</version>
  <dependencies>
    <dependency>
      <groupId>com.acme</groupId>
      <artifactId>lib</artifactId>
      {version}
    </dependency>
  </dependencies>
</project>
"""


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (POM.format(version="<version>1.2.3</version>"), "pom.xml"),
        (POM.format(version="<version> [1.2.3] </version>"), "pom.xml"),
        ('implementation("com.acme:lib:1.2.3")', "build.gradle.kts"),
        ("com.acme:lib:jar:1.2.3:compile", "tree.txt"),
        ("com.acme:lib:1.2.3=runtimeClasspath", "gradle.lockfile"),
    ],
)
def test_maven(text: str, file: str) -> None:
    assert kept(text, file, PackageType.MAVEN) == [1]


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (POM.format(version=""), "pom.xml"),
        (POM.format(version="<version>${lib.version}</version>"), "pom.xml"),
        (POM.format(version="<version>[1.0,2.0)</version>"), "pom.xml"),
        (POM.format(version="<version>RELEASE</version>"), "pom.xml"),
        (POM.format(version="<version>1.2.3</version>").replace("com.acme", "${project.groupId}"), "pom.xml"),
        ('implementation("com.acme:lib:$version")', "build.gradle.kts"),
        ("com.acme:lib:LATEST", "x.txt"),
    ],
)
def test_a_version_of_maven_that_cannot_be_known_protects_every_one(text: str, file: str) -> None:
    expected = [1] if "project.groupId" in text else [1, 2, 3]
    assert kept(text, file, PackageType.MAVEN) == expected


CSPROJ = '<Project Sdk="x"><ItemGroup>\n<PackageReference {} />\n</ItemGroup></Project>'


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (CSPROJ.format('Include="Acme.Lib" Version="1.2.3"'), "src/Site.csproj"),
        (CSPROJ.format('Include="acme.lib" Version="[1.2.3]"'), "Site.csproj"),
        (CSPROJ.format('Include="Acme.Lib"><Version>1.2.3</Version></PackageReference').replace(" />", ">"), "a.csproj"),
        ('{"dependencies": {"net8.0": {"Acme.Lib": {"requested": "[1.2.3, )", "resolved": "1.2.3"}}}}', "packages.lock.json"),
        ("Acme.Lib@1.2.3", "x.txt"),
    ],
)  # fmt: skip
def test_nuget(text: str, file: str) -> None:
    assert kept(text, file, PackageType.NUGET) == [1]


@pytest.mark.parametrize("version", ['Version="1.*"', 'Version="$(LibVersion)"', 'Version="[1.0,2.0)"', ""])
def test_a_version_of_nuget_that_cannot_be_known_protects_every_one(version: str) -> None:
    text = CSPROJ.format(f'Include="Acme.Lib" {version}')
    assert kept(text, "Site.csproj", PackageType.NUGET) == [1, 2, 3]


GEMS = "GEM\n  remote: https://rubygems.pkg.github.com/acme/\n  specs:\n    acme-lib (1.2.3)\n    other (2.0.0)\n      acme-lib (~> 2.0.0)\n"


@pytest.mark.parametrize(
    "text", [GEMS, GEMS.replace("1.2.3", "1.2.3-x86_64-linux"), GEMS.replace("\n", "\r\n")]
)
def test_rubygems(text: str) -> None:
    assert kept(text, "Gemfile.lock", PackageType.RUBYGEMS) == [1]


def test_versions_are_compared_in_the_loose_direction() -> None:
    for written in ("v1.2.3", "1.2.3+build.5"):
        assert kept(f"lib@{written}", "x.txt", PackageType.NPM) == [1]
    assert kept("lib@2", "x.txt", PackageType.NPM) == [2]
    assert kept("lib@1.2.30", "x.txt", PackageType.NPM) == []


def test_a_version_that_is_not_listed_is_a_notice_and_a_package_without_a_name_a_warning() -> None:
    assert [n.code for n in use("lib@7.7.7", "x.txt", PackageType.NPM).notices] == [UseCode.NOT_LISTED]
    assert [n.code for n in use("other@7.7.7", "x.txt", PackageType.NPM).notices] == [UseCode.NOT_NAMED]


def test_the_legacy_docker_registry_has_a_repository_in_its_names() -> None:
    text = "docker.pkg.github.com/acme/repository/app:v1\nghcr.io/other/x/app:v2"
    index = ReferenceIndex(parse(text, "x.txt").references)
    listed = (Version(1, "sha256:1", tags=("v1",)), Version(2, "sha256:2", tags=("v2",)))
    assert list(index.protected("acme", PackageType.DOCKER, "app", "ghcr.io", listed).reasons) == [1]
