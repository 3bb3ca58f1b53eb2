"""Comparing and promoting as a person does it: by deployments, with pages in the UI."""

import pytest
from deployed import Deployed

LINES = 'model = "gemini-2.5-flash"\nextractor_version = "v2"'


@pytest.mark.long
def test_a_candidate_is_compared_and_the_better_version_promoted(on_stack: Deployed) -> None:
    on_stack.load(30)
    full = {"kind": "full", "without_pilot": True, "approve_up_to_usd": 1.0}
    assert on_stack.run("backfill/full", **full)["type"] == "COMPLETED"

    compared = on_stack.run("compare/versions", candidate_lines=LINES, targets=20)
    asked = on_stack.run("compare/versions", candidate="v2", targets=0)
    looked = on_stack.run("promote/version")
    promoted = on_stack.run("promote/version", by="Ada", reason="fewer bad", dry_run=False)

    assert (compared["type"], compared["name"]) == ("COMPLETED", "Compared"), compared
    assert "20 targets" in on_stack.artifact("passage-concepts-compare")
    assert asked["type"] == "FAILED"
    assert "targets is 0" in asked["message"]
    assert looked["name"] == "DryRun"
    assert (promoted["type"], promoted["name"]) == ("COMPLETED", "Promoted"), promoted
    assert "| coverage | " in on_stack.artifact("passage-concepts-promote")
    [noted] = on_stack.sql("select promoted_by, reason from backfill.promoted")
    assert noted == {"promoted_by": "Ada", "reason": "fewer bad"}
