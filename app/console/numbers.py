"""Whole numbers in forms, as long as anybody means them."""

from collections.abc import Sequence

from wtforms import IntegerField

LONGEST = 9
"""Digits: a number of hundreds is no number to the library's own checks."""


class WholeNumberField(IntegerField):
    """An IntegerField that takes what is longer for no number at all."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        if valuelist and len(valuelist[0].strip()) > LONGEST:
            raise ValueError(self.gettext("Not a valid integer value."))
        super().process_formdata(list(valuelist))
