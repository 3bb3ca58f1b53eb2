"""One slice of the documents index, as a subflow."""

import asyncio

from prefect import flow

from tasks.documents.adapters.place import Place
from tasks.documents.core.counts import Portion, PortionCount
from tasks.documents.slices import import_slice


@flow(flow_run_name="{piece.slice_id}", retries=1, persist_result=True, result_serializer="json")
async def documents_slice(place: Place, piece: Portion) -> PortionCount:
    """Import one slice: read, make directories, insert; running it again changes nothing."""
    done = import_slice.submit(place, piece)
    return await asyncio.to_thread(done.result)
