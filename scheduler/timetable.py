"""The timetable: every job, when it runs, and what it does.

Schedules are in cron's form, by Shanghai's time. Weekdays are written mon, tue, …: numbers
mean other days to the scheduler (0 is Monday) than to cron (0 is Sunday).
"""

from app.wiring import Job
from scheduler import send_notices, tidy

JOBS: tuple[Job, ...] = (
    Job(
        name="send_notices",
        schedule="* * * * *",
        does="settles notices that a crash left in sending, and delivers what is due",
        run=send_notices.run,
    ),
    Job(
        name="tidy",
        schedule="20 3 * * *",
        does="deletes callbacks older than 3 days, used and expired invitations",
        run=tidy.run,
    ),
)
