"""Which concepts a piece of source code is about, each with the code that shows it."""

from tasks.core import concepts
from tasks.core.backfill import Backfill
from tasks.core.gates import Gate
from tasks.core.places import NewRows, Rows

BACKFILL = Backfill(
    name="chunk_concepts",
    title="Code chunk concepts",
    extractor_version="gemini_batch_v1",
    answer=concepts.answer,
    records=concepts.records,
    options=concepts.ConceptOptions(),
    source=Rows("code_chunks", id="chunk_id", text="{content}", name="{symbol_qualified_name}"),
    target=NewRows(
        "chunk_concepts", id="chunk_id", key="concept_name", optional=("evidence", "aliases")
    ),
    gates=(
        Gate("quotes_placed", "Share of quotes that stand in the code", at_least=0.9),
        Gate("rows_per_target", "Concepts per chunk", at_least=3, at_most=14),
        Gate("unparseable", "Share of unparseable responses", at_most=0.01),
    ),
    output_tokens=350,
    output_tokens_on_diet=255,
)
