"""Response and prompt files: where they are looked for, refused, read and kept."""

import json
import os

import pytest
from documents_archive import Archive


def test_a_link_is_a_draft_with_its_prompt(archive: Archive) -> None:
    archive.respond("links_prompts/link-1.txt", b"Link these.")
    archive.link("link-1")

    archive.run()

    assert archive.one("link-1")["stage"] == "draft"
    assert archive.files("link-1")["prompt.txt"] == b"Link these."


def test_a_prompt_file_column_goes_before_the_task_id(archive: Archive) -> None:
    archive.headers["link_generation_results.csv"].append("prompt_file")
    archive.respond("links_prompts/link-1.txt", b"not this one")
    archive.link("link-1", prompt_file=archive.respond("elsewhere/p.txt", b"this one"))

    archive.run()

    assert archive.files("link-1")["prompt.txt"] == b"this one"


def test_a_task_id_that_climbs_finds_no_prompt(archive: Archive) -> None:
    (archive.data / "secret.txt").write_text("secret")
    archive.link("../../secret", response_file=archive.respond("r.txt", b"text"))

    archive.run()

    assert "prompt.txt" not in archive.files("../../secret")


@pytest.mark.parametrize(
    "path",
    [
        "deep/r.txt",
        "3_generation/deep/r.txt",
        "data/3_generation/deep/r.txt",
        "deep/../deep/r.txt",
        "./deep/r.txt",
        "././data/3_generation/deep/r.txt",
        "data/deep/r.txt",
        "data/./3_generation//deep/r.txt",
        r"deep\r.txt",
        r".\data\3_generation\deep\r.txt",
    ],
)
def test_a_response_file_is_found_below_its_root(archive: Archive, path: str) -> None:
    archive.respond("deep/r.txt", b"text")
    archive.draft("draft", response_file=path)

    archive.run()

    assert archive.bad() == {}


def test_a_bare_name_is_looked_up_in_the_folder_of_its_kind(archive: Archive) -> None:
    archive.respond("draft_responses/r.txt", b"draft text")
    archive.respond("links_responses/r.txt", b"link text")
    archive.draft("draft", response_file="r.txt")
    archive.link("link", response_file="r.txt")

    archive.run()

    assert archive.files("draft")["raw.txt"] == b"draft text"
    assert archive.files("link")["raw.txt"] == b"link text"


@pytest.mark.parametrize("root", ["4_evaluation", "3_generation"])
@pytest.mark.parametrize("folder", ["{root}/evaluation_responses/", "evaluation_responses/", ""])
def test_an_evaluations_response_is_found_in_the_folders_of_both_eras(
    archive: Archive, root: str, folder: str
) -> None:
    archive.draft("draft")
    archive.respond(f"../{root}/evaluation_responses/e.txt", b"judged")
    path = folder.format(root=root) + "e.txt"
    archive.evaluation("evaluation", generation_task_id="draft", response_file=path)

    archive.run()

    assert archive.files("evaluation")["raw.txt"] == b"judged"


def test_of_two_eras_the_newer_folder_goes_first_unless_the_row_names_the_other(
    archive: Archive,
) -> None:
    archive.draft("draft")
    archive.respond("evaluation_responses/e.txt", b"old")
    archive.respond("../4_evaluation/evaluation_responses/e.txt", b"new")
    path = "evaluation_responses/e.txt"
    for name, told in {"new": path, "old": f"data/3_generation/{path}"}.items():
        archive.evaluation(name, generation_task_id="draft", response_file=told)

    archive.run()

    assert archive.files("new")["raw.txt"] == b"new"
    assert archive.files("old")["raw.txt"] == b"old"


def test_an_evaluation_folder_may_link_to_the_one_of_the_other_era(archive: Archive) -> None:
    archive.draft("draft")
    archive.respond("evaluation_responses/e.txt", b"judged")
    (archive.data / "4_evaluation").mkdir()
    (archive.data / "4_evaluation/evaluation_responses").symlink_to(
        archive.responses / "evaluation_responses"
    )
    path = "4_evaluation/evaluation_responses/e.txt"
    archive.evaluation("evaluation", generation_task_id="draft", response_file=path)

    archive.run()

    assert archive.bad() == {}


def test_a_draft_is_never_looked_for_among_the_evaluations(archive: Archive) -> None:
    archive.respond("../4_evaluation/a.txt", b"text")
    archive.draft("bare", response_file="a.txt")
    archive.draft("named", response_file="4_evaluation/a.txt")
    archive.draft("climbing", response_file="../4_evaluation/a.txt")

    archive.run()

    assert archive.bad() == {
        "bare": "missing_response_file",
        "named": "missing_response_file",
        "climbing": "refused_response_file",
    }


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "a/../../outside.txt",
        "../3_generation/r.txt",
        "/etc/hostname",
        "out.txt",
        "./../outside.txt",
        r"..\outside.txt",
        r"C:\data\3_generation\r.txt",
        r"\\server\r.txt",
    ],
)
def test_a_response_file_that_leaves_its_root_is_refused_and_listed(
    archive: Archive, path: str
) -> None:
    (archive.data / "outside.txt").write_text("outside")
    archive.respond("r.txt", b"inside")
    (archive.responses / "out.txt").symlink_to(archive.data / "outside.txt")
    archive.draft("draft", response_file=path)

    archive.run()

    assert archive.bad() == {"draft": "refused_response_file"}


def test_a_symlink_that_stays_inside_is_followed(archive: Archive) -> None:
    archive.respond("real.txt", b"text")
    (archive.responses / "link.txt").symlink_to("real.txt")
    archive.draft("draft", response_file="link.txt")

    archive.run()

    assert archive.files("draft")["raw.txt"] == b"text"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "missing_response_file"),
        ("gone.txt", "missing_response_file"),
        ("folder", "missing_response_file"),
        ("loop", "missing_response_file"),
        ("pipe", "missing_response_file"),
        ("x" * 300, "missing_response_file"),
        ("real.txt/below", "missing_response_file"),
        ("empty", "empty_response_file"),
        ("blank", "empty_response_file"),
        ("mark", "empty_response_file"),
        ("mark of UTF-16", "empty_response_file"),
        ("unseen", "empty_response_file"),
    ],
)
def test_a_response_that_cannot_be_used_is_listed_with_its_reason(
    archive: Archive, path: str, reason: str
) -> None:
    (archive.responses / "folder").mkdir()
    (archive.responses / "loop").symlink_to("loop")
    os.mkfifo(archive.responses / "pipe")
    unseen = {"mark": "\ufeff", "unseen": "\ufeff\u200b\n\u3164"}
    contents = {"real.txt": b"x", "empty": b"", "blank": b" \n\t", "mark of UTF-16": b"\xff\xfe"}
    for name, content in (contents | {k: v.encode() for k, v in unseen.items()}).items():
        archive.respond(name, content)
    archive.draft("draft", response_file=path)

    archive.run()

    assert archive.bad() == {"draft": reason}
    assert archive.query("select * from documents") == []


def test_a_failed_attempt_with_text_is_kept_and_is_not_good(archive: Archive) -> None:
    archive.draft("draft", generation_status="truncated")

    archive.run()

    assert archive.one("draft")["status"] == "truncated"
    assert archive.query("select * from documents_latest_report") == []


@pytest.mark.parametrize(
    ("raw", "parsed", "encoding", "replaced"),
    [
        (b"\xef\xbb\xbfwith mark", "with mark", "utf-8", 0),
        ("Grüße".encode("utf-16"), "Grüße", "utf-16", 0),
        ("Grüße".encode("utf-16-be"), "Grüße", "utf-16", 0),
        ("Grüße".encode("utf-32"), "Grüße", "utf-32", 0),
        ("\ufeffGrüße".encode("utf-32-be"), "Grüße", "utf-32", 0),
        ("Grüße 🙂".encode("utf-32-le"), "Grüße 🙂", "utf-32", 0),
        ("\ufeff\ufefftwice marked".encode(), "twice marked", "utf-8", 0),
        (b"Gr\xfc\xdfe", "Gr\ufffd\ufffde", "unknown", 2),
        (b"a\x00b", "a\x00b", "utf-8", 0),
    ],
)
def test_text_of_any_encoding_is_kept_byte_for_byte_and_flagged(
    archive: Archive, raw: bytes, parsed: str, encoding: str, replaced: int
) -> None:
    archive.draft("draft", response_file=archive.respond("r.txt", raw))

    archive.run()

    files = archive.files("draft")
    told = json.loads(files["metadata.json"])
    assert files["raw.txt"] == raw
    assert files["parsed.txt"].decode() == parsed + "\n"
    assert (told["encoding"], told["replaced_characters"]) == (encoding, replaced)
