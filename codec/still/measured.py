"""An encoder that also counts what its model says the symbols cost."""

import numpy as np

from ...entropy.prior import Int32
from ...entropy.range_coder import SymbolEncoder
from ...entropy.rate import RateCounter
from ...entropy.tables import CdfTable


class MeasuredEncoder:
    """As SymbolEncoder, with a RateCounter that sees the same symbols."""

    def __init__(self) -> None:
        self.encoder, self.counter = SymbolEncoder(), RateCounter()

    def code(self, symbols: Int32 | None, rows: np.ndarray, table: CdfTable) -> Int32:
        """See entropy.coder.SymbolCoder."""
        self.counter.code(symbols, rows, table)
        return self.encoder.code(symbols, rows, table)

    def code_each(self, symbols: Int32 | None, weights: Int32) -> Int32:
        """See entropy.coder.IndexCoder."""
        self.counter.code_each(symbols, weights)
        return self.encoder.code_each(symbols, weights)
