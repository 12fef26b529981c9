"""How long nothing has been committed: what a job that runs and yet stands still does not tell by itself."""


class Commits:
    """Watches the checkpoints of a job, each of which commits what was decided before it.

    Args:
        patience: seconds without one after which it is said, and again each time as many have passed.
    """

    def __init__(self, patience: float = 30.0) -> None:
        self._patience, self._done = patience, -1
        self._since = self._said = 0.0

    def look(self, done: int, now: float) -> str:
        """What to say, if anything.

        Args:
            done: checkpoints completed so far; -1 while the job is not running, when nothing is to be said.
            now: seconds of a clock that only goes forward.
        """
        if done != self._done or done < 0:
            self._done, self._since, self._said = done, now, now
        if now - self._said < self._patience:
            return ""
        self._said = now
        return (
            f"Nothing has been committed for {now - self._since:.0f} seconds: no checkpoint ends. See whether Kafka's "
            "brokers answer, whether the topic of decisions is there still, and whether --state can be written; "
            "Flink's page says which stage it waits for. Nothing is lost: what was decided since is committed later, "
            "or decided again."
        )
