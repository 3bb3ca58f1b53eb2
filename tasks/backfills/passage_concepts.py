"""Which concepts a passage is about, each with the words that show it."""

from tasks.core import concepts
from tasks.core.backfill import Backfill
from tasks.core.gates import Gate
from tasks.core.places import NewRows, Rows

BACKFILL = Backfill(
    name="passage_concepts",
    title="Passage concepts",
    extractor_version="gemini_batch_v1",
    answer=concepts.answer,
    records=concepts.records,
    options=concepts.ConceptOptions(),
    source=Rows("passages", id="passage_id", text="{passage_text}"),
    target=NewRows("passage_concepts", id="passage_id", key="concept_name"),
    gates=(
        Gate("evidence_coverage", "Share of concepts with evidence", at_least=0.99),
        Gate("rows_per_target", "Concepts per passage", at_least=4, at_most=14),
        Gate("unparseable", "Share of unparseable responses", at_most=0.01),
    ),
    output_tokens=475,
    output_tokens_on_diet=325,
)
