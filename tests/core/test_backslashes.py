r"""`"$\beta$"` in JSON says a backspace and `eta`; what was meant stands in the table."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tasks.core.answers import Answered, judge
from tasks.core.backslashes import restored
from tasks.core.responses import Response


class Named(BaseModel):
    name: str


def name_in(text: str) -> Any:
    said = judge(Response("k", '{"name":"%s"}' % text, "STOP"), Named)  # noqa: UP031 - full of braces
    assert isinstance(said, Answered)
    return said.answer.name


@pytest.mark.parametrize(
    "meant",
    [
        r"$\beta$ parameter",
        r"$\frac{1}{2}$ rule",
        r"\frac12",
        r"\boldsymbol{x}",
        r"$\theta$",
        r"\theta_1 and \tau-leaping",
        r"$x \to y$",
        r"$\nu$-SVM",
        r"$\nabla f$",
        r"\nabla-flow",
        r"$\rho$",
        r"\rightarrow",
        r"\text{softmax}",
        r"\textbf{a}",
        r"$\alpha$ and $\beta$",
        r"$\alpha \times \beta$",
        r"\alpha-divergence",
        r"\ell_1",
        r"\upsilon",
        r"\sum_{i} \(x\)",
        r"\_x",
        r"\left\langle x \right\rangle",
        r"w^\top x",
        r"\tan(x)",
        r"\b{o} and \b",
    ],
)
def test_latex_with_single_backslashes_is_what_was_meant(meant: str) -> None:
    assert name_in(meant) == meant


@pytest.mark.parametrize(
    "said",
    [
        r"a line\nand another",
        r"a line\nu and v",
        r"x\ty",
        r"name\text",
        r"to\to",
        r"a list\tan item\next _it_\nits",
        r"$5 and\n$6",
        r"\r\nright",
        r"a \"b\" \\ c \/ d",
        r"\u00e9\ud83d\ude00",
        r"$\\beta$ and \\nabla \\alpha",
        r"\\\\beta",
        r"end\n",
        r"tab\t",
    ],
)
def test_what_json_says_and_may_well_mean_stays(said: str) -> None:
    assert name_in(said) == json.loads(f'"{said}"')


def test_that_backslashes_were_restored_is_noted() -> None:
    said = judge(Response("k", r'{"name":"$\beta$"}', "STOP"), Named)

    assert isinstance(said, Answered)
    assert said.mended == ("mended:backslashes",)


@given(st.text(st.sampled_from('\\abfnrtu0{}$" \n'), max_size=30))
def test_a_text_without_single_backslashes_before_letters_is_not_touched(text: str) -> None:
    said = json.dumps(text.replace("\n", " "))

    assert json.loads(restored(said)) == json.loads(said)


@given(st.text(st.sampled_from('\\abefnrtuhaop0{}$" '), max_size=40))
def test_restoring_twice_is_restoring_once(text: str) -> None:
    once = restored(text)

    assert restored(once) == once
