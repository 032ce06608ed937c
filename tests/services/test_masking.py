import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from projects.services.masking import MASK, Masker, mask_text

BYTES = st.binary(max_size=60).map(lambda value: bytes(97 + byte % 3 for byte in value))  # few letters: many half matches
SECRETS = st.lists(st.binary(min_size=4, max_size=8).map(lambda value: bytes(97 + byte % 3 for byte in value)), min_size=1, max_size=4)


def masked(secrets, chunks):
    masker = Masker(secrets)
    return b"".join(bytes(masker.feed(memoryview(chunk))) for chunk in chunks) + masker.flush()


def test_without_secrets_the_data_passes_uncopied():
    data = memoryview(b"plain")
    assert Masker([]).feed(data) is data


def test_a_secret_cut_anywhere_over_two_chunks_is_masked():
    text = b"token=ghp_abcdefgh end"
    for cut in range(len(text)):
        assert masked([b"ghp_abcdefgh"], [text[:cut], text[cut:]]) == b"token=*** end"


def test_a_secret_fed_byte_by_byte_is_masked():
    assert masked([b"s3cret"], [bytes([byte]) for byte in b"as3crets3cretb"]) == b"a******b"


def test_only_a_suffix_that_may_begin_a_secret_is_held_back():
    masker = Masker([b"secret"])
    assert bytes(masker.feed(b"hello se")) == b"hello "
    assert bytes(masker.feed(b"a")) == b"sea"
    assert bytes(masker.feed(b"x sec")) == b"x "
    assert masker.flush() == b"sec"


def test_of_two_secrets_that_start_together_the_longer_is_masked_whole():
    assert masked([b"abcd", b"abcdefgh"], [b"abcd", b"efgh", b" abcdx"]) == b"*** ***x"


def test_a_short_secret_inside_the_beginning_of_a_longer_one_is_masked_when_the_longer_fails():
    assert masked([b"xxabcdzz", b"abcd"], [b"xxabc", b"dyy"]) == b"xx***yy"


def test_a_held_shorter_secret_is_masked_at_the_end():
    assert masked([b"abcd", b"abcdefgh"], [b"abcdef"]) == b"***ef"


def test_values_too_short_to_be_secrets_are_left_alone():
    assert masked([b"", b"abc"], [b"abc"]) == b"abc"


def test_a_sentence_is_masked():
    assert mask_text("curl -H ghp_token", [b"ghp_token"]) == "curl -H ***"


@given(secrets=SECRETS, text=BYTES, cuts=st.lists(st.integers(0, 60)))
def test_the_output_is_that_of_one_substitution_however_it_is_cut(secrets, text, cuts):
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[start:end] for start, end in pairwise(borders)]
    pattern = b"|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True))
    assert masked(secrets, chunks) == re.sub(pattern, MASK, text)
