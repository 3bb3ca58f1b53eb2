# ruff: noqa: E501, RUF001 - a case on one line reads better than a short one, in its own script
"""Quotes in the scripts of the world, and quotes from which the model left something out."""

import time
import unicodedata

import pytest

from tasks.core.grounding import MIN_SCORE, Match, Text


def found(passage: str, quote: str, near: int | None = None) -> tuple[str, str] | None:
    span = Text(passage).find(quote, near)
    return span and (passage[span.start : span.end], str(span.match))


@pytest.mark.parametrize(
    ("passage", "quote", "start"),
    [
        ("किताबें पढ़ो। किताब अच्छी है।", "किताब", 14),
        ("cafe\u0301 is not a cafe", "cafe", 15),
        ("বইটি ভালো, বই পড়ো", "বই", 11),
        ("ma\u0323 la\u0300 ma", "ma", 8),
        ("ขอบคุณมาก", "มาก", 6),
        ("ที่นั่นมีน้ามาก น้า", "น้า", 9),
        ("I gave 👍🏽 and 👍 too", "gave 👍🏽", 2),
        ("x 👩‍💻 then x 👩 here", "x 👩", 11),
        ("北京大学在北京。", "北京", 0),
        ("東京タワーは東京にある", "タワー", 2),
        ("transformers, a transformer", "transformer", 16),
        ("ក្រុមការងារ", "ការងារ", 5),
    ],
)  # fmt: skip
def test_a_mark_belongs_to_its_letter_and_scripts_without_blanks_have_no_longer_words(
    passage: str, quote: str, start: int
) -> None:
    span = Text(passage).find(quote)

    assert span == (start, start + len(quote), Match.EXACT, 100.0)


@pytest.mark.parametrize(
    ("passage", "quote"),
    [("un cafe\u0301 noir", "un cafe"), ("tie\u0302\u0301ng", "tie"), ("\u1112\u1161\u11ab x", "\u1112\u1161"), ("xe\u0323\u0302 x", "xe\u0323")],
)  # fmt: skip
def test_a_letter_without_its_mark_is_another_letter(passage: str, quote: str) -> None:
    span = Text(passage).find(quote)

    assert span is None or span.match is Match.APPROXIMATE


@pytest.mark.parametrize(
    ("passage", "quote", "place"),
    [
        ("cafe\u0301, which is no CAFE", "cafe", "CAFE"),
        # vowel marks, tatweel, forms of alef, presentation forms
        ("قرأ كِتَابٌ جَدِيدٌ أمس", "كتاب جديد", "كِتَابٌ جَدِيدٌ"),
        ("قرأ كتاب جديد أمس", "كِتَابٌ جَدِيد", "كتاب جديد"),
        ("هذا كتـــاب جديد", "كتاب جديد", "كتـــاب جديد"),
        ("في أحمد إلى آخر", "احمد الى", None),
        ("في أحمد إلى آخر", "احمد إلي اخر", None),
        ("ٱلْحَمْدُ لِلَّٰهِ", "الحمد لله", "ٱلْحَمْدُ لِلَّٰهِ"),
        ("قال أحمد لها", "احمد لها", "أحمد لها"),
        ("ﻛﺘﺎب هنا", "كتاب", "ﻛﺘﺎب"),
        ("این کتاب است", "این كتاب", "این کتاب"),
        ("شָׁלוֹם עוֹלָם".replace("ش", "ש"), "שלום עולם", "שָׁלוֹם עוֹלָם"),
        ("צה״ל הודיע", 'צה"ל הודיע', "צה״ל הודיע"),
        ("ג׳ירפה גדולה", "ג'ירפה גדולה", "ג׳ירפה גדולה"),
        ("בית־ספר", "בית-ספר", "בית־ספר"),
        # width
        ("ﾃﾞｰﾀを使う", "データを使う", "ﾃﾞｰﾀを使う"),
        ("データを使う", "ﾃﾞｰﾀを使う", "データを使う"),
        ("ＢＥＲＴ（２０１８）は", "BERT(2018)は", "ＢＥＲＴ（２０１８）は"),
        ("約１０〜２０個", "10～20個", "１０〜２０個"),
        # blanks between characters that need none
        ("我们用深度\n学习的方法", "深度学习的方法", "深度\n学习的方法"),
        ("我们用 Python 写", "用Python写", "用 Python 写"),
        ("ฉันรัก\nภาษาไทย", "ฉันรักภาษาไทย", "ฉันรัก\nภาษาไทย"),
        ("ខ្ញុំ\u200bស្រឡាញ់\u200bភាសា", "ខ្ញុំស្រឡាញ់ភាសា", "ខ្ញុំ\u200bស្រឡាញ់\u200bភាសា"),
        # one letter in two spellings
        ("कि\u0958\u093eब", "\u0915\u093c\u093eब", "\u0958\u093eब"),
        ("Tiếng Việt", unicodedata.normalize("NFD", "tiếng việt"), "Tiếng Việt"),
        (unicodedata.normalize("NFD", "Tiếng Việt đẹp"), "Tiếng Việt", unicodedata.normalize("NFD", "Tiếng Việt")),
    ],
)  # fmt: skip
def test_what_readers_of_a_script_do_not_count_is_normalised(
    passage: str, quote: str, place: str | None
) -> None:
    if place is None:
        span = Text(passage).find(quote)
        assert span is None or span.match is not Match.EXACT
        return

    assert found(passage, quote) == (place, "normalised")


@pytest.mark.parametrize(
    ("passage", "quote"),
    [
        ("猫很可爱", "猫"),
        ("나는 집 에 간다", "집"),
        ("그 사람이 집에 간다", "집"),
        ("well done 🎉!", "🎉"),
        ("我爱你", "爱"),
    ],
)
def test_one_character_that_is_a_word_is_found(passage: str, quote: str) -> None:
    assert found(passage, quote) == (quote, "exact")


@pytest.mark.parametrize("quote", ["x", "ก", "ا", "1", ".", "。", "ｘ", "\u0301"])
def test_one_character_that_is_no_word_is_nowhere(quote: str) -> None:
    assert found("x ก ا 1 . 。 ｘ e\u0301", quote) is None


LEFT_OUT = [
    (
        "So: The transformer [12] relies on attention [13] and dispenses with recurrence [14] entirely. Next.",
        "The transformer relies on attention and dispenses with recurrence entirely.",
    ),
    (
        "Before. Deep nets (LeCun et al., 2015; Schmidhuber, 2015) learn features (Bengio, 2009) by themselves. After.",
        "Deep nets learn features by themselves.",
    ),
    ("A **large** language *model* is `trained` on __text__ that we ~~buy~~ collect. End.", "A large language model is trained on text that we buy collect."),
    ("See [the paper](https://example.org/a/very/long/path?with=many&parts=1) for the whole proof. Bye", "See the paper for the whole proof."),
    ("We study opti-\nmisation of convex func-\ntions under con-\nstraints here.", "optimisation of convex functions under constraints"),
    ("# Return the sum of all\n# the values that were\n# given to it.\nx = 1", "Return the sum of all the values that were given to it."),
    ("    // Walks the tree and\n    // frees each node\n    // exactly once.\n", "Walks the tree and frees each node exactly once."),
    ("Smith &amp; Sons sell caf&eacute; chairs &lt;cheaply&gt; in Lyon&#39;s old town.", "Smith & Sons sell café chairs <cheaply> in Lyon's old town."),
    ("It is <b>really</b> <a href='https://example.org'>important</a> to be <i>kind</i>. Ok", "It is really important to be kind"),
    ("Transformers~\\cite{vaswani2017} beat LSTMs \\citep[see][]{hochreiter1997long} on long texts.", "Transformers beat LSTMs on long texts."),
    ("The net<ref name='a'>Smith</ref> learns{{sfn|Lee|2019|p=3}} by itself<ref name=b/> alone. Next", "The net learns by itself alone."),
    ("深度学习【12】在图像识别［３］中取得了很大的成功（李明等，2019）。结束", "深度学习在图像识别中取得了很大的成功"),
    ("機械学習[5]は画像認識（田中, 2018）で使われている。", "機械学習は画像認識で使われている"),
    ("การเรียนรู้ของเครื่อง [4] ใช้กับภาพ (สมชาย, 2562) ได้ดี", "การเรียนรู้ของเครื่องใช้กับภาพได้ดี"),
    ("التعلم العميق [7] يستخدم الشبكات (أحمد، 2019) في كل مكان.", "التعلم العميق يستخدم الشبكات في كل مكان"),
    ("Глубокое обучение [3, 4] применяется (Иванов, 2018) повсюду.", "Глубокое обучение применяется повсюду"),
    ("You may see (Smith (2019) and Jones (2020)) for the details of it", "see for the details of it"),
    ("He saw \\textbf{deep} nets and \\emph{large} sets † of data.", "deep nets and large sets of data"),
    ("/*\n * Frees the buffer and\n * returns its size.\n */", "Frees the buffer and returns its size."),
    ("the model (which is large) learns quickly from data", "the model which is large learns quickly"),
    ("The method of Newton [1] always convergs [2] for smooth functions [3] nearby.", "The method of Newton always converges for smooth functions nearby."),
]  # fmt: skip


@pytest.mark.parametrize(("passage", "quote"), LEFT_OUT)
def test_a_quote_with_something_left_out_reaches_from_its_first_word_to_its_last(
    passage: str, quote: str
) -> None:
    text = f"Some words that stand in front of it. {passage} And some that follow on it."

    span = Text(text).find(quote)

    assert span is not None
    assert span.match is Match.APPROXIMATE
    assert MIN_SCORE <= span.score < 100
    place = text[span.start : span.end]
    first, last = quote.split(maxsplit=1)[0][:3], quote.rsplit(maxsplit=1)[-1].strip(".。")[-3:]
    assert place.lstrip("*_`").startswith(first), place
    assert place.rstrip(".。*_`").endswith(last), place


@pytest.mark.parametrize(
    ("passage", "quote", "place"),
    [
        ("Then the model was trained on very large corpora of text. Next", "the model was trained on corpora of text", "the model was trained on very large corpora of text"),
        ("Then the model was trained on corpora of text. Next", "the model was quickly trained on corpora of text", "the model was trained on corpora of text"),
        ("ฉันชอบกินข้าวผัดกุ้งมากที่สุดในโลก", "กินข้าวผัดกุงมากที่สุด", "กินข้าวผัดกุ้งมากที่สุด"),
        ("我们提出了一种新的神经网络结构来解决问题", "一种新的神经网路结构", "一种新的神经网络结构"),
    ],
)  # fmt: skip
def test_a_changed_quote_is_approximate_from_end_to_end(
    passage: str, quote: str, place: str
) -> None:
    assert found(passage, quote) == (place, "approximate")


@pytest.mark.parametrize(
    ("passage", "quote"),
    [
        ("The **precision** of it is high and recall is not, says (Smith, 2019) in the paper.", "precision of it is not high and recall is"),
        ("The **precision** of it is high and recall is not, says (Smith, 2019) in the paper.", "Smith: the precision of it is high and recall is not"),
        ("المدير أرسل الرسالة إلى الموظف القديم أمس", "المدير القديم أرسل الرسالة إلى الموظف"),
        ("我们首先提出了神经网络结构，然后解决了这个问题", "我们首先解决了提出了神经网络结构，然后"),
        ("นักวิจัยเสนอวิธีการใหม่สำหรับการแปลภาษา", "สำหรับนักวิจัยเสนอวิธีการใหม่การแปลภาษา"),
    ],
)  # fmt: skip
def test_the_words_of_a_text_in_another_order_are_nowhere(passage: str, quote: str) -> None:
    assert found(passage, quote) is None


@pytest.mark.parametrize(
    "quote",
    ["self.assert_equal(entirely, other, arguments)", "[an invented remark of some length]", "(never written in here, 2019)", "从来没有人在这里写过的句子", "هذه جملة لم يكتبها أحد هنا"],
)  # fmt: skip
def test_brackets_around_it_do_not_place_an_invented_quote(quote: str) -> None:
    passage = "self.assert_equal(one, two) [12] holds (Smith, 2019). 深度学习在图像识别中取得了成功。التعلم العميق هنا."

    assert found(passage, quote) is None


@pytest.mark.parametrize(
    ("unit", "needle", "changed"),
    [
        ("The quick brown fox number %d jumps over the lazy dog. ", "A rare needle was hidden in this very long haystack.", "A rare needle was hiden in this very long haystack."),
        ("第%d章讲述了一个关于数学和物理的故事。", "唯一的一根针藏在这里谁也找不到它。", "唯一的一根针藏在这里谁都找不到它。"),
    ],
)  # fmt: skip
def test_a_changed_quote_is_found_in_a_very_long_text_in_bounded_time(
    unit: str, needle: str, changed: str
) -> None:
    size = 2_000_000 if unit.isascii() else 100_000
    filler = "".join(unit % number for number in range(size // len(unit)))
    half = len(filler) // 2
    passage = filler[:half] + needle + filler[half:]
    began = time.process_time()

    span = Text(passage).find(changed)
    absent = Text(passage).find("nothing of this kind was ever written by anybody")

    assert time.process_time() - began < 10
    assert span == (half, half + len(needle), Match.APPROXIMATE, span.score)
    assert absent is None


def test_a_changed_quote_that_stands_twice_is_the_one_nearest_to_the_hint() -> None:
    passage = "the cat sat on the old mat, and later the cat sat on the old mat again"

    assert Text(passage).find("the cat sits on the old mat").start == 0
    assert Text(passage).find("the cat sits on the old mat", near=45).start == 38
    assert Text(passage).find("the *cat* sat on the old mat", near=45).start == 38
