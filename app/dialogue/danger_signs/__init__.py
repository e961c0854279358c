"""What people write when a child is in danger: one pattern for each category.

The patterns are matched against plain Mandarin (`say_plain`) without spaces. Whether a match
is happening now, and not asked about, feared or long past, `emergency` decides.
"""

from typing import Final

from app.dialogue.danger_signs import airway, injuries, intake, mind, nerves, together
from app.late_pattern import LatePattern
from app.rules.emergencies import EmergencyCategory

# In the order in which they are answered when several match: what happened before what it does,
# for the first aid of a cause holds what to do about its signs.
SIGNS: Final[tuple[tuple[EmergencyCategory, LatePattern], ...]] = (
    (EmergencyCategory.SELF_HARM, mind.SELF_HARM),
    (EmergencyCategory.HARM_TO_CHILD, mind.HARM_TO_CHILD),
    (EmergencyCategory.DROWNING, airway.DROWNING),
    (EmergencyCategory.CHOKING, airway.CHOKING),
    (EmergencyCategory.SWALLOWED_OBJECT, intake.SWALLOWED_OBJECT),
    (EmergencyCategory.POISONING, intake.POISONING),
    (EmergencyCategory.ELECTRIC_SHOCK, injuries.ELECTRIC_SHOCK),
    (EmergencyCategory.BURN, injuries.BURN),
    (EmergencyCategory.ALLERGY, intake.ALLERGY),
    (EmergencyCategory.BITE, injuries.BITE),
    (EmergencyCategory.FALL, injuries.FALL),
    (EmergencyCategory.CONVULSION, nerves.CONVULSION),
    (EmergencyCategory.NOT_BREATHING, airway.NOT_BREATHING),
    (EmergencyCategory.UNCONSCIOUS, nerves.UNCONSCIOUS),
    (EmergencyCategory.INTUSSUSCEPTION, intake.INTUSSUSCEPTION),
    (EmergencyCategory.BLEEDING, injuries.BLEEDING),
    (EmergencyCategory.CHOKING, together.CHOKING),
    (EmergencyCategory.SWALLOWED_OBJECT, together.SWALLOWED_OBJECT),
    (EmergencyCategory.POISONING, together.POISONING),
    (EmergencyCategory.FALL, together.FALL),
    (EmergencyCategory.CONVULSION, together.CONVULSION),
    (EmergencyCategory.DROWNING, LatePattern(together.MISSING)),
    (EmergencyCategory.OTHER_DANGER, together.TRAPPED),
    (EmergencyCategory.OTHER_DANGER, together.ILLNESS),
)
