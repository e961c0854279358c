"""Small cells are hidden, and cannot be worked out from the totals."""

from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.rules.small_cells import hidden, is_small

tables = st.integers(1, 6).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 30), min_size=columns, max_size=columns), min_size=1, max_size=6
    )
)


def test_from_one_to_four_is_small_and_nothing_is_not() -> None:
    assert [count for count in range(7) if is_small(count)] == [1, 2, 3, 4]


def test_a_table_of_large_numbers_hides_nothing() -> None:
    assert hidden([[5, 9], [0, 12]]) == frozenset()


def test_beside_a_small_number_the_next_smallest_is_hidden() -> None:
    found = hidden([[3, 8, 20], [9, 7, 30], [11, 12, 13]])
    assert {(0, 0), (0, 1)} <= found
    assert (2, 2) not in found


@given(tables)
def test_no_row_and_no_column_leaves_one_cell_to_work_out(table: list[list[int]]) -> None:
    found = hidden(table)
    rows, columns = len(table), len(table[0])
    for row in range(rows):
        for column in range(columns):
            assert not is_small(table[row][column]) or (row, column) in found
    if columns > 1:
        assert all(sum((row, c) in found for c in range(columns)) != 1 for row in range(rows))
    if rows > 1:
        assert all(sum((r, column) in found for r in range(rows)) != 1 for column in range(columns))


def test_ones_alone_and_fours_alone_are_not_left_to_work_out() -> None:
    assert hidden([[1, 1, 9, 20]]) == {(0, 0), (0, 1), (0, 2)}
    assert hidden([[4, 4, 0, 20]]) == {(0, 0), (0, 1), (0, 3)}
    assert hidden([[1, 2, 9, 20]]) == {(0, 0), (0, 1)}


def test_of_several_next_smallest_all_are_hidden() -> None:
    """Hiding the first 5 alone would tell that 8 were left for 5 and 3, in this order."""
    assert hidden([[5, 5, 3, 30]]) == {(0, 0), (0, 1), (0, 2)}
    assert hidden([[3, 0, 0]]) == {(0, 0), (0, 1), (0, 2)}


@settings(max_examples=40)
@example([5, 5, 3])
@given(st.lists(st.integers(0, 7), min_size=1, max_size=3))
def test_who_knows_the_rule_and_the_total_cannot_tell_a_small_number(counts: list[int]) -> None:
    """Every row is tried that adds up to what is left and would be hidden in the same places."""
    row = [*counts, 30]
    found = sorted(column for _, column in hidden([row]))
    left = sum(row[column] for column in found)
    fitting = []
    for tried in product(range(left + 1), repeat=max(len(found) - 1, 0)):
        if found and sum(tried) <= left:
            guess = dict(zip(found, (*tried, left - sum(tried)), strict=True))
            like = [guess.get(column, count) for column, count in enumerate(row)]
            if {column for _, column in hidden([like])} == set(found):
                fitting.append(like)
    for column in found:
        assert not is_small(row[column]) or len({each[column] for each in fitting}) > 1, row
