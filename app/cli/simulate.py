"""`simulate`: a year of made-up families, by the year plan and first come, first served."""

import click

from app.cli.speaking import Answer, Command, table
from app.simulation.running import ArmDied, Outcome, simulate
from app.wiring import Services


@click.command("simulate", cls=Command)
@click.option("--families", type=click.IntRange(1, 20_000), default=2000, show_default=True)
@click.option("--months", type=click.IntRange(1, 12), default=12, show_default=True)
@click.option("--seats-per-family", type=click.FloatRange(0.1, 30), default=7.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def simulate_command(
    services: Services, families: int, months: int, seats_per_family: float, seed: int
) -> Answer:
    """Play months of sign-ups through the real services, on a database that is thrown away."""
    del services  # its database is never touched
    try:
        found = simulate(
            families=families,
            months=months,
            seats_per_family=seats_per_family,
            seed=seed,
            say=lambda words: click.echo(words, err=True),
        )
    except ArmDied as error:
        raise click.ClickException(str(error)) from error
    text = table(
        [
            ("", "reach 6", "reach 12", "used", "missed", "offered"),
            ("year plan", *_shown(found.year_plan)),
            ("first come", *_shown(found.first_come)),
        ],
        "",
    )
    head = f"{found.families_in_need} families in need, {found.sessions} sessions\n"
    return Answer(found, f"{head}{text}\nseed {seed}, {found.seconds} s")


def _shown(outcome: Outcome) -> tuple[object, ...]:
    return (
        _percent(outcome.share_reaching_6),
        _percent(outcome.share_reaching_12),
        outcome.seats_used,
        outcome.seats_missed,
        outcome.seats_offered,
    )


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"
