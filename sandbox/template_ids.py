"""The ids of the account's message templates, and which of them a demonstration uses for what.

Apart from what they say (catalogue): ./dev tells the service these at every start, and loads no
more for it than it has to.
"""


def _template_id(name: str) -> str:
    """43 characters, as the platform's ids have, and still readable in a log."""
    return f"{name}-" + "sandboxTemplate0123456789abcdefghijklmnopqr"[: 42 - len(name)]


BOOKING_CONFIRMED = _template_id("bookingConfirmed")
BOOKING_DECLINED = _template_id("bookingDeclined")
BOOKING_CANCELLED = _template_id("bookingCancelled")
SESSION_CHANGED = _template_id("sessionChanged")
REMINDER = _template_id("sessionReminder")
PLACE_OFFERED = _template_id("placeOffered")
YEAR_PLAN = _template_id("yearPlan")
HOME_VISIT = _template_id("homeVisit")
SERVICE_PROGRESS = _template_id("serviceProgress")
PACK_READY = _template_id("packReady")
SESSION_OPEN = _template_id("sessionOpen")
VISIT_SOON = _template_id("visitSoon")
GUIDANCE_DUE = _template_id("guidanceDue")

DEMO_TEMPLATE_IDS: dict[str, str] = {
    "sign_up_confirmed": BOOKING_CONFIRMED,
    "sign_up_declined": BOOKING_DECLINED,
    "sign_up_cancelled": BOOKING_CANCELLED,
    "sign_up_offered": PLACE_OFFERED,
    "session_changed": SESSION_CHANGED,
    "reminder_24h": REMINDER,
    "reminder_2h": REMINDER,
    "plan_proposed": YEAR_PLAN,
    "plan_taken": YEAR_PLAN,
    "year_plan_nudge": YEAR_PLAN,
}

DEMO_SUBSCRIPTION_IDS: dict[str, str] = {
    "pack": PACK_READY,
    "pack_long_term": GUIDANCE_DUE,
    "visit_evening": VISIT_SOON,
}
