"""Passwords hashed quickly: slow on purpose is the service's hash, and hundreds of tests log in."""

from argon2 import PasswordHasher

import app.services.staff

SERVICES_OWN = app.services.staff.HASHER
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def be_quick() -> None:
    """In what is imported after this; a program that a test starts is as slow as ever."""
    vars(app.services.staff)["HASHER"] = QUICK
