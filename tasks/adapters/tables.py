"""One backfill's statements over the user's tables, derived from its declaration and the catalog.

Each statement stands once in sql/engine; what varies is put in by psycopg.sql: identifiers, casts
that Postgres has named itself, and the site owner's own conditions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from psycopg import sql

from tasks.adapters import catalog
from tasks.adapters.catalog import Column, Relation
from tasks.adapters.postgres import Connection, Row, statements
from tasks.core.backfill import Backfill
from tasks.core.example import columns_of
from tasks.core.places import CsvColumns, InPlace, NewRows, Rows
from tasks.core.template import Slot, Template
from tasks.core.unseen import SEEN

_SQL = statements("engine/rows.sql")
_COMMA = sql.SQL(", ")

VERSION, MODEL, CREATED = "extractor_version", "extractor_model", "created_at"
CSV_ANSWERS = "backfill.csv_answers"


@dataclass(frozen=True)
class Tables:
    """The tables of one backfill, and the statements over them; made by `of`.

    Attributes:
        source: where the rows to ask about are; None for the rows of CSV files.
        target: where records go; the source itself when answers are filled in in place.
    """

    backfill: Backfill
    source: Relation | None
    target: Relation

    # Names

    @property
    def is_in_place(self) -> bool:
        """Return whether answers fill columns of the source's own rows."""
        return isinstance(self.backfill.target, InPlace)

    @property
    def is_csv(self) -> bool:
        """Return whether answers go into the columns of a CSV."""
        return isinstance(self.backfill.target, CsvColumns)

    @property
    def has_versions(self) -> bool:
        """Return whether rows of several versions stand side by side."""
        return not self.is_in_place

    def column_name(self, name: str) -> str:
        """Return what the target's table calls a column."""
        target = self.backfill.target
        return target.columns.get(name, name) if isinstance(target, NewRows) else name

    @cached_property
    def target_id(self) -> Column:
        """Return the target's column that holds the target's id."""
        target, source = self.backfill.target, self.backfill.source
        if isinstance(target, NewRows):
            line = f"target.id in [{self.backfill.name}]"
            return catalog.column(self.target, target.id, line)
        name = source.id if isinstance(source, Rows) else "target_id"
        return self.target.columns[name]

    def placed(self, names: Iterable[str]) -> list[tuple[str, Column]]:
        """Return those of a record's columns that the table has, each with the table's column."""
        named = [(name, self.target.columns.get(self.column_name(name))) for name in names]
        return [(name, column) for name, column in named if column is not None]

    # The rows to ask about

    def candidates(self, *, changed: bool = False) -> sql.Composed:
        """Return every row in scope, or those that `changed`: target_id, content, …, has_rows."""
        source = self.rows(changed=changed)
        if self.is_in_place:
            return put("candidates", source=source)
        same = self.source_key_type == self.target_id.base
        key = self.target_id.identifier
        return put(
            "candidates_looked_up" if changed else "candidates_beside_rows",
            source=source,
            target=self.target.identifier,
            ours=self.ours,
            existing_key=key if same else put("as_text", value=key),
            source_key=sql.SQL("source.key") if same else sql.SQL("source.target_id"),
        )

    def texts(self) -> sql.Composed:
        """Return target_id, content and lengths of some target_ids, in scope or not."""
        return put("texts", source=self.rows(in_scope=False))

    def over_source(self, statement: str, *, in_scope: bool = True) -> sql.Composed:
        """Return one of the statements over the rows to ask about, in scope or not, by its name."""
        return put(statement, source=self.rows(in_scope=in_scope))

    @property
    def source_key_type(self) -> str:
        """Return the short name of the source id's type."""
        source = self.backfill.source
        if self.source is None or not isinstance(source, Rows):
            return "text"
        return self.source.columns[source.id].base

    def rows(self, *, in_scope: bool = True, changed: bool = False) -> sql.Composed:
        """Return the source's rows: key, target_id, content, …, and whether each is in_scope."""
        source = self.backfill.source
        if self.source is None or not isinstance(source, Rows):
            named = catalog.literal(self.backfill.name)
            return put("source_of_csv", backfill=named, asked_as=catalog.literal(source.text))
        cells = self._cells(self.backfill.template)
        holds: sql.Composable = condition(source.where) if source.where else _TRUE
        scope = [holds if in_scope else _TRUE]
        if changed:
            scope.append(put("changed_since", column=catalog.identifier(source.changed)))
        return put(
            "source_of_table",
            id=catalog.identifier(source.id),
            table=self.source.identifier,
            content=_joined(self.backfill.template, cells),
            is_blank=put(
                "is_blank",
                cells=sql.SQL(" || ").join(cells.values()),
                seen=catalog.literal(SEEN),
            ),
            lengths=self._lengths(cells),
            label=_joined(label, self._cells(label)) if (label := self.backfill.label) else _NULL,
            is_done=self.is_done if self.is_in_place else sql.SQL("false"),
            condition=holds,
            scope=sql.SQL(" and ").join(scope),
        )

    def _cells(self, template: Template) -> dict[str, sql.Composed]:
        """Return each of the template's columns as a text."""
        found = {}
        for name in template.columns:
            line = f"source.text in [{self.backfill.name}]"
            column = catalog.column(self.source, name, line) if self.source else None
            shape = "list_cell" if column and column.is_array else "cell"
            found[name] = put(shape, column=catalog.identifier(name))
        return found

    def _lengths(self, cells: Mapping[str, sql.Composed]) -> sql.Composable:
        if self.backfill.template.is_plain:
            return _NULL
        lengths = [put("length", cell=cells[name]) for name in self.backfill.template.columns]
        return sql.SQL("array[") + _COMMA.join(lengths) + sql.SQL("]")

    @property
    def is_done(self) -> sql.Composable:
        """Return the condition of a row that was filled in place, or that needs nothing."""
        target = self.backfill.target
        if not isinstance(target, InPlace):
            return sql.SQL("false")
        if target.done_when:
            return condition(target.done_when)
        filled = (put("filled", column=catalog.identifier(name)) for name in target.columns)
        return sql.SQL(" and ").join(filled)

    # The rows that answers become

    @property
    def ours(self) -> sql.Composable:
        """Return the condition of rows of this extractor version."""
        if self.is_csv:
            return put("of_backfill_and_version", backfill=catalog.literal(self.backfill.name))
        return put("of_version", version=self.version)

    @property
    def all_of_ours(self) -> sql.Composable:
        """Return the condition of rows of any version."""
        if self.is_csv:
            return put("of_backfill", backfill=catalog.literal(self.backfill.name))
        return _TRUE

    @property
    def version(self) -> sql.SQL:
        """Return the column that says which version a row is of."""
        return catalog.identifier(self.column_name(VERSION))

    def value(self, name: str) -> sql.Composable:
        """Return a record's column as an expression over the target's rows."""
        if self.is_csv:
            return put("csv_value", key=catalog.literal(name))
        return catalog.identifier(self.column_name(name))

    def over_columns(self, statement: str, columns: Sequence[Column]) -> sql.Composed:
        """Return one of the statements that write columns of the target's table, by its name.

        They have no parameters, so a % in a name stands as it is.
        """
        names = [sql.Identifier(column.name) for column in columns]
        return put(
            statement,
            target=sql.Identifier(self.target.schema_name, self.target.table_name),
            columns=_COMMA.join(names),
        )

    @property
    def owned(self) -> tuple[str, ...]:
        """Return what `records` fills, as far as that is known."""
        target = self.backfill.target
        return target.columns if isinstance(target, InPlace) else columns_of(self.backfill)

    def over_rows(self, statement: str) -> sql.Composed:
        """Return one of the plain statements over this version's rows, by its name."""
        return put(
            statement,
            target=self.target.identifier,
            target_id=self.target_id.identifier,
            version=self.version,
            ours=self.ours,
            all_of_ours=self.all_of_ours,
        )

    def over_candidates(self, statement: str) -> sql.Composed:
        """Return one of the statements over the rows in scope, by its name."""
        return put(statement, candidates=self.candidates())

    def values(self, csv_file: str | None = None) -> dict[str, Any]:
        """Return the parameters that any of these statements may want."""
        return {
            **self.backfill.in_ledger,
            "csv_file": csv_file,
        }


def of(connection: Connection, backfill: Backfill) -> Tables:
    """Return a backfill's tables as they are now; raise PreflightError for what is not there."""
    source, target, name = backfill.source, backfill.target, backfill.name
    rows = None
    if isinstance(source, Rows):
        rows = catalog.relation(connection, source.table, f"source.table in [{name}]")
        catalog.column(rows, source.id, f"source.id in [{name}]")
    if isinstance(target, NewRows):
        goes_to = catalog.relation(connection, target.table, f"target.table in [{name}]")
    elif rows is not None and isinstance(target, InPlace):
        goes_to = rows
    else:
        goes_to = catalog.relation(connection, CSV_ANSWERS, "the ledger")
    return Tables(backfill, rows, goes_to)


def stamp(backfill: Backfill, at: datetime) -> dict[str, object]:
    """Return what is the same in all rows of one version that are written at one time."""
    return {VERSION: backfill.extractor_version, MODEL: backfill.model, CREATED: at}


def fix_texts(connection: Connection) -> None:
    """Let values read the same until this transaction ends, whatever the session is set to."""
    connection.execute(_SQL["settings_for_text"])


def one(connection: Connection, statement: sql.Composed, values: Mapping[str, Any]) -> Row:
    """Return the one row that a statement answers."""
    return connection.execute(statement, values).fetchone() or {}


def condition(text: str) -> sql.Composed:
    """Return the site owner's own SQL, in brackets of its own; a % in it is no parameter."""
    return sql.SQL("(\n") + sql.SQL(text.replace("%", "%%")) + sql.SQL("\n)")


def put(statement: str, **parts: sql.Composable) -> sql.Composed:
    """Return one of the statements of sql/engine/rows.sql with its parts put in."""
    return sql.SQL(_SQL[statement]).format(**parts)


def _joined(template: Template, cells: Mapping[str, sql.Composed]) -> sql.Composed:
    pieces = (
        cells[piece.name] if isinstance(piece, Slot) else catalog.literal(piece)
        for piece in template.pieces
    )
    return sql.SQL(" || ").join(pieces)


_NULL = sql.SQL("null")
_TRUE = sql.SQL("true")
