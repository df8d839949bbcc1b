"""JSON of any shape, drawn at random from the words that a wire protocol knows, and worse."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

KEYS = ("\0", "x" * 151)
WORDS = ("42", "a@example.com", "cio_0300000001", "null", "", "\ud800", "\0", "9" * 5_000)


def json_of(keys: Sequence[str], words: Sequence[str], *, leaves: int) -> st.SearchStrategy[object]:
    """Draw JSON with ``keys`` and ``words``, and with some that none should have."""
    values = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from([*WORDS, *words]),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
    )
    return st.recursive(
        values,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, *keys]), inner)
        ),
        max_leaves=leaves,
    )
