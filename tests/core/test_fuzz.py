"""The properties that matter most, with very many examples."""

from collections.abc import Callable

import pytest
import test_answers
import test_evidence
import test_folding
import test_grounding
import test_joining
import test_reading
import test_request_lines
from hypothesis import HealthCheck, settings

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]
PROPERTIES: list[Callable[[], None]] = [
    test_reading.test_no_bytes_raise,
    test_reading.test_no_json_raises_and_every_field_has_its_type,
    test_answers.test_no_text_raises,
    test_answers.test_cutting_an_answer_anywhere_never_invents_an_item,
    test_answers.test_prose_without_brackets_around_an_answer_changes_nothing,
    test_joining.test_the_order_of_lines_decides_nothing,
    test_request_lines.test_key_text_and_limit_survive_the_way_through_json,
    test_folding.test_folding_with_a_map_is_folding,
    test_folding.test_the_map_back_never_runs_backwards,
    test_grounding.test_any_span_lies_in_the_passage_and_says_truly_how_it_matched,
    test_grounding.test_every_part_of_a_passage_is_found_exactly,
    test_grounding.test_what_does_not_count_never_hides_a_quote,
    test_evidence.test_evidence_is_json_that_jsonb_takes_and_every_quote_is_its_span,
]


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: holds.__name__)
def test_a_property_holds_for_very_many_examples(holds: Callable[[], None]) -> None:
    profile = settings(
        max_examples=5_000,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )

    profile(holds)()
