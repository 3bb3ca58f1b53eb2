"""Where a backfill's rows come from, and where its answers go."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rows:
    """The rows of a table or view, one target each.

    Attributes:
        table: "name" or "schema.name", in the letters that the database has; a name with a dot or
            blank in it stands in double quotes.
        id: the column that tells rows apart, of any type.
        text: what is asked, as a template over columns: "{title}: {body}".
        where: only rows for which this SQL condition holds; it is passed to Postgres as it is.
        name: how people call a row, as a template; its id, when left empty.
        changed: the column that says when a row was last changed: incremental runs then look only
            at what changed since the last one.
    """

    table: str
    id: str
    text: str = "{text}"
    where: str = ""
    name: str = ""
    changed: str = ""


@dataclass(frozen=True)
class CsvRows:
    """The rows of the CSV files that a run is given, whatever columns they have.

    Attributes:
        text: what is asked, as a template over the header's names.
        id: the column that tells songs apart, where there is one; a cell that is blank or says NULL
            has none, and such a row goes by its text.
        name: how people call a row, as a template; its text, when left empty.
    """

    text: str
    id: str = ""
    name: str = ""


@dataclass(frozen=True)
class NewRows:
    """Every record becomes a row of another table, which holds the rows of several versions.

    The engine fills `id`, `extractor_version` and, where the table has them, `extractor_model` and
    `created_at`; `records` yields the other columns.

    Attributes:
        id: the target's id there; its type may differ from the source's.
        columns: the table's names for what `records` or the engine calls otherwise.
        optional: columns that may be absent; what they would hold is left out then.
        key: the column of which there is one best row per target: see `backfill.<name>_best`.
    """

    table: str
    id: str
    columns: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class InPlace:
    """Every answer fills some columns of its own source row, and no other.

    Attributes:
        table: the source's table, for readers; empty means the same.
        columns: what is filled, and what `records` yields.
        done_when: SQL condition of a row that needs no answer; empty means that none of the
            columns is null.
    """

    table: str = ""
    columns: tuple[str, ...] = ()
    done_when: str = ""


@dataclass(frozen=True)
class CsvColumns:
    """Every record fills columns of its row in the CSV that goes out; all begin with a prefix.

    Two come besides what `records` yields: <prefix>status and <prefix>error_message.
    """

    prefix: str = "ai_"


Source = Rows | CsvRows
Destination = NewRows | InPlace | CsvColumns
