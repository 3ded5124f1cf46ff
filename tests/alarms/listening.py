"""What hears the numerics of a limit set by itself, without the system around it."""

from alarms.board import Board
from alarms.rules import LimitSet
from alarms.senses import new_senses
from alarms.subsumption import Causes
from alarms.vitals import Vitals
from alarms.watches import watch_all


def listening(limits: LimitSet) -> Vitals:
    """Return what hears the numerics of a limit set, before anything was heard."""
    board = Board(Causes())
    watch_all(limits, board)
    return Vitals(limits, board, new_senses())
