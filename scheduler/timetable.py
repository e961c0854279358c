"""The timetable: every job, when it runs, and what it does.

Schedules are in cron's form, by Shanghai's time. Weekdays are written mon, tue, …: numbers
mean other days to the scheduler (0 is Monday) than to cron (0 is Sunday).
"""

from app.wiring import Job
from scheduler import (
    apply_retention,
    count_families,
    escalate,
    learn_people,
    nudge_course,
    nudge_year_plan,
    promote_waiting,
    queue_packs,
    remind_sessions,
    remind_visits,
    send_notices,
    snapshot_coverage,
    tidy,
)

JOBS: tuple[Job, ...] = (
    Job(
        name="send_notices",
        schedule="* * * * *",
        does="settles notices that a crash left in sending, and delivers what is due",
        run=send_notices.run,
    ),
    Job(
        name="remind_sessions",
        schedule="*/5 * * * *",
        does="reminds families a day before and two hours before a session, by day only",
        run=remind_sessions.run,
    ),
    Job(
        name="remind_visits",
        schedule="*/5 * * * *",
        does="reminds families of a home visit the evening before and two hours before",
        run=remind_visits.run,
    ),
    Job(
        name="escalate",
        schedule="10,40 * * * *",
        does="takes conversations unanswered for 2 working hours, requests for home visits"
        " unanswered for 3 working days, and visits overdue as long, up to the township lead; ends"
        " offers of a time that nobody answered, and conversations silent for 3 days",
        run=escalate.run,
    ),
    Job(
        name="promote_waiting",
        schedule="* * * * *",
        does="ends offers whose time is over, and offers free seats to who is next in line",
        run=promote_waiting.run,
    ),
    Job(
        name="nudge_year_plan",
        schedule="20 8-20 * * *",
        does="proposes what year plans are short of, and nudges families behind their year at"
        " most once a month",
        run=nudge_year_plan.run,
    ),
    Job(
        name="nudge_course",
        schedule="*/15 8-20 * * *",
        does="enters attended grandparents' classes as practice of the course, and nudges learners"
        " who are stuck, weekly, four times at most",
        run=nudge_course.run,
    ),
    Job(
        name="queue_packs",
        schedule="5,35 8-20 * * *",
        does="plans age-tied packs and queues what is due, at most three a week and family",
        run=queue_packs.run,
    ),
    Job(
        name="learn_people",
        schedule="*/10 * * * *",
        does="where there is a mini program: asks the platform who followers are in it",
        run=learn_people.run,
    ),
    Job(
        name="apply_retention",
        schedule="40 3 * * *",
        does="empties notices and deletes done tasks and ended conversations after a year, empties"
        " imported files after 30 days, deletes messages not understood after 90, and"
        " retires families whose youngest child turned three the year before last",
        run=apply_retention.run,
    ),
    Job(
        name="count_families",
        schedule="* * * * *",
        does="counts anew, for the coverage report, families whose sign-ups, children or visits"
        " changed, and adds up what became of packs",
        run=count_families.run,
    ),
    Job(
        name="snapshot_coverage",
        schedule="30 0 * * *",
        does="freezes the coverage of the month that has ended, with its definitions' version",
        run=snapshot_coverage.run,
    ),
    Job(
        name="tidy",
        schedule="20 3 * * *",
        does="deletes callbacks and the API's kept answers older than 3 days, used and"
        " expired invitations; marks places that"
        " nobody checked in as missed, 3 days after the session, where attendance was taken",
        run=tidy.run,
    ),
)
