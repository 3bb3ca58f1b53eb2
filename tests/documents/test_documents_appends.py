"""Rows that a program appended from a table of other columns: taken when they can be told apart."""

import pytest
from documents_archive import Archive
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents.core.layout import MANY_READINGS, NO_READING, SHIFTED, Layout
from tasks.documents.core.sources import DRAFTS, EVALUATIONS

TIME = "2025-03-01T12:00:00.123456"
FILE = "draft_responses/a.txt"
AT_END = [
    "draft_task_id",
    "combo_id",
    "draft_template_id",
    "generation_model",
    "generation_status",
    "generation_timestamp",
    "response_file",
    "response_size_bytes",
]
IN_MIDDLE = [*AT_END[:6], "response_size_bytes", "response_file"]
BOTH = [*IN_MIDDLE, "error"]
JUDGED = [
    "evaluation_task_id",
    "essay_task_id",
    "combo_id",
    "draft_template",
    "essay_template",
    "generation_model",
    "evaluation_template",
    "evaluation_model",
    "evaluation_status",
    "evaluation_timestamp",
    "eval_response_file",
    "eval_response_size_bytes",
]
WHO = ["task", "combo", "template", "gemini-2.5-flash"]
WHOM = ["task", "essay", "combo", "t1", "t2", "gemini-2.5-flash", "novelty", "judge"]


@pytest.mark.parametrize(
    ("header", "record", "status", "file"),
    [
        pytest.param(AT_END, [*WHO, "success", TIME, FILE], "success", FILE, id="no size"),
        pytest.param(AT_END, [*WHO, "failed", TIME, ""], "failed", "", id="no size, no file"),
        pytest.param(AT_END, [*WHO, "failed", TIME], "failed", "", id="neither column"),
        pytest.param(IN_MIDDLE, [*WHO, "success", TIME, FILE], "success", FILE, id="middle"),
        pytest.param(IN_MIDDLE, [*WHO, "failed", TIME, ""], "failed", "", id="middle, blank"),
        pytest.param(IN_MIDDLE, [*WHO, "failed", TIME, "0"], "failed", "", id="no file column"),
        pytest.param(BOTH, [*WHO, "failed", TIME, "", "timed out"], "failed", "", id="error"),
        pytest.param(BOTH, [*WHO, "success", TIME, "12", FILE], "success", FILE, id="no error"),
        pytest.param(BOTH, [*WHO, "success", TIME, FILE, ""], "success", FILE, id="no size"),
        pytest.param(
            AT_END, [*WHO, "success", TIME, FILE, "12.0", "9", "x"], "success", FILE, id="two more"
        ),
        pytest.param(
            AT_END, [*WHO, "success", TIME, "gpt", FILE, "12"], "success", FILE, id="one between"
        ),
        pytest.param(
            AT_END, [*WHO, "success", TIME, FILE, "12", "", ""], "success", FILE, id="blank end"
        ),
        pytest.param(
            AT_END, [*WHO, "failed", TIME, "", "", "timed out"], "failed", "", id="failed, wider"
        ),
    ],
)
def test_a_row_of_another_width_is_read_when_only_one_reading_fits(
    header: list[str], record: list[str], status: str, file: str
) -> None:
    fields, fault = Layout.of(DRAFTS, header).read(record)

    assert fault is None
    assert [fields[name] for name in ("task_id", "combo_id", "template_id", "model_id")] == WHO
    assert (fields["status"], fields["timestamp"], fields["response_file"]) == (status, TIME, file)


@pytest.mark.parametrize(
    ("header", "record", "fault"),
    [
        pytest.param(AT_END, ["task", "combo", "template"], NO_READING, id="cut short"),
        pytest.param(AT_END, [*WHO, "success", TIME], NO_READING, id="success without a file"),
        pytest.param(
            AT_END, [*WHO, "success", TIME, "draft_resp"], NO_READING, id="file cut short"
        ),
        pytest.param(AT_END, [*WHO[1:], "success", TIME, FILE, "12"], NO_READING, id="no task id"),
        pytest.param(
            AT_END, ["0", *WHO, "success", TIME, FILE, "12"], MANY_READINGS, id="an index column"
        ),
        pytest.param(
            AT_END[:7], [*WHO, "success", TIME, FILE, "b/b.txt"], MANY_READINGS, id="two files"
        ),
        pytest.param(IN_MIDDLE, [*WHO, "success", TIME, FILE, "x"], SHIFTED, id="size and error"),
        pytest.param(AT_END, [*WHO, TIME, FILE, "12", "x"], SHIFTED, id="no status, a note"),
        pytest.param(
            [*AT_END, *(f"c{n}" for n in range(30))],
            [*WHO, "success", TIME, FILE],
            MANY_READINGS,
            id="too many readings to try",
        ),
    ],
)
def test_a_row_that_could_only_be_guessed_at_is_not_read(
    header: list[str], record: list[str], fault: str
) -> None:
    assert Layout.of(DRAFTS, header).read(record)[1] == fault


def test_an_evaluation_without_a_size_or_a_file_is_read() -> None:
    layout = Layout.of(EVALUATIONS, JUDGED)

    whole, _ = layout.read([*WHOM, "success", TIME, "evaluation_responses/a.txt", "12"])
    sizeless = layout.read([*WHOM, "success", TIME, "evaluation_responses/a.txt"])
    failed, fault = layout.read([*WHOM, "failed", TIME])

    assert sizeless == (whole, None)
    assert fault is None
    assert failed == whole | {"status": "failed", "response_file": ""}


def test_an_evaluation_that_lacks_a_column_of_free_text_is_not_guessed_at() -> None:
    layout = Layout.of(EVALUATIONS, JUDGED)
    record = [*WHOM[:3], *WHOM[4:], "success", TIME, "evaluation_responses/a.txt", "12"]

    assert layout.read(record)[1] == MANY_READINGS


WORD = st.text("abcdefgh-_", min_size=1, max_size=8)


@given(
    who=st.tuples(WORD, WORD, WORD, WORD),
    status=st.sampled_from(["success", "failed"]),
    place=st.integers(4, 7),
    lacks=st.booleans(),
    extra=st.lists(st.integers(0, 99).map(str), max_size=2),
)
def test_every_reading_that_is_given_is_the_right_one(
    *, who: tuple[str, ...], status: str, place: int, lacks: bool, extra: list[str]
) -> None:
    header = [*AT_END[:7]]
    header.insert(place, "response_size_bytes")
    cells = dict(zip(AT_END, [*who, status, TIME, FILE, "12"], strict=True))
    record = [cells[name] for name in header if not (lacks and name == "response_size_bytes")]

    fields, fault = Layout.of(DRAFTS, header).read([*record, *extra])

    if fault is None:
        assert [fields["task_id"], fields["combo_id"], fields["template_id"]] == list(who[:3])
        assert (fields["status"], fields["response_file"]) == (status, FILE)


def append(archive: Archive, *records: str) -> None:
    """Put records at the end of the drafts, as another program would."""
    archive.write()
    path = archive.data / "7_cross_experiment/draft_generation_results.csv"
    path.write_text(path.read_text() + "".join(f"{record}\n" for record in records))
    archive.write = lambda: None  # type: ignore[method-assign]


def test_rows_of_other_widths_end_as_documents_or_with_a_sentence(archive: Archive) -> None:
    archive.headers["draft_generation_results.csv"].append("response_size_bytes")
    archive.draft("whole", response_size_bytes="5")
    file = archive.respond("draft_responses/r.txt", b"text")
    append(
        archive,
        f"sizeless,template,combo,model,success,2025-01-01T12:00:00,{file}",
        "failed,template,combo,model,failed,2025-01-01T12:00:00,",
        f"7,indexed,template,combo,model,success,2025-01-01T12:00:00,{file},4",
        "cut,template",
    )

    archive.run()

    assert archive.files("sizeless")["raw.txt"] == b"text"
    assert archive.bad() == {
        "failed": "missing_response_file",
        "7": "malformed_row",
        "cut": "malformed_row",
    }
    told = archive.query("select task_id, detail from bad_generations order by row_index")
    assert [row["detail"].split(", and ")[-1] for row in told[1:]] == [
        "which cell is whose column's cannot be told without guessing",
        "however they are read, a field that it needs is missing",
    ]


def test_a_header_that_was_written_twice_is_no_row(archive: Archive) -> None:
    archive.draft("draft")
    append(archive, ",".join(archive.headers["draft_generation_results.csv"]))

    summary = archive.run()

    assert archive.bad() == {}
    assert summary.counters["duplicate_rows_skipped"] == 1


def test_a_field_is_taken_from_whichever_of_its_columns_is_filled(archive: Archive) -> None:
    name = "evaluation_results.csv"
    archive.headers[name] += ["evaluation_response_file", "eval_response_file"]
    archive.draft("draft")
    path = archive.respond("evaluation_responses/e.txt", b"judged")
    for column in ("response_file", "evaluation_response_file", "eval_response_file"):
        cells = {"response_file": "", "generation_task_id": "draft", column: path}
        archive.evaluation(column, **cells)

    archive.run()

    assert archive.bad() == {}
    assert archive.files("eval_response_file")["raw.txt"] == b"judged"
