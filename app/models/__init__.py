"""Tables. Importing this package registers all of them on Base.metadata."""

from app.models.family import Caregiver, Child, Consent, Family, Invitation
from app.models.guidance import (
    CalendarDay,
    GuidanceSession,
    PlanProposal,
    SessionSeries,
    SignUp,
    Station,
    Township,
    YearPlan,
)
from app.models.learning import (
    Certificate,
    Learner,
    LessonPass,
    ModulePass,
    Practice,
    QuizAttempt,
)
from app.models.messaging import FollowUp, InboxEntry, Notice
from app.models.packs import (
    CataloguedPack,
    MutedTopic,
    PackPush,
    PackWindow,
    PushPreference,
    SubscriptionConsent,
)
from app.models.policy import Entitlement
from app.models.search import FamilyTerm
from app.models.staff import AuditedFamily, AuditEntry, JobRun, Lease, RecoveryCode, Staff

__all__ = [
    "AuditEntry",
    "AuditedFamily",
    "CalendarDay",
    "Caregiver",
    "CataloguedPack",
    "Certificate",
    "Child",
    "Consent",
    "Entitlement",
    "Family",
    "FamilyTerm",
    "FollowUp",
    "GuidanceSession",
    "InboxEntry",
    "Invitation",
    "JobRun",
    "Learner",
    "Lease",
    "LessonPass",
    "ModulePass",
    "MutedTopic",
    "Notice",
    "PackPush",
    "PackWindow",
    "PlanProposal",
    "Practice",
    "PushPreference",
    "QuizAttempt",
    "RecoveryCode",
    "SessionSeries",
    "SignUp",
    "Staff",
    "Station",
    "SubscriptionConsent",
    "Township",
    "YearPlan",
]
