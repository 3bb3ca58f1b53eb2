"""The documents index: old artifacts into SQLite and one directory per document."""

import asyncio
from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.documents_slice import documents_slice
from tasks.adapters.documents.place import Place, alone
from tasks.core.documents.counts import Slice, SliceCount, by_stage
from tasks.core.documents.reports import Summary
from tasks.core.documents.sources import SOURCES
from tasks.core.errors import SumsError
from tasks.documents import planning, reporting


@flow(flow_run_name="documents {run_id}")
async def documents(
    data_root: Annotated[
        Path, Field(description="Folder that holds 7_cross_experiment/ and 3_generation/.")
    ],
    out_root: Annotated[
        Path | None,
        Field(description="Where document directories go; data_root/docs when left empty."),
    ] = None,
    database: Annotated[
        Path | None,
        Field(description="The SQLite file; data_root/documents.sqlite when left empty."),
    ] = None,
    run_id: Annotated[
        str,
        Field(
            pattern=r"^[\w.-]{1,100}$",
            description="The same run_id adds what is new and nothing twice; a new one makes a"
            " new attempt of every row.",
        ),
    ] = "main",
    slice_size: Annotated[
        int, Field(ge=1, le=20000, description="CSV rows that are committed together.")
    ] = 1000,
    slices_at_once: Annotated[
        int, Field(ge=1, le=16, description="Slices that are read at the same time.")
    ] = 4,
    repairs: Annotated[
        Path | None,
        Field(description="A bad_generations.csv with its repair columns filled in."),
    ] = None,
    verify: Annotated[
        bool,
        Field(description="Compare the bytes of every file with their checksums afterwards."),
    ] = False,
) -> Summary:
    """Import drafts, links, essays and evaluations; return the counters of the run."""
    place = Place(
        data_root=data_root,
        out_root=out_root or data_root / "docs",
        database=database or data_root / "documents.sqlite",
        run_id=run_id,
    )
    planning.check(place)
    with alone(place):
        slices = planning.plan(place, slice_size, repairs)
        for stage in by_stage(slices, (source.name for source in SOURCES)):
            await _import_stage(place, stage, slices_at_once)
        return reporting.report(place, verify=verify)


async def _import_stage(place: Place, stage: list[Slice], at_once: int) -> None:
    """Run a stage's slices, some at once; raise when one answers for another."""
    seats = asyncio.Semaphore(at_once)

    async def run(piece: Slice) -> SliceCount:
        async with seats:
            return await documents_slice(place, piece)

    done = await asyncio.gather(*(run(piece) for piece in stage), return_exceptions=True)
    if failures := [end for end in done if isinstance(end, BaseException)]:
        raise BaseExceptionGroup(f"{len(failures)} of {len(stage)} slices failed", failures)
    names = [end.slice_id for end in done if isinstance(end, SliceCount)]
    if names != [piece.slice_id for piece in stage]:
        raise SumsError("A slice came back under another's name; start a new run.")
