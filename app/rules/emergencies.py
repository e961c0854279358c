"""The dangers that are answered before anything else."""

from enum import StrEnum


class EmergencyCategory(StrEnum):
    """What is happening to the child, or in its caregiver. Each has its own first aid."""

    CHOKING = "choking"
    NOT_BREATHING = "not_breathing"
    CONVULSION = "convulsion"
    UNCONSCIOUS = "unconscious"
    FALL = "fall"
    """A fall, or another blow to the head."""
    DROWNING = "drowning"
    BURN = "burn"
    ELECTRIC_SHOCK = "electric_shock"
    POISONING = "poisoning"
    SWALLOWED_OBJECT = "swallowed_object"
    ALLERGY = "allergy"
    INTUSSUSCEPTION = "intussusception"
    BLEEDING = "bleeding"
    BITE = "bite"
    YOUNG_FEVER = "young_fever"
    """Fever, or refusing all milk, in a child under 92 days."""
    SELF_HARM = "self_harm"
    HARM_TO_CHILD = "harm_to_child"
    OTHER_DANGER = "other_danger"
    """A cry for help or for an ambulance that does not say what happened."""
