from pathlib import Path

import pytest

from deployments.audit_deps import advisories

ADVISORY = """
id: PYSEC-1
aliases: [CVE-1]
affected:
- package: {name: some-thing, ecosystem: PyPI}
  ranges:
  - type: ECOSYSTEM
    events: [{introduced: "1.2"}, {fixed: "1.4"}, {introduced: "2"}, {last_affected: "2.1"}]
  versions: ["0.9"]
modified: "2024-01-01T00:00:00Z"
"""


@pytest.mark.parametrize(
    ("version", "is_known"),
    [
        ("0.9", True),
        ("1.1", False),
        ("1.2", True),
        ("1.3.9", True),
        ("1.4", False),
        ("2.1", True),
        ("2.1.1", False),
    ],
)
def test_an_advisory_is_named_for_the_versions_that_it_is_about(
    tmp_path: Path,
    version: str,
    is_known: bool,  # noqa: FBT001
) -> None:
    place = tmp_path / "vulns" / "some-thing"
    place.mkdir(parents=True)
    (place / "PYSEC-1.yaml").write_text(ADVISORY)

    found = list(advisories(tmp_path, "Some_Thing", version))

    assert found == ([f"Some_Thing=={version}: PYSEC-1, CVE-1"] if is_known else [])
    assert list(advisories(tmp_path, "another", version)) == []
