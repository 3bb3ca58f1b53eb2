"""The documents index: old artifacts into SQLite and one directory per document."""

import asyncio

from prefect import flow
from prefect.client.schemas.objects import State

from flows.documents_slice import documents_slice
from tasks.adapters.stages import says_why
from tasks.core.errors import BackfillError, SumsError
from tasks.documents import planning, reporting
from tasks.documents.adapters.place import Place, alone
from tasks.documents.core.counts import Portion, PortionCount, by_stage
from tasks.documents.core.reports import Summary
from tasks.documents.core.sources import SOURCES
from tasks.documents.parameters import (
    BadList,
    Database,
    DataRoot,
    OutRoot,
    Repairs,
    RunId,
    SlicesAtOnce,
    SliceSize,
    Verify,
)


@flow(name="documents", flow_run_name="documents {run_id}", result_serializer="json")
@says_why
async def documents(  # noqa: PLR0913, PLR0917 - a run's form has these fields
    data_root: DataRoot,
    out_root: OutRoot = None,
    database: Database = None,
    bad_list: BadList = None,
    run_id: RunId = "main",
    slice_size: SliceSize = 1000,
    slices_at_once: SlicesAtOnce = 4,
    repairs: Repairs = None,
    verify: Verify = False,  # noqa: FBT002 - a form has check boxes
) -> State[Summary]:
    """Import drafts, links, essays and evaluations; end with the run's sentence and counters.

    Run it again to go on: no row is imported twice under one run_id, none is ever changed.

    Args:
        data_root: Folder that holds 7_cross_experiment/, 3_generation/ and 4_evaluation/.
        out_root: Where the document directories go; data_root/docs when left empty.
        database: The SQLite file; data_root/db/documents.sqlite when left empty.
        bad_list: The CSV file of rows without a document;
            data_root/7_cross_experiment/bad_generations.csv when left empty.
        run_id: The same one adds what is new; another one is a new attempt of every row.
        slice_size: CSV rows that are committed together.
        slices_at_once: Slices that are read at the same time; only one writes.
        repairs: A bad_generations.csv with its repair columns filled in.
        verify: Compare the bytes of every file with their checksums afterwards.
    """
    place = Place.of(data_root, run_id, out_root=out_root, database=database, bad_list=bad_list)
    planning.check(place)
    with alone(place):
        slices = planning.plan(place, slice_size, repairs)
        for stage in by_stage(slices, (source.name for source in SOURCES)):
            await _import_stage(place, stage, slices_at_once)
        return reporting.completed(reporting.report(place, verify=verify))


async def _import_stage(place: Place, stage: list[Portion], at_once: int) -> None:
    """Run a stage's slices, some at once; raise when one answers for another."""
    seats = asyncio.Semaphore(at_once)

    async def run(piece: Portion) -> PortionCount:
        async with seats:
            return await documents_slice(place, piece)

    done = await asyncio.gather(*(run(piece) for piece in stage), return_exceptions=True)
    if failures := [end for end in done if isinstance(end, BaseException)]:
        if stopped := [each for each in failures if not isinstance(each, Exception)]:
            raise stopped[0]
        said = f"{len(failures)} of {len(stage)} slices failed, one because of this: {failures[0]}"
        raise BackfillError(f"{said} Run again to go on; what is imported stays.") from failures[0]
    names = [end.slice_id for end in done if isinstance(end, PortionCount)]
    if names != [piece.slice_id for piece in stage]:
        raise SumsError("A slice came back under another's name; start a new run.")
