"""A sheet of figures, each beside its floor and its bar."""


class Sheet:
    """Prints what was measured and remembers what missed its bar."""

    def __init__(self) -> None:
        self._missed: list[str] = []
        print(f"{'what':<52}{'measured':>9} {'':<5}{'floor':>9}{'ratio':>7}  bar")

    def report(
        self, what: str, value: float, unit: str, bar: float, *, floor: float | None = None, least: bool = False
    ) -> None:
        """Print one figure, its floor and their ratio, and its bar; ``least``: the bar is a minimum."""
        held = value >= bar if least else value <= bar
        if not held:
            self._missed.append(what)
        beside = "" if floor is None else f"{floor:.4g}"
        ratio = "" if not floor or unit == "×" else f"{value / floor:.2f}"
        sign = "≥" if least else "≤"
        words = "ok" if held else "MISSED"
        print(f"{what:<52}{value:>9.4g} {unit:<5}{beside:>9}{ratio:>7}  {sign} {bar:<6g}{words}")

    def close(self) -> int:
        """Print what was missed and return the exit status."""
        print("missed: " + ", ".join(self._missed) if self._missed else "every bar held")
        return 1 if self._missed else 0


def quantile(samples: list[float], q: float) -> float:
    """Return the value that the share ``q`` of the samples stays within."""
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * q))]
