"""What stands in the table and on the page."""

import re

import numpy as np
import pytest

from agent.eval.columns import COLUMNS, KEYS, columns_of
from agent.eval.judge import Judged
from agent.eval.page import Strip, page
from agent.eval.table import MEAN, Row, Table, mean_row

ROWS = [
    Row("a", "builtin", 10, {"psnr": 30.0, "akd": 1.0, "lips": 0.9, "lost": 1.0}, 9),
    Row("b", "builtin", 30, {"psnr": 20.0, "akd": 3.0, "lost": 2.0}, 28),
]


def test_every_case_counts_alike_in_the_mean_and_lost_pictures_are_summed():
    mean = mean_row("builtin", [*ROWS, Row("a", "still", 10, {"psnr": 5.0, "lost": 4.0})], fid=12.5)
    assert (mean.case, mean.engine, mean.pictures) == (MEAN, "builtin", 40) and mean.compared == 37
    assert mean.figures == {"psnr": 25, "akd": 2, "lips": pytest.approx(0.9), "lost": 3, "fid": 12.5}
    assert "fid" not in mean_row("builtin", ROWS, None).figures


def test_means_of_all_engines_are_of_the_same_cases():
    rows = [
        Row("a", "builtin", 10, {"lips": 0.5, "aed": 1.0, "lost": 0.0}),
        Row("b", "builtin", 10, {"lips": 0.9, "aed": 3.0, "lost": 0.0}),
        Row("a", "small", 10, {"aed": 2.0, "lost": 0.0}),
        Row("b", "small", 10, {"lips": 0.7, "aed": 4.0, "lost": 0.0}),
        Row("a", "still", 10, {"aed": 9.0, "lost": 0.0}),
        Row("b", "still", 10, {"aed": 9.0, "lost": 0.0}),
    ]
    drawn, small, still = (mean_row(engine, rows, None).figures for engine in ("builtin", "small", "still"))
    assert (drawn["lips"], small["lips"]) == (0.9, 0.7), "the first case is missing for one of them"
    assert "lips" not in still and (drawn["aed"], small["aed"], still["aed"]) == (2, 3, 9)
    apart = [Row("a", "builtin", 1, {"lips": 0.5, "lost": 0.0}), Row("b", "builtin", 1, {"lost": 0.0}),
             Row("a", "small", 1, {"lost": 0.0}), Row("b", "small", 1, {"lips": 0.5, "lost": 0.0})]  # fmt: skip
    assert "lips" not in mean_row("builtin", apart, None).figures, "no case in common"


def test_what_was_not_measured_is_a_dash_and_null():
    table = Table("self", tuple(ROWS), ("CSIM is not measured",))
    head, rule, first, second = str(table).splitlines()
    assert head.split("|")[4].strip() == "L1" and set(rule) <= set("|-: ")
    assert [cell.strip() for cell in first.split("|")[1:6]] == ["a", "builtin", "10", "-", "30.00"]
    assert len({len(line) for line in (head, rule, first, second)}) == 1
    told = table.as_dict()
    assert told["rows"][0]["compared"] == 9
    assert told["rows"][1] | {"psnr": 20.0, "lips": None, "csim": None} == told["rows"][1]
    assert told["columns"]["akd"]["better"] == "less" and told["notes"] == ["CSIM is not measured"]


def test_protocols_measure_what_means_something_in_them():
    assert set(columns_of("self")) == set(KEYS) - {"sync_c", "sync_d"}
    assert columns_of("cross") == ("fid", "aed", "apd", "lips", "csim", "lost")
    assert columns_of("audio") == ("fid", "aed", "lmd", "lips", "csim", "sync_c", "sync_d", "lost")
    assert list(COLUMNS) == list(KEYS)


def test_the_page_needs_nothing_else_and_names_are_no_markup():
    grey = np.full((256, 256, 3), 90, np.uint8)
    rows = (
        Row("<i>", "builtin", 2, {"psnr": 30.0, "akd": 1.0, "lost": 0.0}),
        Row("<i>", "still", 2, {"psnr": 20.0, "akd": 0.5, "lost": 0.0}),
    )
    judged = [Judged("<i>", engine, 2, {}, {}, {}, {40: grey, 80: grey}, []) for engine in ("builtin", "still")]
    text = page(Table("self", rows, ()), [Strip("<i>", grey, None, [40, 80], judged)])
    assert "<i>" not in text and "&lt;i&gt;" in text
    assert len(re.findall("<img", text)) == 1 + 2 * 2
    assert not re.search(r"(src|href)=\"(?!data:)|<script|@import|url\(", text)
    assert "<b>30.00</b>" in text and "<b>0.50</b>" in text and "<b>20.00</b>" not in text and "<b>0</b>" not in text
    shown = page(Table("self", rows, ()), [Strip("<i>", grey, [grey, grey], [40, 80], judged)])
    assert len(re.findall("<img", shown)) == 1 + 3 * 2
