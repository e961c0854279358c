"""Who answers what: one explicit table from intents and running dialogues to functions."""

from app.dialogue.turn import Handlers
from handlers import general, my_family, registration, sessions

HANDLERS = Handlers(
    intents={
        "register_child": registration.start,
        "update_child": registration.start_correction,
        "need_answer": registration.note_need,
        "invite": my_family.invite,
        "join_family": my_family.join,
        "my_information": my_family.my_information,
        "privacy_request": my_family.privacy_request,
        "pause_pushes": my_family.pause_pushes,
        "resume_pushes": my_family.resume_pushes,
        "opt_out": my_family.opt_out,
        "list_sessions": sessions.list_sessions,
        "more": sessions.nothing_more,
        "book_session": sessions.book,
        "my_bookings": sessions.my_bookings,
        "cancel_booking": sessions.cancel,
        "reschedule": sessions.reschedule,
        "human_agent": general.hand_over,
        "complaint": general.complaint,
        "not_yet": general.not_yet,
        "help": general.help_,
        "greeting": general.greeting,
        "thanks": general.thanks,
        "leave": general.leave,
        "resume": general.nothing_running,
    },
    topics={
        "registration": registration.go_on,
        "correction": registration.go_on_correcting,
        "need": registration.go_on_need,
        "relation": my_family.go_on_relation,
        "sessions": sessions.go_on,
    },
    emergency=general.emergency,
    followed=general.followed,
    scanned=general.scanned,
    not_text=general.not_text,
    not_understood=general.not_understood,
    waiting_tail=general.waiting_tail,
)
