"""`keys`: the data key is changed while the service goes on."""

import secrets
from base64 import urlsafe_b64encode

import click
from cryptography.fernet import InvalidToken

from app.cli.families import index_all
from app.cli.speaking import Answer, Group, Refused
from app.config import DATA_KEY_BYTES
from app.services import key_rotation
from app.wiring import Services


@click.group("keys", cls=Group)
def keys() -> None:
    """The key that personal data is encrypted with."""


@keys.command("new")
def new_command(_services: Services) -> Answer:
    """Print a fresh key, to be put in front of DATA_KEY. It is kept nowhere."""
    key = urlsafe_b64encode(secrets.token_bytes(DATA_KEY_BYTES)).decode()
    return Answer({"key": key}, key)


@keys.command("rotate")
def rotate_command(services: Services) -> Answer:
    """Rewrite all personal data under the first key of DATA_KEY. May be stopped and run again."""
    rewritten = {}
    for table, columns in key_rotation.encrypted_tables():
        after = None
        count = 0
        try:
            while True:
                # A batch a transaction: families' turns get in between.
                with services.database.transaction() as db:
                    done, after = key_rotation.rotate_batch(
                        db, table=table, columns=columns, after=after, cipher=services.cipher
                    )
                count += done
                if after is None:
                    break
        except InvalidToken:
            raise Refused(
                "key_missing",
                f"{table.name} holds values that none of the keys in DATA_KEY opens:"
                " put the key they were written with back, behind the others",
            ) from None
        rewritten[table.name] = count
    # Its hashes hang on the newest key.
    index_all(services)
    # What staff search by hangs on the newest key as well.
    index_all(services)
    with services.database.reading() as db:
        left = key_rotation.count_older(db, services.cipher)
    total = sum(rewritten.values())
    text = f"{total:,} values rewritten, {left} still under an older key"
    if not left:
        text += ": DATA_KEY may be set to its first key alone"
    return Answer({"rewritten": rewritten, "older": left}, text)
