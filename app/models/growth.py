"""What was measured of a child."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Instant


class Measurement(Base):
    """A child's measures of one day; measured again on that day, they replace the first."""

    __tablename__ = "measurements"
    __table_args__ = (UniqueConstraint("child_id", "measured_on", name="uq_measurements_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id", ondelete="CASCADE"))
    measured_on: Mapped[date]
    weight_grams: Mapped[int | None]
    length_millimetres: Mapped[int | None]
    head_millimetres: Mapped[int | None]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
