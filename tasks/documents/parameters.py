"""The fields of the index's form: what may stand in them."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

DataRoot = Annotated[
    Path, Field(description="Folder of 7_cross_experiment/, 3_generation/ and the others.")
]
OutRoot = Annotated[Path | None, Field(description="Folder of the document directories.")]
Database = Annotated[Path | None, Field(description="The SQLite file.")]
BadList = Annotated[Path | None, Field(description="The CSV file of rows without a document.")]
RunId = Annotated[str, Field(pattern=r"^[\w.-]{1,100}$", description="Whose attempts these are.")]
SliceSize = Annotated[int, Field(ge=1, le=20_000, description="Rows committed together.")]
SlicesAtOnce = Annotated[int, Field(ge=1, le=16, description="Slices read at the same time.")]
Repairs = Annotated[Path | None, Field(description="A corrected bad_generations.csv.")]
Verify = Annotated[bool, Field(description="Compare every file with its checksum afterwards.")]
