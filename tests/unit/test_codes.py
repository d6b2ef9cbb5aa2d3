import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.codes import code, job_id
from bot.domain.errors import RequestError


@given(st.integers(1, 2**63 - 2))
def test_a_code_stands_for_its_job_however_it_is_written(number: int) -> None:
    made = code(number)
    assert len(made) >= 4
    assert job_id(made) == number
    assert job_id(f" #{made[:2]}-{made[2:]} ".lower().replace("0", "o").replace("1", "l")) == number


@pytest.mark.parametrize(
    "text", ["", " ", "1", "-1", "00001", "fox!", "K7U2", "0000", "-", "Z" * 14, "é", "1 2", "７"]
)
def test_what_is_no_code_is_refused_in_words(text: str) -> None:
    with pytest.raises(RequestError, match="is no picture's code"):
        job_id(text)
