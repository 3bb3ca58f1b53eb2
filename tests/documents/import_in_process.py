"""Import an archive in a process of its own, for tests that kill it.

Arguments: the root, then `plain` for the stages alone or `flow` for the Prefect flow.
"""

import asyncio
import sys
from pathlib import Path

from documents_archive import import_all, place_in

from flows.documents import documents

root, way = Path(sys.argv[1]), sys.argv[2]
sys.stdout.write("ready\n")
sys.stdout.flush()
if way == "plain":
    import_all(place_in(root))
else:
    asyncio.run(
        documents(
            data_root=root / "data",
            out_root=root / "docs",
            database=root / "documents.sqlite",
            slice_size=20,
        )
    )
