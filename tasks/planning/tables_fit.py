"""Whether the user's tables are what a declaration says: a sentence for each thing that is not."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from tasks.adapters import catalog, tables
from tasks.adapters.catalog import Relation
from tasks.adapters.measures import record_columns
from tasks.adapters.postgres import Connection
from tasks.adapters.settings import settings
from tasks.adapters.tables import CREATED, MODEL, VERSION, Tables
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.places import InPlace, NewRows, Rows
from tasks.planning import changes, trial
from tasks.planning.trial import CHECKPOINT_TABLE

SAMPLES = "Sample data of the embedded stack"
"""How the comment begins that `make up` leaves on the tables it fills."""

_CHECKPOINT_COLUMNS = (
    "job_name",
    "cursor_position",
    "cursor_type",
    "updated_at",
    "status",
    "items_processed",
)


@dataclass
class Fit:
    """What is wrong, and what a person should know although it stops nothing."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def fit(connection: Connection, backfill: Backfill) -> Fit:
    """Return how a backfill's tables fit its declaration; what is tried is taken back."""
    found = Fit(_checkpoint_problems(connection))
    if missing := _first(_missing_names(connection, backfill)):
        found.problems += [*missing, *_beside(connection, backfill)]
        return found
    here = tables.of(connection, backfill)
    found.problems += [*_source_problems(connection, here), *_target_problems(connection, here)]
    found.problems += changes.problems(here)
    found.notes += [*_left_out(here), *changes.notes(connection, here)]
    if not found.problems:
        found.problems += _unreadable(connection, here)
    if not found.problems:
        found.problems += _in_place_problems(connection, here)
        found.notes += _empty(connection, here)
    if not found.problems:
        said = trial.try_rows(connection, here)
        found.problems += [*said.problems, *trial.try_checkpoint(connection, here)]
        found.notes += said.notes
    return found


def _beside(connection: Connection, backfill: Backfill) -> list[str]:
    """Return what is wrong with the target's table where the source, or one of its columns, is."""
    target = backfill.target
    if not isinstance(target, NewRows):
        return []
    try:
        table = catalog.relation(connection, target.table, "target.table")
    except PreflightError:
        return []  # its own sentence has been said
    return list(_target_problems(connection, Tables(backfill, None, table)))


def _first(checks: Iterable[Callable[[], object]]) -> list[str]:
    """Return what all checks say; a check raises its sentence."""
    said = []
    for check in checks:
        try:
            check()
        except PreflightError as error:
            said.append(str(error))
    return list(dict.fromkeys(said))


def _missing_names(connection: Connection, backfill: Backfill) -> Iterator[Callable[[], object]]:
    """Yield a look at every table and column that the declaration names."""
    source, target, name = backfill.source, backfill.target, backfill.name

    def relation(table: str, line: str) -> Relation:
        return catalog.relation(connection, table, f"{line} in [{name}] of backfills.toml")

    def column(table: str, part: str, wanted: str, line: str) -> object:
        try:
            found = relation(table, f"{part}.table")
        except PreflightError:
            return None  # the table's own sentence says it
        return catalog.column(found, wanted, f"{line} in [{name}] of backfills.toml")

    if isinstance(source, Rows):
        yield lambda: relation(source.table, "source.table")
        yield lambda: column(source.table, "source", source.id, "source.id")
        if source.changed:
            yield lambda: column(source.table, "source", source.changed, "source.changed")
        for each in backfill.template.columns:
            yield lambda each=each: column(source.table, "source", each, "source.text")  # type: ignore[misc]
        for each in backfill.label.columns if backfill.label else ():
            yield lambda each=each: column(source.table, "source", each, "source.name")  # type: ignore[misc]
        for each in target.columns if isinstance(target, InPlace) else ():
            yield lambda each=each: column(source.table, "source", each, "target.columns")  # type: ignore[misc]
    if isinstance(target, NewRows):
        yield lambda: relation(target.table, "target.table")
        yield lambda: column(target.table, "target", target.id, "target.id")


def _source_problems(connection: Connection, here: Tables) -> Iterator[str]:
    table = here.source
    if table is None:
        return
    if catalog.missing_rights(connection, table, ["select"]):
        yield _no_right(connection, table, ["select"])
    if table.hides_rows:
        role = catalog.role(connection)
        yield (
            f"Row security hides rows of {table.table_name} from user '{role}', and what is hidden"
            f" would never be asked: alter role {role} bypassrls; or set source.table to a view"
            " that its owner made."
        )
    if table.comment.startswith(SAMPLES) and not settings().gemini_url:
        yield (
            f"Table {table.table_name} holds sample data, and your key would pay for its answers:"
            " point BACKFILL_DATABASE_URL at your own database, or unset GEMINI_API_KEY and"
            " `make up` again to have the emulator answer; if the rows are yours by now,"
            f" `comment on table {table.table_name} is null;` says so."
        )
    yield from _condition_problems(connection, here)


def _condition_problems(connection: Connection, here: Tables) -> Iterator[str]:
    """Let Postgres read the site owner's own SQL."""
    source, target = here.backfill.source, here.backfill.target
    written = [(source.where, "source.where")] if isinstance(source, Rows) else []
    written += [(target.done_when, "target.done_when")] if isinstance(target, InPlace) else []
    for text, line in written:
        if text and here.source:
            statement = tables.put(
                "try_condition", table=here.source.identifier, condition=tables.condition(text)
            )
            if said := _refused(connection, statement):
                name = here.backfill.name
                yield f"{line} in [{name}] is no condition over {source_name(here)}: {said}."


def _target_problems(connection: Connection, here: Tables) -> Iterator[str]:
    target = here.backfill.target
    if isinstance(target, InPlace):
        if lacking := catalog.missing_rights(connection, here.target, ["update"], target.columns):
            yield _no_right(connection, here.target, lacking)
        return
    if lacking := catalog.missing_rights(connection, here.target, ["select", "insert", "delete"]):
        yield _no_right(connection, here.target, lacking)
    if isinstance(target, NewRows):
        yield from _column_problems(here, target)


def _column_problems(here: Tables, target: NewRows) -> Iterator[str]:
    table, name = here.target, here.backfill.name
    wanted = (VERSION, *record_columns(here.backfill))
    for each in wanted:
        column = here.column_name(each)
        if column in table.columns:
            if table.columns[column].is_generated:
                yield (
                    f"{table.table_name}.{column} is generated by the database and cannot be"
                    f" written: let `records` of {name} leave it out."
                )
        elif each not in target.optional or each == VERSION:
            near = catalog.nearest(
                column, set(table.columns) - {*wanted, MODEL, CREATED, target.id}
            )
            meant = f'if {near} is meant, set target.columns = {{ {each} = "{near}" }}; else '
            remedy = (
                "add it, so that the rows of several versions can stand side by side"
                if each == VERSION
                else f'add it, or set target.optional = ["{each}"] to leave it out'
            )
            yield (
                f"{table.table_name} has no column {column}, which {name} writes:"
                f" {meant if near else ''}{remedy} ([{name}] of backfills.toml)."
            )
    filled = {here.column_name(each) for each in (*wanted, MODEL, CREATED)} | {target.id}
    for other in table.columns.values():
        if other.is_required and other.name not in filled:
            yield (
                f"{table.table_name}.{other.name} is not null, has no default and is filled by"
                f" nothing that {name} yields: give it a default, or let `records` yield it."
            )


def _in_place_problems(connection: Connection, here: Tables) -> Iterator[str]:
    target, source = here.backfill.target, here.backfill.source
    if not isinstance(target, InPlace) or not isinstance(source, Rows) or here.source is None:
        return
    table = here.source
    if table.is_view:
        yield (
            f"{table.table_name} is a view: answers are filled in in place, so set source.table in"
            f" [{here.backfill.name}] to the table below it."
        )
        return
    if generated := [each for each in target.columns if table.columns[each].is_generated]:
        yield f"{table.table_name}.{generated[0]} is generated and cannot be filled in."
    if not catalog.is_unique(connection, table, source.id):
        doubled = tables.put("doubled_ids", id=here.target_id.identifier, table=table.identifier)
        if count := tables.one(connection, doubled, {})["ids"]:
            yield (
                f"{count:,} values of {table.table_name}.{source.id} stand in several rows, and an"
                " answer belongs to one: mend them, or set source.id to a column that tells rows"
                " apart."
            )


def _unreadable(connection: Connection, here: Tables) -> Iterator[str]:
    """Read one row as it would be asked, and its id as it would be written."""
    tables.fix_texts(connection)
    if said := _refused(connection, here.over_source("try_text"), here.values()):
        yield f"The rows of {source_name(here)} cannot be read: {said}."
    elif here.source and not here.is_in_place:
        statement = tables.put("try_id", type=here.target_id.type, source=here.rows())
        if said := _refused(connection, statement, here.values()):
            yield (
                f"An id of {source_name(here)} does not fit into"
                f" {here.target.table_name}.{here.target_id.name}, which is"
                f" {here.target_id.type_name}: {said}."
            )


def _left_out(here: Tables) -> Iterator[str]:
    target = here.backfill.target
    if isinstance(target, NewRows):
        for name in target.optional:
            if here.column_name(name) not in here.target.columns:
                yield f"{here.target.table_name} has no column {name}: it is left out."


def _empty(connection: Connection, here: Tables) -> Iterator[str]:
    if not tables.one(connection, here.over_source("any_row"), here.values())["present"]:
        source = here.backfill.source
        if not isinstance(source, Rows):
            yield f"No CSV has come in for {here.backfill.name}: give csv_in."
        elif source.where:
            yield f"No row of {source.table} is in scope: source.where holds for none."
        else:
            yield f"{source.table} is empty: there is nothing to ask."


def _checkpoint_problems(connection: Connection) -> list[str]:
    try:
        table = catalog.relation(connection, CHECKPOINT_TABLE, "nothing: `make deploy` makes it")
    except PreflightError as error:
        return [str(error)]
    found = [
        f"{CHECKPOINT_TABLE} has no column {name}: add it; other tools read it there."
        for name in _CHECKPOINT_COLUMNS
        if name not in table.columns
    ]
    if lacking := catalog.missing_rights(connection, table, ["select", "insert", "update"]):
        found.append(_no_right(connection, table, lacking))
    return found


def source_name(here: Tables) -> str:
    """Return what people call the source."""
    return here.source.table_name if here.source else "the CSV"


def _no_right(connection: Connection, table: Relation, lacking: list[str]) -> str:
    role, listed = catalog.role(connection), ", ".join(lacking)
    return (
        f"User '{role}' may not {listed} on {table.table_name}: grant {listed} on"
        f" {table.schema_name}.{table.table_name} to {role};"
    )


def _refused(
    connection: Connection, statement: sql.Composed, values: dict[str, object] | None = None
) -> str | None:
    """Return what Postgres says against a statement, or None; the transaction goes on."""
    try:
        with connection.transaction():
            connection.execute(statement, values or {}).fetchone()
    except psycopg.Error as error:
        return (error.diag.message_primary or str(error)).rstrip(".")
    return None
