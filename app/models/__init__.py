"""Tables. Importing this package registers all of them on Base.metadata."""

from app.models.api import ApiAnswer, CaregiverLogIn
from app.models.family import Caregiver, Child, Consent, Family, Invitation
from app.models.growth import Measurement
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
from app.models.importing import FileImport
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
    SavedPack,
    SubscriptionConsent,
)
from app.models.policy import Entitlement
from app.models.reporting import (
    CHANGED_FAMILIES,
    CHANGED_FAMILY_PACKS,
    CHANGED_PACK_DAYS,
    CountedYear,
    CoverageSnapshot,
    FamilyPacks,
    FamilyYear,
    PackDay,
)
from app.models.search import FamilyTerm
from app.models.staff import AuditedFamily, AuditEntry, JobRun, Lease, RecoveryCode, Staff
from app.models.threads import CannedAnswer, HelpThread, ThreadMessage
from app.models.unread import UnreadMessage
from app.models.visit import (
    HomeContact,
    HomeVisit,
    NewbornCare,
    Referral,
    SpecialNeed,
    VisitDue,
    Visitor,
    VisitorLeave,
    VisitorTownship,
    VisitProposal,
    VisitReport,
)

__all__ = [
    "CHANGED_FAMILIES",
    "CHANGED_FAMILY_PACKS",
    "CHANGED_PACK_DAYS",
    "ApiAnswer",
    "AuditEntry",
    "AuditedFamily",
    "CalendarDay",
    "CannedAnswer",
    "Caregiver",
    "CaregiverLogIn",
    "CataloguedPack",
    "Certificate",
    "Child",
    "Consent",
    "CountedYear",
    "CoverageSnapshot",
    "Entitlement",
    "Family",
    "FamilyPacks",
    "FamilyTerm",
    "FamilyYear",
    "FileImport",
    "FollowUp",
    "GuidanceSession",
    "HelpThread",
    "HomeContact",
    "HomeVisit",
    "InboxEntry",
    "Invitation",
    "JobRun",
    "Learner",
    "Lease",
    "LessonPass",
    "Measurement",
    "ModulePass",
    "MutedTopic",
    "NewbornCare",
    "Notice",
    "PackDay",
    "PackPush",
    "PackWindow",
    "PlanProposal",
    "Practice",
    "PushPreference",
    "QuizAttempt",
    "RecoveryCode",
    "Referral",
    "SavedPack",
    "SessionSeries",
    "SignUp",
    "SpecialNeed",
    "Staff",
    "Station",
    "SubscriptionConsent",
    "ThreadMessage",
    "Township",
    "UnreadMessage",
    "VisitDue",
    "VisitProposal",
    "VisitReport",
    "Visitor",
    "VisitorLeave",
    "VisitorTownship",
    "YearPlan",
]
