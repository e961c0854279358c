"""Empties and deletes what is past its time, in short transactions, and reports what it was."""

from datetime import datetime

from app.services import retention, thread_care, unread
from app.wiring import Services
from scheduler.batches import in_batches, one_by_one


def run(services: Services, now: datetime) -> str:
    """All of it, as of now."""
    database = services.database
    words = in_batches(database, retention.empty_notices, now, size=retention.BATCH)
    tasks = in_batches(database, retention.delete_tasks, now, size=retention.BATCH)
    files = in_batches(database, retention.empty_files, now, size=retention.BATCH)
    threads = in_batches(database, thread_care.delete_old, now, size=retention.BATCH)
    not_understood = in_batches(database, unread.forget, now, size=unread.BATCH)
    families = one_by_one(
        database, retention.find_grown_out, retention.retire, now, size=retention.BATCH
    )
    return (
        f"emptied {words} notices and {files} imported files, deleted {tasks} done tasks and"
        f" {threads} conversations and {not_understood} messages not understood,"
        f" retired {families} families"
    )
