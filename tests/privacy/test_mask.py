"""No value survives masking, in any field, form or notation. All values are invented."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kr_secops.privacy.mask import Guard, mask

GUARD = Guard(b"k" * 32)
NIK = "6112015708900003"
MAN = "6112011708900003"
PHONE = "081234567890"


@pytest.mark.parametrize(
    ("raw", "kind", "show", "masked"),
    [
        (NIK, "nik", (4, 2), "6112**********03"),
        ("611201 570890 0003", "nik", (4, 2), "6112** ****** **03"),
        ("611201%20570890%200003", "nik", (4, 2), "6112**%20******%20**03"),
        ("01.312.166.0-091.000", "npwp", (2, 3), "01.***.***.*-***.000"),
        (PHONE, "phone", (4, 2), "0812******90"),
        ("+62 812-3456-7890", "phone", (4, 2), "+62 812-****-**90"),
        ("%2B6281234567890", "phone", (4, 2), "%2B62812******90"),
        ("(0561) 712345", "phone", (4, 2), "(0561) ****45"),
        ("siti.aminah@gmail.com", "email", (1, 0), "s***@gmail.com"),
        ("siti%40gmail.com", "email", (1, 0), "s***%40gmail.com"),
        ("siti%2Buji%40gmail.com", "email", (1, 0), "s***%40gmail.com"),
        ("siti%2540gmail.com", "email", (1, 0), "s***%2540gmail.com"),
        ("siti\\u0040gmail.com", "email", (1, 0), "s***\\u0040gmail.com"),
        ("s@gmail.com", "email", (1, 0), "***@gmail.com"),
    ],
)
def test_masked_form(raw: str, kind: str, show: tuple[int, int], masked: str) -> None:
    assert mask(raw, kind, show) == masked


def event(**fields: Any) -> dict[str, Any]:
    return {"@timestamp": "2026-11-17T01:05:09.000Z", "event.dataset": "nginx.access", **fields}


def test_masks_every_field_and_counts_a_value_once() -> None:
    original = f'"GET /cek?nik={NIK}&email=siti%40gmail.com HTTP/1.1" 200'
    given_event = event(
        **{
            "event.original": original,
            "message": original,
            "url.query": f"nik={NIK}&email=siti%40gmail.com",
            "kr.url.decoded": f"/cek?nik={NIK}&email=siti@gmail.com",
            "related.user": ["x", [NIK, {"a": f"no {NIK}"}]],
            "http.response.status_code": 200,
        }
    )
    before = copy.deepcopy(given_event)
    result = GUARD.protect(given_event)
    assert given_event == before
    text = json.dumps(result)
    assert NIK not in text
    assert "siti" not in text
    assert result["kr.pii.types"] == ["email", "nik"]
    assert result["kr.pii.count"] == 2
    assert len(result["kr.pii.hashes"]) == 2
    assert result["kr.pii.classes"] == ["umum"]
    assert set(result["kr.pii.fields"]) == {
        "event.original",
        "message",
        "url.query",
        "kr.url.decoded",
        "related.user",
    }
    assert result["http.response.status_code"] == 200
    assert result["url.query"] == "nik=6112**********03&email=s***%40gmail.com"


def test_an_event_without_personal_data_is_the_same_object() -> None:
    plain = event(**{"event.original": "Started user@1000.service", "source.ip": "203.0.113.9"})
    assert GUARD.protect(plain) is plain
    assert GUARD.protect({}) == {}


def test_protecting_twice_changes_nothing() -> None:
    once = GUARD.protect(event(**{"event.original": f"nik {NIK} hp {PHONE} siti@gmail.com"}))
    assert GUARD.protect(once) is once


def test_a_second_look_adds_to_what_is_known() -> None:
    once = GUARD.protect(event(message=f"nik {NIK}"))
    again = GUARD.protect({**once, "message": f"nik {NIK} hp {PHONE}"})
    assert again["kr.pii.types"] == ["nik", "phone"]
    assert again["kr.pii.count"] == 2
    assert again["kr.pii.hashes"][:1] == once["kr.pii.hashes"]


@pytest.mark.parametrize(
    "notations",
    [
        [NIK, "611201 570890 0003", "6112-0157-0890-0003"],
        [PHONE, "+6281234567890", "62812 3456 7890", "(0812) 3456-7890", "hp%3D%2B6281234567890"],
        ["Siti@Gmail.com", "siti%40gmail.com", "siti\\u0040gmail.com"],
        ["npwp 013121660091000", "01.312.166.0-091.000", "npwp 0013121660091000"],
    ],
)
def test_all_notations_have_one_hash(notations: list[str]) -> None:
    hashes = {tuple(GUARD.protect(event(message=text))["kr.pii.hashes"]) for text in notations}
    assert len(hashes) == 1
    other = Guard(b"o" * 32).protect(event(message=notations[0]))["kr.pii.hashes"]
    assert tuple(other) not in hashes
    assert re.fullmatch("[0-9a-f]{32}", other[0])


@pytest.mark.parametrize(
    ("field", "value", "masked"),
    [
        ("user.name", "siti@gmail.com", "s***@gmail.com"),
        ("user.name", NIK, "6112**********03"),
        ("user.name", "siti", "siti"),
        ("source.ip", "203.0.113.9", "203.0.113.9"),
        ("kr.app.nik", int(NIK), "6112**********03"),
        ("kr.app.no_hp", 6281234567890, "62812******90"),
        ("kr.app.no_kk", MAN, "6112**********03"),
        ("kr.app.telepon", "0561712345", "0561****45"),
        ("kr.app.invoice", "081234567890", "081234567890"),
        ("log.offset", 1763340309123456, 1763340309123456),
        ("kr.app.items", ({"siti@gmail.com": True},), [{"s***@gmail.com": True}]),
    ],
)
def test_a_field_name_is_a_label(field: str, value: Any, masked: Any) -> None:
    assert GUARD.protect(event(**{field: value}))[field] == masked


def test_a_field_name_that_is_a_value_is_masked() -> None:
    result = GUARD.protect(event(**{"kr.app.siti@gmail.com": "x"}))
    assert "siti" not in json.dumps(result)
    assert result["kr.pii.fields"] == ["k***@gmail.com"]


def test_an_office_address_is_masked_but_not_counted() -> None:
    result = GUARD.protect(event(message="Tulis ke info@kuburayakab.go.id"))
    assert result == event(message="Tulis ke i***@kuburayakab.go.id")


def test_a_childs_nik_is_specific_on_the_day_of_the_event() -> None:
    result = GUARD.protect(event(message="nik 6112011708150003"))
    assert result["kr.pii.classes"] == ["spesifik"]


@pytest.mark.parametrize("value", [NIK, PHONE, "siti.aminah@gmail.com", "0812 3456 7890"])
@pytest.mark.parametrize("depth", [1, 2])
def test_what_json_escapes_is_found_and_masked(value: str, depth: int) -> None:
    escaped = "".join(f"\\u{ord(sign):04x}" if i % 3 else sign for i, sign in enumerate(value))
    line = '{"a": "NIK hp ' + escaped.replace("\\", "\\" * depth) + ' \\u003cx\\u0022"}'
    quiet = b'{"a": "b"}\n' * 20_000
    assert GUARD.lines(line.encode() + b"\n" + quiet) == [0]
    assert GUARD.lines(quiet + line.encode()) == [len(quiet)]
    got = GUARD.protect(event(message=f"NIK hp {value}", **{"event.original": line}))
    for text in (got["message"], got["event.original"], GUARD.text(line)):
        assert value not in re.sub(r"\\+u00(..)", lambda m: chr(int(m[1], 16)), text)
    assert got["kr.pii.count"] == 1


def test_a_value_that_stands_there_in_both_forms_is_masked_in_both() -> None:
    assert GUARD.text(r"hp a00a@gmail.com hp a00a\u0040gmail.com .").count("a***@gmail.com") == 2


def test_what_json_escapes_stays_where_it_hides_nothing() -> None:
    line = '{"a": "\\u0041 \\u003c b"}'
    given_event = event(**{"event.original": line})
    assert GUARD.protect(given_event) is given_event
    assert GUARD.text(line) == line


def test_free_text() -> None:
    assert GUARD.text(f"cannot parse: {NIK};x") == "cannot parse: 6112**********03;x"
    assert GUARD.text("nothing here") == "nothing here"


def test_many_values_keep_the_event_small() -> None:
    numbers = [f"61120117089{serial:05d}" for serial in range(1, 1500)]
    result = GUARD.protect(event(message=" ".join(numbers)))
    assert result["kr.pii.count"] == len(numbers)
    assert len(result["kr.pii.samples"]) == 10
    assert len(result["kr.pii.hashes"]) == 1000


DATES = st.tuples(st.integers(1, 28), st.booleans(), st.integers(1, 12), st.integers(0, 99))
NIKS = st.builds(
    lambda date, serial: (
        f"611201{date[0] + 40 * date[1]:02d}{date[2]:02d}{date[3]:02d}{serial:04d}"
    ),
    DATES,
    st.integers(1, 2999),
)
PHONES = st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from(["0812", "+62 812-", "62857", "0895 "]),
    st.text("0123456789", min_size=6, max_size=8),
)
MAILS = st.builds(
    lambda local, at, domain: local + at + domain,
    st.from_regex(r"[a-z][a-z0-9._]{2,20}[a-z]", fullmatch=True),
    st.sampled_from(["@", "%40", "\\u0040"]),
    st.sampled_from(["gmail.com", "mail.kuburayakab.go.id"]),
)
WORDS = st.sampled_from([" nik ", "&x=", '","', "\n", " ", "; ", "%22", " hp: "])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(WORDS, NIKS | PHONES | MAILS), min_size=1, max_size=5))
def test_no_value_survives_and_masks_are_not_found(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + value for word, value in parts) + " ."
    masked = GUARD.text(text)
    for _, value in parts:
        assert value not in masked
    assert not re.search(r"[0-9]{10}", masked)
    assert GUARD.text(masked) == masked
    result = GUARD.protect(event(**{"event.original": text, "user.name": parts[0][1]}))
    assert all(value not in json.dumps(result, ensure_ascii=False) for _, value in parts)
    assert GUARD.protect(result) is result


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NIKS | MAILS,
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
            ),
            max_leaves=6,
        ),
        max_size=5,
    )
)
def test_any_event_can_be_protected(fields: dict[str, Any]) -> None:
    result = GUARD.protect(fields)
    assert GUARD.protect(result) is result
