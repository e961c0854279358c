"""What the district owes each family, by calendar year."""

from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Entitlement(Base):
    __tablename__ = "entitlements"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sessions: Mapped[int]
    home_visits: Mapped[int]
