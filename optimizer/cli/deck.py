"""The command that makes a market deck from its rules."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.answers import answering
from optimizer.cli.audit import app
from optimizer.cli.ending import showing

__all__ = ["app"]


@app.command("deck")
def deck_command(
    rules: Annotated[Path, typer.Argument(metavar="RULES.toml", help="The rules of the deck.")],
    folder: Annotated[
        Path, typer.Argument(metavar="OUT_DIR", help="Where market.csv and the deck's other tables go.")
    ],
) -> None:
    """Make a market deck from rules: scenarios, quarterly market, price shapes, and ranges of its guesses."""
    from models.findings import InputError
    from optimizer.decks.read import read_rules
    from optimizer.decks.tables import make_deck
    from optimizer.decks.write import write_deck
    from optimizer.report.findings import print_findings
    from optimizer.report.terminal import console_for

    with answering(False) as answer:
        try:
            tables, doubts = make_deck(rules.name, read_rules(rules))
            write_deck(tables, folder)
        except InputError as wrong:
            answer.input_errors(wrong.findings)
    print_findings(doubts, console_for(stderr=True))
    sizes = (len(tables["scenarios"]), len(tables["market"]), len(tables["market_shapes"]))
    with showing():
        print(
            "Wrote {} scenarios, {} quarters and {} price shapes into ".format(*sizes)
            + shlex.quote(str(folder))
        )
