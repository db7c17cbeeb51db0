# ruff: noqa: RUF001  the letters that are not what they look like are what this is about
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.registry.confusable import skeleton


@pytest.mark.parametrize(
    "other",
    [
        "Get_Invoice", "gеt_invoice", "get_invoic\u0435", "get\u200b_invoice", "get_invoice\u2060",
        "\ufeffget_invoice", "ｇｅｔ_invoice", "get_invoıce", "get_invo1ce".replace("1", "і"), "get_invoice\U000e0041",
        "get_invóice", "𝐠𝐞𝐭_invoice", "get_invοice", " get_invoice", "get_in\u202evoice",
    ],
    ids=[
        "case", "cyrillic", "cyrillic-end", "zero-width", "word-joiner", "byte-order-mark", "full-width",
        "dotless", "cyrillic-i", "tag", "accent", "mathematical", "greek", "blank", "turned",
    ],
)  # fmt: skip
def test_names_that_look_alike_have_one_skeleton(other):
    assert skeleton(other) == skeleton("get_invoice")


@pytest.mark.parametrize(
    "other",
    ["get_invoices", "getinvoice", "get-invoice", "set_invoice", "получить", "get_invoice2"],
)
def test_names_that_do_not_look_alike_have_different_ones(other):
    assert skeleton(other) != skeleton("get_invoice")


@given(st.text(max_size=40))
def test_every_text_has_one_and_it_is_its_own_in_lower_case(text):
    assert skeleton(text) == skeleton(text)
    assert skeleton(text.lower()) == skeleton(text) or not text.isascii()
