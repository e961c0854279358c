"""Who agreed to what stays provable: other words have another version."""

from hashlib import sha256

import pytest

from app.services.home_contacts import CONTACT_VERSION
from app.words.home_visits import CONTACT_USE
from app.words.registration import CONSENT_VERSION, consent_notice

SAID = {
    ("child_data", "2026-11"): "a1b073866e42",
    ("home_visit_contact", "2026-11-2"): "3e576e2b3b41",
}
"""By purpose and version, the first digits of the words' SHA-256: a line more with every change."""


@pytest.mark.parametrize(
    "purpose, version, words",
    [
        ("child_data", CONSENT_VERSION, consent_notice("")),
        ("home_visit_contact", CONTACT_VERSION, CONTACT_USE),
    ],
)
def test_a_change_of_what_people_agree_to_raises_its_version(
    purpose: str, version: str, words: str
) -> None:
    assert sha256(words.encode()).hexdigest()[:12] == SAID[purpose, version]
