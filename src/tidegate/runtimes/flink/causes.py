"""What a failure of a job says to who is on call: the cause in Flink's stack of exceptions, its meaning, what to do."""

import re

_RAISED = re.compile(r"[A-Za-z_][\w.]*Error: ")
"""How Python tells an exception, after its traceback."""

_JAVA = re.compile(r"(?:Exception in thread \S+ )?(?:[\w$]+\.)+[\w$]*(?:Exception|Error)\b")
"""How Java tells one."""

_AGAIN = (
    "The job begins again by itself; when its attempts are used up, start it soon from the newest checkpoint in "
    "--state."
)
_KNOWN = (
    (
        r"Failed to get metadata for topics \[([^\]]*)\][\s\S]*UnknownTopicOrPartitionException",
        "A topic is not there: one of {}.",
        f"Make it, or name another. {_AGAIN}",
    ),
    (
        r"kafka\.common\.errors\.TimeoutException: Expiring \d+ record\(s\) for (\S+)-\d+:",
        "What was decided could not be written to {} in time.",
        f"See whether that topic is there still, and whether Kafka's brokers run. {_AGAIN}",
    ),
    (
        r"CertificateExpiredException: ([^\n]*)",
        "The broker's certificate has expired ({}).",
        f"Give the broker a new certificate. {_AGAIN}",
    ),
    (
        r"CertificateNotYetValidException: ([^\n]*)",
        "The broker's certificate is not valid yet ({}).",
        f"See whether this machine's clock is right; else give the broker another certificate. {_AGAIN}",
    ),
    (
        r"CertificateException: (No (?:name|subject alternative)[^\n]*)",
        "The broker's certificate is another host's ({}).",
        "Name the broker in --from and --to by an address that its certificate has.",
    ),
    (
        r"PKIX path (?:building|validation) failed: ([^\n]*)",
        "The broker's certificate is not trusted ({}).",
        "Let ssl.truststore.location, in the file of --kafka-config, hold the authority that signed it.",
    ),
    (
        r"(?:Ssl|SSL)\w*Exception: ([^\n]*)",
        "The broker and the job do not agree on TLS ({}).",
        "See whether security.protocol, in the file of --kafka-config, is what the broker speaks at that port.",
    ),
    (
        r"kafka\.common\.errors\.TimeoutException: ([^\n]*)",
        "Kafka does not answer in time ({}).",
        f"See whether its brokers run, and are reached at the addresses in --from and --to. {_AGAIN}",
    ),
)
"""What clients of Kafka and Java's TLS say, in the order in which they are looked for; what it is; what to do."""


def cause(text: str) -> str:
    """The part of a stack of exceptions that says why: what a worker in Python said, else the last cause.

    A stack without a cause says it in its first line, above where it was; what is no stack, in its last one.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    python = [line for line in lines if _RAISED.match(line) and not line.startswith(("java.", "org.", "py4j."))]
    causes = [line for line in lines if line.startswith("Caused by:")]
    return (python or causes or _head(lines) or lines or ["nothing was said"])[-1][:600]


def _head(lines: list[str]) -> list[str]:
    """What stands above the places of a stack: the exception, and nothing that was logged before; else nothing."""
    place = next((number for number, line in enumerate(lines) if line.startswith("at ")), 0)
    return ([line for line in lines[:place] if _JAVA.match(line)] or lines[:place])[:1]


def meaning(text: str) -> tuple[str, str]:
    """What a stack of exceptions means, and what to do; both empty where it is not of those that are known."""
    for pattern, what, do in _KNOWN:
        found = re.search(pattern, text)
        if found:
            return what.format(found[1].strip()[:200]), do
    return "", ""
