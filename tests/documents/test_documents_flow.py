"""The flow as Prefect runs it: stages in order, one subflow per slice, an artifact at the end."""

import asyncio
from pathlib import Path

import pytest
from documents_archive import query, snapshot
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowFilter
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_schema

from deployments.local.sample_documents import make_tree
from flows.documents import documents
from tasks.documents.adapters.place import Place

pytestmark = pytest.mark.usefixtures("prefect_server")


async def subflow_names() -> list[str]:
    async with get_client() as client:
        runs = await client.read_flow_runs(
            flow_filter=FlowFilter.model_validate({"name": {"any_": ["documents-slice"]}})
        )
    ordered = sorted(runs, key=lambda run: run.start_time)
    return [run.name for run in ordered]


async def artifacts() -> list[str]:
    key = ArtifactFilterKey.model_validate({"any_": ["documents-index"]})
    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=ArtifactFilter(key=key))
    return [str(artifact.data) for artifact in found]


def test_the_flow_imports_a_tree_and_again_adds_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    planted = make_tree(data, 40)
    place = Place.of(data, "main")

    summary = asyncio.run(documents(data_root=data, slice_size=25, slices_at_once=3))
    names = asyncio.run(subflow_names())
    before = snapshot(place)
    again = asyncio.run(documents(data_root=data, slice_size=25, return_state=True))

    del planted["missing_prompt"]
    assert summary.counters == planted
    stages = [name.rsplit("-", 1)[0] for name in names]
    order = ["draft_generation", "link_generation", "essay_generation", "evaluation"]
    assert list(dict.fromkeys(stages)) == [f"{stage}_results" for stage in order]
    assert len(names) == 7
    assert snapshot(place) == before
    assert again.is_completed()
    assert again.message == summary.message
    assert any("# Documents index, run main" in text for text in asyncio.run(artifacts()))
    assert len(query(place.database, "select * from documents")) > 50


def test_the_form_explains_every_field() -> None:
    schema = parameter_schema(documents)

    assert schema.required == ["data_root"]
    assert all(told.get("description") for told in schema.properties.values())
    assert schema.properties["slice_size"]["maximum"] == 20000


def test_a_form_filled_in_wrongly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterTypeError, match="slice_size"):
        asyncio.run(documents(data_root=tmp_path, slice_size=0))
    with pytest.raises(ParameterTypeError, match="run_id"):
        asyncio.run(documents(data_root=tmp_path, run_id="a/b"))
